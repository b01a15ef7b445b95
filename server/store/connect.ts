/** Connections to Redis, with the settings the design was measured with. */
import { Cluster, Redis } from 'ioredis';
import { keepPulse } from './pulse.ts';
import type { Connection } from './script.ts';

export type RedisTarget = { readonly url: string } | { readonly cluster: readonly string[] };

/** How long Redis may take to accept a connection, in ms. */
const CONNECT_MS = 5_000;
/** The longest wait between two tries to reconnect, in ms: Redis is back sooner than it would pay to spare it. */
const RETRY_MS = 1_000;

const waitToReconnect = (tries: number) =>
  Math.min(50 * 2 ** Math.min(tries, 10), RETRY_MS) * (0.75 + Math.random() / 2);

export type ConnectionTraits = {
  /** What is sent while Redis is away fails at once: for what is worth nothing later. */
  readonly neverWaits?: boolean;
};

/**
 * Opens a connection. Commands wait for a reconnect instead of failing (`maxRetriesPerRequest: null`): every command can
 * be sent again as it is. Autopipelining stays off: what one tick sends goes out together anyway.
 */
export function connect(
  target: RedisTarget,
  onError: (error: Error) => void,
  { neverWaits = false }: ConnectionTraits = {},
): Connection {
  const common = { maxRetriesPerRequest: null, connectTimeout: CONNECT_MS };
  const redis =
    'url' in target
      ? new Redis(target.url, { ...common, retryStrategy: waitToReconnect, enableOfflineQueue: !neverWaits })
      : new Cluster(
          target.cluster.map((node) => {
            const [host = '127.0.0.1', port = '6379'] = node.split(':');
            return { host, port: Number(port) };
          }),
          { redisOptions: common, enableOfflineQueue: !neverWaits },
        );
  redis.on('error', onError);
  keepPulse(redis);
  return redis;
}
