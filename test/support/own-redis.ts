/** A Redis for one test file: for what belongs to a whole installation, such as its nodes, and workers, which serve every shop they find. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedRedis } from '../../server/launch/embedded-redis.ts';
import { REDIS_CACHE } from './redis.setup.ts';

export type OwnRedis = {
  readonly url: string;
  /** Ends it; nothing it held is kept. */
  stop(): Promise<void>;
};

export async function startOwnRedis(): Promise<OwnRedis> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fenliu-test-'));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const redis = await startEmbeddedRedis({ dataDir, cacheDir: REDIS_CACHE, persist: 'none', log: () => undefined });
    return { url: redis.url, stop: () => redis.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}
