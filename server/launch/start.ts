/** `npm start`: Redis, server and workers in one process group, with a demo shop; everything is still there next time. */
import path from 'node:path';
import { createWorkers } from '../../workers/workers.ts';
import { type Application, createApplication } from '../application.ts';
import { readConfig } from '../config.ts';
import { BOARD_PATH } from '../edge/http/jobs-board.ts';
import { createPages } from '../edge/http/pages.ts';
import { createLog } from '../log.ts';
import { connect, type RedisTarget } from '../store/connect.ts';
import { ensureDataDir } from './data-dir.ts';
import { demoBuyerToken, demoPassword, demoShop, seedDemo } from './demo.ts';
import { startEmbeddedRedis } from './embedded-redis.ts';
import { listenOn } from './listen.ts';
import { keysFile, ownKeys } from './own-keys.ts';
import { redisTarget } from './production.ts';
import { reachRedis } from './reach-redis.ts';
import { closeOnSignal } from './signals.ts';

/** What has been started, in order; ended the other way round. */
const started: (() => Promise<void>)[] = [];
async function close(): Promise<void> {
  for (const end of started.splice(0).reverse()) await end();
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  // What ends in order may wait for a Redis that is gone.
  setTimeout(() => process.exit(1), 5_000).unref();
  void close().finally(() => process.exit(1));
}

try {
  const config = readConfig();
  const log = createLog(config.logLevel, 'fenliu');
  closeOnSignal(log, close);
  ensureDataDir(config.dataDir);

  let redis: RedisTarget | undefined = redisTarget(config);
  const given = redis !== undefined;
  if (!redis) {
    const embedded = await startEmbeddedRedis({
      dataDir: path.resolve(config.dataDir),
      log: (line) => console.log(line),
      onExit: (reason) =>
        fail(new Error(`Redis has ended (${reason}); start again, the data are in ${config.dataDir}.`)),
    });
    started.push(embedded.stop);
    redis = { url: embedded.url };
  }
  await reachRedis(redis);

  const keys = ownKeys(config);
  const pages = await createPages(
    config.demo ? { demoBuyerToken: (buyer) => demoBuyerToken(application.house, buyer, Date.now()) } : {},
  );
  const application: Application = await createApplication({
    redis,
    keys,
    log,
    shared: given,
    pages,
    trustProxy: config.trustProxy,
    limits: config.limits,
  });
  started.push(application.close);
  if (config.demo) await seedDemo(application.house, Date.now());
  const onError = (error: Error) => log.warn({ err: error }, 'the connection of the workers to Redis has trouble');
  const connections = [connect(redis, onError), connect(redis, onError)] as const;
  const webhooks = { privateAddresses: config.webhookPrivate };
  const workers = await createWorkers({ connections, log, house: application.house, webhooks });
  started.push(async () => {
    await workers.close();
    for (const connection of connections) connection.disconnect();
  });
  const port = await listenOn(application, config.port);

  const at = `http://localhost:${port}`;
  const lines = [
    '',
    `Fenliu (分流) is running: ${at}`,
    ...(config.demo
      ? [
          `  demo page    ${at}/  (a buyer's chat beside an agent's list)`,
          `  log in       shop "${demoShop}", accounts anna, ben, chen, sam (supervisor), owner; password "${demoPassword}"`,
          '  mind         everybody knows that password: set DEMO=0 where others can reach this machine',
        ]
      : []),
    `  REST         ${at}/api/v1  (described in ${at}/api/v1/openapi.json)`,
    `  jobs         ${at}${BOARD_PATH}  (any user name; the password is the admin key)`,
    `  admin key    ${config.adminKey ? 'ADMIN_KEY of the environment' : `in ${keysFile(config.dataDir)}`}`,
    `  Redis        ${given ? 'as the environment says' : `embedded, its data in ${path.resolve(config.dataDir)}`}`,
    '  stop         Ctrl-C; everything is still there next time',
    '',
  ];
  console.log(lines.join('\n'));
} catch (error) {
  fail(error);
}
