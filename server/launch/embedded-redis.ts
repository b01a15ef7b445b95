// A Redis of our own, as a child process: for `npm start` without REDIS_URL, and for the tests.
//
// Three processes are involved: the launcher, which is this one, Redis, and a watcher that ends Redis with the launcher
// (redis-process.ts). Should the watcher be killed as well, the next start finds Redis by its record file.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants, copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { findRedis } from './find-redis.ts';
import { freePort, spawnRedis } from './redis-process.ts';

export type EmbeddedRedisOptions = {
  /** Where the data and the record file are; made if it is missing. One Redis at a time per directory. */
  dataDir: string;
  log: (line: string) => void;
  /** How often the append-only file is synced to the disk; `none` keeps nothing at all. `everysec` by default. */
  persist?: 'everysec' | 'always' | 'none';
  /** Where a redis-server is kept if one has to be obtained: `<dataDir>/redis` by default. */
  cacheDir?: string;
  /** Told why if Redis ends without having been asked to. */
  onExit?: (reason: string) => void;
};

export type EmbeddedRedis = {
  url: string;
  pid: number;
  /** Shuts Redis down and waits for it; kills it if that takes more than 10 s. May be called again. */
  stop(): Promise<void>;
};

/** A process, told from a later one with the same pid by its start time, where /proc tells that. */
type Identity = { pid: number; started?: string };
type Address = { port: number; password: string };
type RedisRecord = Identity & Address;
/** What `embedded-redis.json` says: who launched, and the Redis there is, or was. */
type RecordFile = { launcher: Identity; redis?: RedisRecord };

const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 50;

/**
 * Starts a Redis of our own on 127.0.0.1, with a free port and a password, and waits until it answers. One that a
 * killed launcher left in the same `dataDir` is shut down first; a Redis that somebody else started is never touched.
 * @throws if another launcher is running with this `dataDir`, if there is no redis-server, or if it does not start
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { log, persist = 'everysec', cacheDir = join(options.dataDir, 'redis') } = options;
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const server = await findRedis({ cacheDir, log });
  const claim = await claimDirectory(dataDir);
  // Outside of the try: a leftover that cannot be stopped has to stay on record.
  if (claim.leftover) await stopLeftover(claim.leftover, dataDir, log);
  try {
    const child = await launch(server.command, dataDir, persist, claim.update);
    log(`Redis ${server.version} is running: 127.0.0.1:${child.record.port}, pid ${child.record.pid}.`);
    return supervise(child, claim.release, options.onExit);
  } catch (error) {
    claim.release();
    throw error;
  }
}

// ---- The record file: one launcher per data directory -------------------------------------------------------------

/** Writes ourselves down as the launcher of `dataDir`, and takes over what a dead one has left. */
async function claimDirectory(dataDir: string) {
  const path = join(dataDir, 'embedded-redis.json');
  const launcher = identify(process.pid);
  const write = (redis: RedisRecord | undefined, file: string, flag: string) =>
    writeFileSync(file, JSON.stringify({ launcher, ...(redis && { redis }) } satisfies RecordFile), {
      flag,
      mode: 0o600,
    });
  let leftover: RedisRecord | undefined;
  for (;;) {
    try {
      write(leftover, path, 'wx');
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const text = read(path);
    const found = parse(text);
    if (found && isAlive(found.launcher))
      throw new Error(`Already running with this DATA_DIR (${dataDir}), pid ${found.launcher.pid} (see ${path}).`);
    // Not (yet) a whole record: another launcher may be about to write it.
    if (!found) await sleep(POLL_MS * 4);
    if (text !== undefined && takeAway(path, text)) leftover = found?.redis ?? leftover;
  }
  return {
    leftover,
    update: (redis: RedisRecord) => {
      write(redis, `${path}.new`, 'w');
      renameSync(`${path}.new`, path);
    },
    release: () => {
      const now = parse(read(path))?.launcher;
      if (now?.pid === launcher.pid && now.started === launcher.started) rmSync(path, { force: true });
    },
  };
}

/** Removes a record that says `text`, unless somebody else has done so and perhaps put a new one in its place. */
function takeAway(path: string, text: string): boolean {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    const same = read(aside) === text;
    if (!same) copyFileSync(aside, path, constants.COPYFILE_EXCL);
    return same;
  } catch (error) {
    if (['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** The text of a file, or undefined if there is none (for files of /proc: or no longer). */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** What a record file says, or undefined if it is damaged: our own file, so its shape needs no closer look. */
function parse(text: string | undefined): RecordFile | undefined {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function identify(pid: number): Identity {
  const started = startOf(pid);
  return started === undefined ? { pid } : { pid, started };
}

/** When a process started, in the kernel's own measure; 'dead' for a zombie; undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  // The second field, the name in brackets, may itself contain anything: count from its end.
  const fields = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  return fields?.[0] === 'Z' ? 'dead' : fields?.[19];
}

function isAlive({ pid, started }: Identity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return started === undefined || startOf(pid) === started;
}

// ---- Left over by a killed launcher ------------------------------------------------------------------------------

/** Shuts down the Redis of a dead launcher, if it still runs and is proved to be that one. */
async function stopLeftover(redis: RedisRecord, dataDir: string, log: (line: string) => void): Promise<void> {
  // While it is busy (with loading, or with ending) it may not answer, but then pid and start time are proof enough
  // that this is the process which an earlier launcher started; without a start time a pid proves nothing.
  const proved = (await isOurs(redis, dataDir)) || (redis.started !== undefined && isAlive(redis));
  if (!proved) return;
  log(`Shutting down the Redis of an earlier run, pid ${redis.pid}.`);
  await ask(redis, (client) => client.shutdown()).catch(() => undefined); // it hangs up instead of answering
  await waitForEnd(redis);
}

async function isOurs(redis: RedisRecord, dataDir: string): Promise<boolean> {
  if (!isAlive(redis)) return false;
  const answer = ask(redis, async (client) => {
    const [, dir] = (await client.config('GET', 'dir')) as [string, string];
    return dir === dataDir && (await client.info('server')).includes(`process_id:${redis.pid}\r`);
  });
  return answer.catch(() => false);
}

async function waitForEnd(redis: Identity): Promise<void> {
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (isAlive(redis)) {
    if (Date.now() > deadline) {
      try {
        process.kill(redis.pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await sleep(POLL_MS);
  }
}

/** Connects once, asks, and hangs up. */
async function ask<T>({ port, password }: Address, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({
    ...{ host: '127.0.0.1', port, password, lazyConnect: true, enableReadyCheck: false },
    ...{ retryStrategy: () => null, maxRetriesPerRequest: 0, connectTimeout: 5000, commandTimeout: 5000 },
  });
  client.on('error', () => undefined); // told by the rejection
  try {
    await client.connect();
    return await question(client);
  } finally {
    client.disconnect();
  }
}

// ---- The child ---------------------------------------------------------------------------------------------------

type Child = { process: ChildProcess; record: RedisRecord; tail: () => string };

async function launch(
  command: string,
  dataDir: string,
  persist: string,
  started: (redis: RedisRecord) => void,
): Promise<Child> {
  for (let tries = 1; ; tries++) {
    const child = await spawnChild(command, dataDir, persist);
    started(child.record);
    if (await answers(child)) return child;
    const tail = child.tail();
    // Between finding a free port and using it, somebody else may have taken it.
    if (tries < 5 && /address already in use/i.test(tail)) continue;
    throw new Error(`Redis did not start. It said:\n${tail}`);
  }
}

async function spawnChild(command: string, dataDir: string, persist: string): Promise<Child> {
  const address = { port: await freePort(), password: randomBytes(24).toString('base64url') };
  const child = spawnRedis(command, configuration(dataDir, persist, address));
  return { ...child, record: { ...identify(child.process.pid ?? 0), ...address } };
}

function configuration(dataDir: string, persist: string, { port, password }: Address): string[] {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(dataDir)}`,
    'daemonize no',
    'save ""',
    `appendonly ${persist === 'none' ? 'no' : 'yes'}`,
    `appendfsync ${persist === 'none' ? 'no' : persist}`,
    'maxmemory-policy noeviction',
  ];
}

/** Waits until Redis answers, however long it has to load its data: true; or until it ends: false. */
async function answers(child: Child): Promise<boolean> {
  let ended = false;
  child.process.once('close', () => {
    ended = true;
  });
  while (!ended) {
    const pong = await ask(child.record, (client) => client.ping()).catch(() => undefined);
    if (pong === 'PONG') return true;
    await sleep(POLL_MS);
  }
  return false;
}

function supervise(child: Child, release: () => void, onExit: ((reason: string) => void) | undefined): EmbeddedRedis {
  const { process: redis, record } = child;
  let stopping: Promise<void> | undefined;
  const ended = new Promise<void>((done) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      release();
      done();
      if (!stopping) onExit?.(`Redis ended by itself with ${signal ?? `code ${code}`}. It said:\n${child.tail()}`);
    };
    // It may have ended while nobody looked, just after its first answer.
    if (redis.exitCode !== null || redis.signalCode !== null) setImmediate(end, redis.exitCode, redis.signalCode);
    else redis.once('exit', end);
  });
  const stop = async () => {
    redis.kill('SIGTERM');
    const killing = setTimeout(() => redis.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(killing);
  };
  return {
    url: `redis://:${record.password}@127.0.0.1:${record.port}`,
    pid: record.pid,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
