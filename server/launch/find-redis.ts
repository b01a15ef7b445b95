// Finds a redis-server for the embedded Redis, or obtains one. Whatever is obtained lives in the cache directory as
// <cacheDir>/current/redis-server, an executable that needs no special environment, so that a binary of our own is
// started just like one of the system's.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

/** A usable server: the command to spawn (a name on the PATH, or a path), and its version, such as `7.0.15`. */
export type RedisServer = { command: string; version: string };

/** One way to obtain Redis with a package manager. */
export type Way = {
  /** The command that has to be at hand. */
  tool: string;
  /** What it does, to follow "obtaining one with". */
  says: string;
  /**
   * Puts Redis below `dir`, an empty directory, or into the system. Resolves to the path of the executable, and, if
   * it needs them, the directories of its shared libraries; rejects if this way leads nowhere.
   */
  obtain(dir: string, run: Run): Promise<{ executable: string; libraries?: string[] }>;
};

/** Runs a command to its end, in the directory `cwd`. Resolves to its standard output; rejects unless it exits 0. */
export type Run = (command: string, args: string[], cwd?: string) => Promise<string>;

export type FindRedisOptions = {
  /** Where an obtained Redis is kept for the next time. */
  cacheDir: string;
  /** Told, in one line each, what is done that takes its time. */
  log: (line: string) => void;
  /** The environment of every command, hence the PATH that is searched; this process's own by default. */
  env?: NodeJS.ProcessEnv;
  ways?: readonly Way[];
};

const OLDEST = 7;
const NAMES = ['redis-server', 'valkey-server'];

/**
 * A redis-server or valkey-server, 7.0 or later: from the PATH, else one obtained earlier, else one obtained now.
 * @throws one error for a human, that names the ways out
 */
export async function findRedis({ cacheDir, log, env, ways = WAYS }: FindRedisOptions): Promise<RedisServer> {
  const run = runner(env);
  const cached = resolve(cacheDir, 'current', 'redis-server');
  for (const command of [...NAMES, cached]) {
    const version = await versionOf(command, run);
    if (isNewEnough(version)) return { command, version };
    if (version) log(`${command} is version ${version}: too old, ${OLDEST}.0 or later is needed.`);
  }
  const failures: string[] = [];
  for (const way of ways) {
    if (!(await isAtHand(way.tool, run))) continue;
    log(
      `No redis-server ${OLDEST}.0 or later is on the PATH: obtaining one with ${way.says}, into ${resolve(cacheDir)}.`,
    );
    try {
      return { command: cached, version: await obtain(way, dirname(cached), run) };
    } catch (error) {
      failures.push(`${way.tool}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error(
    [
      `No redis-server or valkey-server ${OLDEST}.0 or later is on the PATH, and none could be obtained. Install Redis ` +
        `${OLDEST} (https://redis.io/docs/latest/get-started/) and start again, or set REDIS_URL to a Redis that runs.`,
      ...(failures.length > 0 ? failures : ['No package manager that is known here was found either.']),
    ].join('\n  '),
  );
}

/** The version that `command --version` tells, or undefined if it is not there or does not run. */
async function versionOf(command: string, run: Run): Promise<string | undefined> {
  const said = await run(command, ['--version']).catch(() => '');
  return versionIn(said);
}

function versionIn(said: string): string | undefined {
  return /server v=(\d+\.\d+\.\d+)/i.exec(said)?.[1];
}

function isNewEnough(version: string | undefined): version is string {
  return version !== undefined && Number.parseInt(version, 10) >= OLDEST;
}

async function isAtHand(tool: string, run: Run): Promise<boolean> {
  return run(tool, ['--version']).then(
    () => true,
    () => false,
  );
}

/**
 * Obtains Redis beside `target` and moves it there only once it has proved to run: what an interruption leaves is
 * never taken for good. Resolves to its version.
 */
async function obtain(way: Way, target: string, run: Run): Promise<string> {
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  for (const left of await readdir(parent)) {
    const pid = /^obtaining-(\d+)-/.exec(left)?.[1];
    if (pid && !isAlive(Number(pid))) await rm(join(parent, left), { recursive: true, force: true });
  }
  const work = join(parent, `obtaining-${process.pid}-${randomUUID()}`);
  await mkdir(work);
  try {
    const { executable, libraries = [] } = await way.obtain(work, run);
    const command = join(work, 'redis-server');
    await writeFile(command, wrapper(work, executable, libraries));
    await chmod(command, 0o755);
    const version = versionIn(await run(command, ['--version']));
    if (!isNewEnough(version)) throw new Error(`it has only version ${version}`);
    await rename(work, target).catch(async () => {
      // Either another process has obtained one at the same time, and that one is as good, or it has ceased to run.
      if (await versionOf(join(target, 'redis-server'), run)) return;
      await rm(target, { recursive: true, force: true });
      await rename(work, target);
    });
    return version;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A script that runs the executable with its libraries, wherever the directory it lies in is moved to. */
function wrapper(dir: string, executable: string, libraries: readonly string[]): string {
  const place = (path: string) => (path.startsWith(`${dir}/`) ? `"$here"/${quote(relative(dir, path))}` : quote(path));
  const lines = ['#!/bin/sh', `here="$(cd "$(dirname "$0")" && pwd)"`];
  if (libraries.length > 0) lines.push(`export LD_LIBRARY_PATH=${libraries.map(place).join(':')}`);
  return [...lines, `exec ${place(executable)} "$@"`, ''].join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function runner(env: NodeJS.ProcessEnv | undefined): Run {
  return (command, args, cwd) =>
    new Promise((done, fail) => {
      const child = spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(cwd === undefined ? {} : { cwd }),
        ...(env === undefined ? {} : { env }),
      });
      let out = '';
      let errors = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors = (errors + text).slice(-2000);
      });
      child.on('error', fail);
      child.on('close', (code, signal) => {
        if (code === 0) done(out);
        else fail(new Error(`${command} ended with ${signal ?? `code ${code}`}: ${errors.trim() || '(no message)'}`));
      });
    });
}

// ---- The ways, the least intrusive first -------------------------------------------------------------------------

export const WAYS: readonly Way[] = [
  { tool: 'apt-get', says: 'apt, without changing the system', obtain: fromApt },
  { tool: 'apk', says: 'apk, without changing the system', obtain: fromApk },
  { tool: 'brew', says: 'Homebrew (brew install redis)', obtain: fromHomebrew },
  { tool: 'dnf', says: 'dnf (dnf install, as root)', obtain: (_dir, run) => fromRpm('dnf', run) },
  { tool: 'yum', says: 'yum (yum install, as root)', obtain: (_dir, run) => fromRpm('yum', run) },
];

/** Debian and its kin: the packages, and the libraries they lack here, are downloaded and unpacked, not installed. */
async function fromApt(dir: string, run: Run): Promise<{ executable: string; libraries: string[] }> {
  const state = join(dir, 'apt');
  const debs = join(state, 'debs');
  const root = join(dir, 'root');
  // apt as root would become the user _apt, who cannot write here.
  const shared = `APT::Sandbox::User "root"; Acquire::Retries "3"; Dir::Cache "${state}";`;
  // Hooks of the system's own configuration are cleared, for they touch the system (or fail when they may not).
  const hooks = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success'].map((hook) => `#clear APT::Update::${hook};`);
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(state, 'archives', 'partial'), { recursive: true });
  await writeFile(join(state, 'system.conf'), shared);
  await writeFile(join(state, 'own.conf'), [shared, `Dir::State::lists "${state}/lists";`, ...hooks, ''].join('\n'));
  const aptGet = (conf: string, ...args: string[]) => run('apt-get', ['-c', join(state, conf), '-qq', ...args], debs);

  const download = async (conf: string) => {
    await rm(debs, { recursive: true, force: true });
    await mkdir(debs);
    // What apt-cache says is read by a program, so it must not be translated.
    const aptCache = (...args: string[]) => run('env', ['LC_ALL=C', 'apt-cache', '-c', join(state, conf), ...args]);
    await aptGet(conf, 'download', ...(await neededDebs(['redis-server', 'redis-tools'], run, aptCache)));
  };
  // The system's package lists will do, if there are any and they are fresh; else lists of our own.
  await download('system.conf').catch(async () => {
    // One list of many may fail without harm: whether the download succeeds is what counts.
    const update = ['-o', 'APT::Update::Error-Mode=any', 'update'];
    const updated = await aptGet('own.conf', ...update).catch((error: Error) => error);
    await download('own.conf').catch((error) => Promise.reject(updated instanceof Error ? updated : error));
  });
  for (const file of await readdir(debs)) await run('dpkg-deb', ['-x', join(debs, file), root]);
  await rm(state, { recursive: true });
  const files = await readdir(root, { recursive: true });
  const libraries = files.filter((file) => /\.so(\.\d+)*$/.test(file)).map((file) => dirname(join(root, file)));
  return { executable: join(root, 'usr/bin/redis-server'), libraries: [...new Set(libraries)] };
}

/**
 * `wanted`, and of the libraries these depend on, directly or not, those that the system lacks. Only libraries: what
 * else a Debian package depends on is for its installation. Never the C library, which must match the loader's.
 */
async function neededDebs(wanted: string[], run: Run, aptCache: (...args: string[]) => Promise<string>) {
  const needed = new Set(wanted);
  for (let wave = wanted; wave.length > 0; ) {
    const said = await aptCache('depends', '--important', ...wave);
    const names = [...said.matchAll(/^[ |]*(?:Pre)?Depends: ((?:lib|lua)[^\s:]+)$/gm)].map((match) => match[1] ?? '');
    wave = [];
    for (const name of new Set(names)) {
      if (needed.has(name) || name === 'libc6' || (await isInstalledDeb(name, run))) continue;
      needed.add(name);
      wave.push(name);
    }
  }
  return [...needed];
}

async function isInstalledDeb(name: string, run: Run): Promise<boolean> {
  const said = await run('dpkg-query', ['--status', name]).catch(() => '');
  return /^Status: .* installed$/m.test(said);
}

/** Alpine: into a root directory of its own, which apk allows to any user. Some releases have Valkey only. */
async function fromApk(dir: string, run: Run): Promise<{ executable: string; libraries: string[] }> {
  const how = ['--initdb', '--no-cache', '--no-scripts', ...(process.getuid?.() === 0 ? [] : ['--no-chown'])];
  const from = ['--keys-dir', '/etc/apk/keys', '--repositories-file', '/etc/apk/repositories'];
  const add = async (name: string) => {
    const root = join(dir, name);
    await run('apk', ['add', '--root', root, ...how, ...from, name]);
    return { executable: join(root, `usr/bin/${name}-server`), libraries: [join(root, 'usr/lib'), join(root, 'lib')] };
  };
  return add('redis').catch(() => add('valkey'));
}

async function fromHomebrew(_dir: string, run: Run): Promise<{ executable: string }> {
  await run('brew', ['install', 'redis']);
  return { executable: join((await run('brew', ['--prefix', 'redis'])).trim(), 'bin/redis-server') };
}

/** Fedora, RHEL and their kin, of which the newer have Valkey only, and some of the older too old a Redis only. */
async function fromRpm(tool: string, run: Run): Promise<{ executable: string }> {
  if (process.getuid?.() !== 0) throw new Error('only root can install packages');
  const install = async (name: string) => {
    await run(tool, ['install', '-y', name]);
    return { executable: `/usr/bin/${name}-server` };
  };
  return install('valkey').catch(() => install('redis'));
}
