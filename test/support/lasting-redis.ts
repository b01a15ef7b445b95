/** A Redis of a test's own with an append-only file, which can be killed and started again: same port, same data. */
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedis } from '../../server/launch/find-redis.ts';
import { type Child, startChild } from './child.ts';
import { lastingPort } from './lasting-port.ts';
import { REDIS_CACHE } from './redis.setup.ts';
import { written } from './written.ts';

/** Bytes of each part of the file that is written to. */
type Written = ReadonlyMap<string, number>;

export type LastingRedis = {
  readonly url: string;
  /**
   * SIGKILL, at a moment when all that it acknowledged is written; `justBefore` is called at this moment. Resolves when it has
   * ended.
   */
  kill(justBefore?: () => void): Promise<void>;
  /** How much its file has by now. */
  mark(): Promise<Written>;
  /** While it is not running: what was written since the mark never reached the disk, as when the power is cut. */
  loseSince(mark: Written): Promise<void>;
  /** Resolves when it has read its file and takes connections. */
  start(): Promise<void>;
  /** Ends it; nothing it held is kept. */
  remove(): Promise<void>;
};

/** Starts one. `fsync` as Redis calls it: how often the file is synced to the disk. */
export async function startLastingRedis(fsync: 'everysec' | 'always'): Promise<LastingRedis> {
  const { command } = await findRedis({ cacheDir: REDIS_CACHE, log: () => undefined });
  const dir = await mkdtemp(join(tmpdir(), 'fenliu-test-'));
  const port = await lastingPort();
  const input = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${JSON.stringify(dir)}`,
    'save ""',
    'appendonly yes',
    `appendfsync ${fsync}`,
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  let child: Child | undefined;
  const redis: LastingRedis = {
    url: `redis://127.0.0.1:${port}`,
    async kill(justBefore) {
      await written(client);
      justBefore?.();
      await child?.end('SIGKILL');
    },
    async mark() {
      await written(client);
      const parts = (await readdir(join(dir, 'appendonlydir'))).filter((name) => name.endsWith('.incr.aof'));
      const paths = parts.map((name) => join(dir, 'appendonlydir', name));
      return new Map(await Promise.all(paths.map(async (path) => [path, (await stat(path)).size] as const)));
    },
    async loseSince(mark) {
      for (const [path, size] of mark) await truncate(path, size);
    },
    async start() {
      child = startChild([command, '-'], (line) => line.includes('Ready to accept connections'), { input });
      await child.ready;
    },
    async remove() {
      client.disconnect();
      await child?.end('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await redis.start();
    return redis;
  } catch (error) {
    await redis.remove();
    throw error;
  }
}
