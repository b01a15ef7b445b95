// One Redis for the whole test run: the one of TEST_REDIS_URL, the cluster of TEST_REDIS_CLUSTER (nodes as REDIS_CLUSTER
// names them; for the files that ask for `redis`), or an embedded one that keeps nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedRedis } from '../../server/launch/embedded-redis.ts';
import type { RedisTarget } from '../../server/store/connect.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** One Redis, or a cluster. */
    redis: RedisTarget;
    /** The same where it is one Redis. */
    redisUrl: string;
  }
}

/** Where a redis-server is kept if one has to be obtained: the place that `npm start` uses as well. */
export const REDIS_CACHE = join(import.meta.dirname, '../../.data/redis');

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const provide = (url: string) => {
    project.provide('redis', { url });
    project.provide('redisUrl', url);
  };
  const { TEST_REDIS_CLUSTER: nodes, TEST_REDIS_URL: given } = process.env;
  if (nodes) {
    project.provide('redis', { cluster: nodes.split(',') });
    return undefined;
  }
  if (given) {
    provide(given);
    return undefined;
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'fenliu-test-'));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const redis = await startEmbeddedRedis({ dataDir, cacheDir: REDIS_CACHE, persist: 'none', log: console.log });
    provide(redis.url);
    return () => redis.stop().then(remove);
  } catch (error) {
    await remove();
    throw error;
  }
}
