import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../server/launch/embedded-redis.ts';
import { findRedis } from '../../server/launch/find-redis.ts';
import { REDIS_CACHE } from '../support/redis.setup.ts';

const ROOT = join(import.meta.dirname, '../..');
const hasProc = process.platform === 'linux';

let dataDir: string;
let undo: (() => Promise<unknown> | unknown)[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'fenliu embedded-'));
  undo = [() => rm(dataDir, { recursive: true, force: true })];
});

afterEach(async () => {
  for (const step of undo.reverse()) await step();
});

async function start(onExit?: (reason: string) => void): Promise<EmbeddedRedis> {
  const options = { dataDir, cacheDir: REDIS_CACHE, persist: 'always' as const, log: () => undefined };
  const redis = await startEmbeddedRedis(onExit ? { ...options, onExit } : options);
  undo.push(() => redis.stop());
  return redis;
}

/** Asks a Redis something on a connection of its own. */
async function ask<T>(url: string, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

/** Starts an embedded Redis in a process of its own, which then waits, or ends as `then` says. */
async function startLauncher(then = 'setInterval(() => {}, 1000)', before = '') {
  const options = JSON.stringify({ dataDir, cacheDir: REDIS_CACHE, persist: 'always' });
  const code = `
    import { startEmbeddedRedis } from './server/launch/embedded-redis.ts';
    const { url, pid } = await startEmbeddedRedis({ ...${options}, log: () => undefined });
    ${before}
    console.log(JSON.stringify({ url, pid }));
    ${then}`;
  const launcher = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // a process group of its own, as a terminal gives it
  });
  undo.push(() => launcher.kill('SIGKILL'));
  const [said] = (await once(launcher.stdout, 'data')) as [Buffer];
  const redis = JSON.parse(said.toString()) as { url: string; pid: number };
  undo.push(() => end(redis.pid));
  return { launcher, redis };
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already, as it should.
  }
}

/** Whether a process runs; one that has ended and waits to be fetched by its parent does not. */
async function runs(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !status.includes(') Z ');
}

async function childrenOf(parent: number): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).map(Number).filter(Boolean)) {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (Number(status.split(') ').at(-1)?.split(' ')[1]) === parent) found.push(pid);
  }
  return found;
}

const wait = { timeout: 30_000 };

describe('the embedded Redis', () => {
  it('starts and answers, to its password only, and keeps the password to its owner', async () => {
    const redis = await start();
    expect(await ask(redis.url, (client) => client.ping())).toBe('PONG');
    expect(await ask(redis.url, (client) => client.config('GET', 'maxmemory-policy'))).toContain('noeviction');
    const open = redis.url.replace(/:[^:@]+@/, '');
    await expect(ask(open, (client) => client.ping())).rejects.toThrow('NOAUTH');
    expect((await stat(join(dataDir, 'embedded-redis.json'))).mode & 0o777).toBe(0o600);
  });

  it('keeps its data over stop and start, and leaves no process and no record behind', async () => {
    const first = await start();
    await ask(first.url, (client) => client.set('k', 'v'));
    await first.stop();
    expect(await runs(first.pid)).toBe(false);
    expect(await readdir(dataDir)).not.toContain('embedded-redis.json');
    const second = await start();
    expect(await ask(second.url, (client) => client.get('k'))).toBe('v');
  });

  it('tells when Redis is killed, and the next start has its data', async () => {
    const onExit = vi.fn();
    const first = await start(onExit);
    await ask(first.url, (client) => client.set('k', 'v'));
    process.kill(first.pid, 'SIGKILL');
    await vi.waitFor(() => expect(onExit).toHaveBeenCalledOnce(), wait);
    expect(onExit.mock.calls[0]?.[0]).toContain('SIGKILL');
    await first.stop();
    const second = await start();
    expect(await ask(second.url, (client) => client.get('k'))).toBe('v');
  });

  it('does not tell of an end that was asked for', async () => {
    const onExit = vi.fn();
    await (await start(onExit)).stop();
    expect(onExit).not.toHaveBeenCalled();
  });

  it('refuses a second launch in the same process and in another one', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(/Already running with this DATA_DIR .* pid \d+/);
    await first.stop();
    const { launcher, redis } = await startLauncher();
    await expect(start()).rejects.toThrow(`pid ${launcher.pid}`);
    expect(await ask(redis.url, (client) => client.ping())).toBe('PONG');
  });

  it('lets exactly one of several simultaneous launches have the directory of a dead launcher', async () => {
    const { launcher } = await startLauncher();
    await kill(launcher);
    const launches = await Promise.allSettled([start(), start(), start()]);
    expect(launches.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('ends with its launcher, whether that exits or is killed', async () => {
    const exits = await startLauncher('process.exit(0)');
    await vi.waitFor(async () => expect(await runs(exits.redis.pid)).toBe(false), wait);
    const { launcher, redis } = await startLauncher();
    await kill(launcher);
    await vi.waitFor(async () => expect(await runs(redis.pid)).toBe(false), wait);
  });

  it('outlasts a Ctrl-C, which reaches the whole process group of the launcher', async () => {
    // It listens before it says that it is there: an earlier signal would end it.
    const listens = "process.on('SIGINT', () => console.log('interrupted'));";
    const { launcher, redis } = await startLauncher(undefined, listens);
    const interrupted = once(launcher.stdout, 'data');
    process.kill(-(launcher.pid ?? 0), 'SIGINT');
    await interrupted;
    expect(await ask(redis.url, (client) => client.ping())).toBe('PONG');
  });

  it.runIf(hasProc)('takes down the Redis that a killed launcher and watcher have left, and has its data', async () => {
    const { launcher, redis } = await startLauncher();
    await ask(redis.url, (client) => client.set('k', 'v'));
    const watchers = await childrenOf(redis.pid);
    expect(watchers).toHaveLength(1);
    for (const watcher of watchers) process.kill(watcher, 'SIGKILL');
    await kill(launcher);
    expect(await ask(redis.url, (client) => client.ping())).toBe('PONG');

    const next = await start();
    expect(await runs(redis.pid)).toBe(false);
    expect(next.pid).not.toBe(redis.pid);
    expect(await ask(next.url, (client) => client.get('k'))).toBe('v');
  });

  it('fails early, with what Redis said, if it does not start', async () => {
    const first = await start();
    await ask(first.url, (client) => client.set('k', 'v'));
    await first.stop();
    const dir = join(dataDir, 'appendonlydir');
    for (const file of await readdir(dir)) if (file.endsWith('.incr.aof')) await rm(join(dir, file));
    await expect(start()).rejects.toThrow(/Redis did not start[\s\S]*AOF/);
    expect(await readdir(dataDir)).not.toContain('embedded-redis.json');
  });
});

describe('finding a redis-server', () => {
  it('names the ways out if there is none and no way to obtain one', async () => {
    const nowhere = { cacheDir: dataDir, env: { PATH: dataDir }, ways: [], log: () => undefined };
    await expect(findRedis(nowhere)).rejects.toThrow(/Install Redis 7[\s\S]*REDIS_URL/);
  });

  it('leaves nothing behind of a way that fails, and says why it did', async () => {
    const way = {
      tool: process.execPath,
      says: 'a way that fails',
      obtain: () => Promise.reject(new Error('no luck')),
    };
    const search = { cacheDir: dataDir, env: { PATH: dataDir }, ways: [way], log: () => undefined };
    await expect(findRedis(search)).rejects.toThrow('no luck');
    expect(await readdir(dataDir)).toEqual([]);
  });
});
