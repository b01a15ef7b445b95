/** A Redis of a test's own, for what belongs to a whole installation: its nodes, its queues of jobs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedRedis } from '../../server/launch/embedded-redis.ts';
import { REDIS_CACHE } from './redis.setup.ts';

export type OwnRedis = { readonly url: string; stop(): Promise<void> };

export async function startOwnRedis(): Promise<OwnRedis> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fenliu-own-'));
  const redis = await startEmbeddedRedis({ dataDir, cacheDir: REDIS_CACHE, persist: 'none', log: () => undefined });
  return {
    url: redis.url,
    async stop() {
      await redis.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
