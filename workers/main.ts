/** `npm run workers`: one worker process for production. */

import { createShardedAdapter } from '@socket.io/redis-adapter';
import { Server } from 'socket.io';
import { readConfig } from '../server/config.ts';
import { createTell, type Io } from '../server/edge/sockets/tell.ts';
import { productionParts } from '../server/launch/production.ts';
import { reachRedis } from '../server/launch/reach-redis.ts';
import { closeOnSignal } from '../server/launch/signals.ts';
import { createLog } from '../server/log.ts';
import { createHouse } from '../server/services/create-house.ts';
import { connect } from '../server/store/connect.ts';
import type { Connection } from '../server/store/script.ts';
import { createWorkers } from './workers.ts';

try {
  const config = readConfig();
  const log = createLog(config.logLevel, 'workers');
  const { redis: target } = productionParts(config);
  await reachRedis(target);
  const onError = (error: Error) => log.warn({ err: error }, 'the connection to Redis has trouble');
  const [redis, subscriber, forQueue, forWorker] = Array.from({ length: 4 }, () => connect(target, onError)) as [
    Connection,
    Connection,
    Connection,
    Connection,
  ];
  const publisher = connect(target, onError, { neverWaits: true });
  // No sockets of its own: it tells those of the server nodes through the adapter.
  const io: Io = new Server({ adapter: createShardedAdapter(publisher, subscriber, { subscriptionMode: 'dynamic' }) });
  const house = createHouse({ redis, tell: createTell(io), log });
  const webhooks = { privateAddresses: config.webhookPrivate };
  const workers = await createWorkers({ connections: [forQueue, forWorker], house, log, webhooks });
  closeOnSignal(log, async () => {
    await workers.close();
    await house.settled();
    await house.deliveries.close();
    for (const connection of [redis, publisher, subscriber, forQueue, forWorker]) connection.disconnect();
  });
  log.info({}, 'working');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
