/** `npm run workers`: one worker process for production. */

import { Server } from 'socket.io';
import { readConfig } from '../server/config.ts';
import { createHealthServer } from '../server/edge/http/health-server.ts';
import { createMetrics } from '../server/edge/http/metrics.ts';
import { createTell, hearForgotten, type Io } from '../server/edge/sockets/tell.ts';
import { listenOn } from '../server/launch/listen.ts';
import { productionParts } from '../server/launch/production.ts';
import { reachRedis } from '../server/launch/reach-redis.ts';
import { closeOnSignal } from '../server/launch/signals.ts';
import { createLog } from '../server/log.ts';
import { createHouse } from '../server/services/create-house.ts';
import { BEAT_MS } from '../server/services/heartbeat.ts';
import { connect } from '../server/store/connect.ts';
import { createRelay } from '../server/store/relay.ts';
import { createWorkers } from './workers.ts';

try {
  const config = readConfig();
  const log = createLog(config.logLevel, 'workers');
  const { redis: target } = productionParts(config);
  await reachRedis(target);
  const onError = (error: Error) => log.warn({ err: error }, 'the connection to Redis has trouble');
  const redis = connect(target, onError);
  const queues = [connect(target, onError), connect(target, onError)] as const;
  // No sockets of its own: it tells those of the server nodes.
  const relay = createRelay(target, onError);
  const io: Io = new Server({ adapter: relay.adapter });
  const metrics = createMetrics();
  const house = createHouse({ redis, tell: createTell(io, { shared: true }), log, meter: metrics.meter });
  hearForgotten(io, house.buyers.forget);
  const webhooks = { privateAddresses: config.webhookPrivate };
  // What is remembered of the shops may be what Redis has lost. A server node looks with its heartbeat.
  const looking = setInterval(() => void house.life.look(), BEAT_MS);
  const workers = await createWorkers({ connections: queues, house, log, webhooks });
  const health = createHealthServer({ house, metrics, working: workers.mustTakeTurns });
  closeOnSignal(log, async () => {
    clearInterval(looking);
    await workers.close();
    await health.close();
    await house.settled();
    await house.deliveries.close();
    relay.close();
    for (const connection of [redis, ...queues]) connection.disconnect();
  });
  if (config.metricsPort === undefined) log.info({}, 'working');
  else log.info({ metricsPort: await listenOn(health, config.metricsPort, 'METRICS_PORT') }, 'working');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
