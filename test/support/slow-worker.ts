// A worker process as `npm run workers` has it, on one slow job: <Redis> <key>
// Each turn adds `began <pid>` to the list at the key, waits until `<key>:go` is set, and adds `ended <pid>`.

import { closeOnSignal } from '../../server/launch/signals.ts';
import { createLog } from '../../server/log.ts';
import { connect } from '../../server/store/connect.ts';
import { startWorkers } from './jobs.ts';
import { until } from './until.ts';

const [url = '', key = ''] = process.argv.slice(2);
const redis = connect({ url }, () => undefined);
const workers = await startWorkers(url, {
  slow: {
    everyMs: 200,
    async run() {
      await redis.rpush(key, `began ${process.pid}`);
      await until(async () => (await redis.exists(`${key}:go`)) === 1);
      await redis.rpush(key, `ended ${process.pid}`);
    },
  },
});
closeOnSignal(createLog('silent', 'workers'), workers.close);
process.stdout.write(JSON.stringify({ pid: process.pid }));
