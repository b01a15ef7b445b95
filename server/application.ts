/**
 * One server node, put together: HTTP and sockets as edges, the services behind them, one connection to Redis.
 * It listens only when told to, so that tests can have as many as they like.
 */
import type { AddressInfo } from 'node:net';
import type { Router } from 'express';
import { Server } from 'socket.io';
import { createHangUp } from './edge/hang-up.ts';
import { createHttpApp } from './edge/http/http-app.ts';
import { createMetrics } from './edge/http/metrics.ts';
import { createListener } from './edge/listener.ts';
import { createConnected } from './edge/sockets/connected.ts';
import { createDoor } from './edge/sockets/door.ts';
import { createGateway } from './edge/sockets/gateway.ts';
import { endSlowReaders } from './edge/sockets/slow-readers.ts';
import { createTell, hearForgotten, type Io } from './edge/sockets/tell.ts';
import { createWatch } from './edge/sockets/watch.ts';
import { createWorkload } from './edge/workload.ts';
import type { Keys } from './services/access.ts';
import type { LimitChanges } from './services/allowances.ts';
import { createHouse } from './services/create-house.ts';
import { createHeartbeat } from './services/heartbeat.ts';
import type { House, Log } from './services/house.ts';
import { createQueueHandles } from './services/job-queues.ts';
import { createLimits } from './services/limits.ts';
import { connect, type RedisTarget } from './store/connect.ts';
import { createRelay } from './store/relay.ts';

export type ApplicationParts = {
  readonly redis: RedisTarget;
  readonly keys: Keys;
  readonly log: Log;
  /** Milliseconds since the epoch; the edges ask it, nobody else. */
  readonly clock?: () => number;
  /** Other nodes or workers tell this node's clients too: through Redis. */
  readonly shared?: boolean;
  /** Pages served beside the API. */
  readonly pages?: Router;
  /** How many proxies in front of us are believed about the client's address. None unless said. */
  readonly trustProxy?: number;
  /** What differs from the limits that are usual. */
  readonly limits?: LimitChanges;
  /** Between two heartbeats of this node, in ms; the workers take a node for dead that is silent for three of 5 s. */
  readonly beatMs?: number;
  /** Between two looks at whose session has ended, in ms; 5 s unless said. */
  readonly lookMs?: number;
  /** Over how long a node that is told to end hands its sockets on, in ms; 0, all at once, unless said. */
  readonly drainMs?: number;
};

export type Application = {
  readonly house: House;
  readonly io: Io;
  /** Listens on a port, 0 for any, and answers which. Throws if it is taken. */
  listen(port: number): Promise<number>;
  /** Takes nothing new, hands its sockets on, answers what is under way, tells the store who has gone, and ends. */
  close(): Promise<void>;
};

export async function createApplication(parts: ApplicationParts): Promise<Application> {
  const { keys, log, clock = Date.now, trustProxy = 0 } = parts;
  const onError = (error: Error) => log.warn({ err: error }, 'the connection to Redis has trouble');
  const redis = connect(parts.redis, onError);

  const limits = createLimits({ redis, log }, parts.limits);
  const metrics = createMetrics();
  const { meter } = metrics;
  const door = createDoor({ limits, trustProxy, meter });
  const io: Io = new Server(door.options);
  const relay = parts.shared ? createRelay(parts.redis, onError) : undefined;
  if (relay) io.adapter(relay.adapter);

  const tell = createTell(io, { shared: parts.shared === true });
  const house = createHouse({ redis, tell, connected: createConnected(io), log, meter });
  hearForgotten(io, house.buyers.forget);
  const { beatMs, drainMs = 0 } = parts;
  const workload = createWorkload({ away: house.away });
  const heartbeat = createHeartbeat({
    redis,
    log,
    life: house.life,
    clock,
    newNode: house.ids.conversation,
    ...(beatMs === undefined ? {} : { beatMs }),
  });
  const watch = createWatch({ house, clock, everyMs: parts.lookMs });
  const gateway = createGateway({
    ...{ io, house, keys, clock, workload, limits, trustProxy, watch },
    listed: heartbeat.listed,
  });
  const queues = createQueueHandles(
    () => connect(parts.redis, onError),
    (connection) => connection.disconnect(),
    log,
  );
  const app = createHttpApp({
    house,
    metrics,
    queues,
    keys,
    clock,
    workload,
    leaving: gateway.leaving,
    limits,
    trustProxy,
    ...(parts.pages ? { pages: parts.pages } : {}),
  });
  const http = createListener(app, { allowed: limits.allowed, trustProxy });
  const hangUp = createHangUp(http);
  io.attach(http);
  door.watch(io);
  endSlowReaders(io, { log, meter });

  await heartbeat.start(gateway.recordAgain);
  watch.start();

  return {
    house,
    io,
    listen: (port) =>
      new Promise((resolve, reject) => {
        http.once('error', reject);
        http.listen(port, () => resolve((http.address() as AddressInfo).port));
      }),
    async close() {
      // Still listening: who is not handed on yet may be polling, and the balancer asks whether we are ready.
      if (drainMs > 0) await gateway.handOn(drainMs);
      watch.stop();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeIdleConnections();
      await gateway.drain();
      await workload.answered();
      await hangUp(Promise.all([io.close(), closed]));
      await queues.close();
      // What came while we closed has left by now, too; what the store does not know the sweep of ghosts finds.
      const ended = await gateway.settled();
      await house.settled();
      await house.deliveries.close();
      await heartbeat.stop(ended);
      relay?.close();
      redis.disconnect();
    },
  };
}
