/** `npm run server`: one server node for production. Redis and the two secrets come from the environment. */
import { createApplication } from './application.ts';
import { readConfig } from './config.ts';
import { createSdkPages } from './edge/http/pages.ts';
import { listenOn } from './launch/listen.ts';
import { productionParts } from './launch/production.ts';
import { reachRedis } from './launch/reach-redis.ts';
import { closeOnSignal } from './launch/signals.ts';
import { createLog } from './log.ts';

try {
  const config = readConfig();
  const log = createLog(config.logLevel, 'server');
  const parts = productionParts(config);
  await reachRedis(parts.redis);
  const application = await createApplication({
    ...parts,
    log,
    shared: true,
    pages: await createSdkPages(),
    trustProxy: config.trustProxy,
    drainMs: config.drainMs,
    limits: config.limits,
  });
  const port = await listenOn(application, config.port);
  closeOnSignal(log, application.close, config.drainMs);
  log.info({ port }, 'listening');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
