/** A Redis of a test's own with an append-only file, which can be killed and started again: same port, same data. */
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedis } from '../../server/launch/find-redis.ts';
import { type Child, startChild } from './child.ts';
import { REDIS_CACHE } from './redis.setup.ts';
import { until } from './until.ts';

/** Bytes of each part of the file that is written to. */
type Written = ReadonlyMap<string, number>;

export type LastingRedis = {
  readonly url: string;
  /** SIGKILL: it gets to write nothing any more. Resolves when it has ended. */
  kill(): Promise<void>;
  /** How much its file has by now. */
  mark(): Promise<Written>;
  /** While it is not running: what was written since the mark never reached the disk, as when the power is cut. */
  loseSince(mark: Written): Promise<void>;
  /** Resolves when it has read its file and takes connections. */
  start(): Promise<void>;
  /** Ends it; nothing it held is kept. */
  remove(): Promise<void>;
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts one. `fsync` as Redis calls it: how often the file is synced to the disk. */
export async function startLastingRedis(fsync: 'everysec' | 'always'): Promise<LastingRedis> {
  const { command } = await findRedis({ cacheDir: REDIS_CACHE, log: () => undefined });
  const dir = await mkdtemp(join(tmpdir(), 'fenliu-test-'));
  const port = await freePort();
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
  let child: Child | undefined;
  const redis: LastingRedis = {
    url: `redis://127.0.0.1:${port}`,
    async kill() {
      await child?.end('SIGKILL');
    },
    async mark() {
      // What is acknowledged may still wait to be written while the disk is busy.
      const client = new Redis(redis.url);
      await until(async () => {
        const info = await client.info('persistence');
        return ['aof_buffer_length:0', 'aof_pending_bio_fsync:0'].every((line) => info.includes(`${line}\r`));
      });
      client.disconnect();
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
      await redis.kill();
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
