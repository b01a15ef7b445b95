// A server node as `npm run server` has it, with a heart that beats as often as the test says:
// <Redis> <secret> <ms> [<ms over which it hands its sockets on>]
import { createApplication } from '../../server/application.ts';
import { closeOnSignal } from '../../server/launch/signals.ts';
import { createLog } from '../../server/log.ts';

const [url = '', secret = '', beatMs = '', drain = '0'] = process.argv.slice(2);
const drainMs = Number(drain);
const log = createLog('silent', 'node');
const application = await createApplication({
  redis: { url },
  keys: { secret, adminKey: secret },
  log,
  shared: true,
  beatMs: Number(beatMs),
  drainMs,
});
const port = await application.listen(0);
closeOnSignal(log, application.close, drainMs);
process.stdout.write(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
