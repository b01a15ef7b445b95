/** What a production process must be given; it makes up nothing. */
import type { Config } from '../config.ts';
import type { Keys } from '../services/access.ts';
import type { RedisTarget } from '../store/connect.ts';

/** Where Redis is, `undefined` if the environment names none. */
export function redisTarget(config: Config): RedisTarget | undefined {
  if (config.redisCluster.length > 0) return { cluster: config.redisCluster };
  return config.redisUrl === undefined ? undefined : { url: config.redisUrl };
}

/** Throws an error that names every variable that is missing. */
export function productionParts(config: Config): { redis: RedisTarget; keys: Keys } {
  const redis = redisTarget(config);
  const { secret, adminKey } = config;
  if (redis && secret && adminKey) return { redis, keys: { secret, adminKey } };
  const missing = [redis ? '' : 'REDIS_URL (or REDIS_CLUSTER)', secret ? '' : 'SECRET', adminKey ? '' : 'ADMIN_KEY'];
  throw new Error(
    `Set ${missing.filter(Boolean).join(', ')} in the environment; or run "npm start", which brings all of it along.`,
  );
}
