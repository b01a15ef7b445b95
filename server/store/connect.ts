/** Connections to Redis, with the settings the design was measured with. */
import { Cluster, Redis } from 'ioredis';
import type { Connection } from './script.ts';

export type RedisTarget = { readonly url: string } | { readonly cluster: readonly string[] };

/**
 * Opens a connection. Commands wait for a reconnect instead of failing (`maxRetriesPerRequest: null`): every command can
 * be sent again as it is. Autopipelining stays off: what one tick sends goes out together anyway.
 */
export function connect(target: RedisTarget, onError: (error: Error) => void): Connection {
  const redis =
    'url' in target
      ? new Redis(target.url, { maxRetriesPerRequest: null })
      : new Cluster(
          target.cluster.map((node) => {
            const [host = '127.0.0.1', port = '6379'] = node.split(':');
            return { host, port: Number(port) };
          }),
          { redisOptions: { maxRetriesPerRequest: null } },
        );
  redis.on('error', onError);
  return redis;
}
