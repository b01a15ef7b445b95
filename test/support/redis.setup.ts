// One Redis for the whole test run: the one of TEST_REDIS_URL, or an embedded one that keeps nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedRedis } from '../../server/launch/embedded-redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string;
  }
}

/** Where a redis-server is kept if one has to be obtained: the place that `npm start` uses as well. */
export const REDIS_CACHE = join(import.meta.dirname, '../../.data/redis');

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.TEST_REDIS_URL;
  if (given) {
    project.provide('redisUrl', given);
    return undefined;
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'fenliu-test-'));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const redis = await startEmbeddedRedis({ dataDir, cacheDir: REDIS_CACHE, persist: 'none', log: console.log });
    project.provide('redisUrl', redis.url);
    return () => redis.stop().then(remove);
  } catch (error) {
    await remove();
    throw error;
  }
}
