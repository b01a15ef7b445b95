// Installs what package-lock.json asks for, on a bare Node: no dependencies, and no syntax that an old Node cannot
// even read, because refusing an old Node is this file's first job.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const OLDEST_NODE = 20;

/**
 * Makes node_modules what package-lock.json says, with `npm ci`, if it is not so already. Safe to run in several
 * processes at once: one installs, the others wait for it. Everything it says goes to standard error.
 * @param {string} [root] the directory of package.json
 * @throws {Error} one with a message for a human: Node is too old, or the installation failed
 */
export async function ensureInstalled(root = ROOT) {
  refuseOldNode(process.versions.node);
  if (!whyInstall(root)) return;
  const release = await lock(join(root, '.data'), 'install.lock', () => !whyInstall(root));
  if (!release) return;
  try {
    // Asked again: somebody else may have installed between the first look and the lock.
    const why = whyInstall(root);
    if (why) await npmCi(root, why, release.alsoHeldBy);
  } finally {
    release();
  }
}

/** @param {string} version such as `20.11.1`; throws if it is older than this project needs */
export function refuseOldNode(version) {
  if (Number.parseInt(version, 10) >= OLDEST_NODE) return;
  throw new Error(`Fenliu needs Node ${OLDEST_NODE} or later, and this is Node ${version}. See https://nodejs.org`);
}

/**
 * Why `npm ci` is needed, in a few words, or undefined if it is not. Compares contents, for times say nothing after a
 * checkout. npm writes node_modules/.package-lock.json last, so its absence also tells of an interrupted installation.
 * @param {string} root
 */
export function whyInstall(root) {
  const modules = join(root, 'node_modules');
  if (!existsSync(modules)) return 'node_modules is missing';
  const installed = packagesOf(join(modules, '.package-lock.json'));
  if (!installed) return 'node_modules is incomplete';
  const wanted = packagesOf(join(root, 'package-lock.json')) || {};
  for (const path of Object.keys(wanted)) {
    if (path === '') continue;
    const have = installed[path];
    // npm leaves out optional packages that are for other machines, or that could not be built here.
    if (!have && !wanted[path].optional) return `${path} is missing`;
    if (have && (have.version !== wanted[path].version || have.integrity !== wanted[path].integrity))
      return `${path} is not the version that package-lock.json names`;
  }
  for (const path of Object.keys(installed)) {
    if (!wanted[path]) return `${path} is no longer in package-lock.json`;
    if (!existsSync(join(root, path, 'package.json'))) return `${path} is missing`;
    if (!isFor(installed[path].os, process.platform) || !isFor(installed[path].cpu, process.arch))
      return 'node_modules was installed on another kind of machine';
  }
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** npm's `os` and `cpu` fields: a list of names that are meant, or of `!names` that are not. */
function isFor(list, here) {
  if (!list || list.length === 0) return true;
  return list.includes(here) || (!list.includes(`!${here}`) && list.some((name) => name[0] === '!'));
}

async function npmCi(root, why, alsoHeldBy) {
  console.error(`Installing the dependencies with npm ci, because ${why}.`);
  // Development packages too, whatever NODE_ENV says: the same node_modules serves npm test.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const windows = process.platform === 'win32'; // where npm is a script, which only a shell can start
  const child = spawn('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: windows });
  const pass = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, pass);
  if (child.pid) alsoHeldBy(child.pid);
  const problem = await new Promise((done) => {
    child.on('error', (error) => done(error.code === 'ENOENT' ? 'npm is not on the PATH' : error.message));
    child.on('exit', (code, signal) => {
      done(code !== 0 && `npm ci ended with ${signal || `code ${code}`}; its own message is above`);
    });
  });
  for (const signal of signals) process.removeListener(signal, pass);
  if (!problem) return;
  throw new Error(
    `The dependencies could not be installed: ${problem}. ` +
      `See that the npm registry can be reached and ${root} can be written, then run it again.`,
  );
}

/**
 * Takes a lock: a directory with one file per process that holds it, named by its pid. Waits while one of these lives,
 * and breaks the lock if none does. npm's pid is in it beside ours, for npm may outlive us.
 * Resolves to the function that gives the lock back, or to undefined as soon as `needless()` while waiting.
 */
async function lock(parent, name, needless) {
  const path = join(parent, name);
  const mine = `${path}.${process.pid}`;
  mkdirSync(mine, { recursive: true });
  hold(mine, process.pid);
  for (let told = false; ; ) {
    if (takes(mine, path)) {
      const release = () => rmSync(path, { recursive: true, force: true });
      release.alsoHeldBy = (pid) => hold(path, pid);
      return release;
    }
    const holders = holdersOf(path);
    if (holders.length > 0 && !holders.some((pid) => isAlive(path, pid))) {
      breakLock(path, holders);
      continue;
    }
    if (!told) console.error(`Waiting for another npm ci (if there is none, remove ${path}).`);
    told = true;
    await new Promise((wake) => setTimeout(wake, 200));
    if (needless()) {
      rmSync(mine, { recursive: true, force: true });
      return undefined;
    }
  }
}

/** A directory can be renamed onto another only if that one is empty, hence: only if nobody has the lock. */
function takes(mine, path) {
  try {
    renameSync(mine, path);
    return true;
  } catch (error) {
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
    if (error.code === 'EPERM' && process.platform === 'win32') return false;
    throw error;
  }
}

function breakLock(path, holders) {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    // Somebody else may have broken and taken it since we looked: then it is a good lock, and has to go back.
    if (holdersOf(aside).join() !== holders.join()) renameSync(aside, path);
  } catch {
    // Somebody was quicker: the next look will tell.
  }
  rmSync(aside, { recursive: true, force: true });
}

function hold(path, pid) {
  writeFileSync(join(path, String(pid)), startOf(pid));
}

function holdersOf(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function isAlive(path, pid) {
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  try {
    return readFileSync(join(path, pid), 'utf8') === startOf(pid);
  } catch {
    return true; // the lock has just been given back: look again
  }
}

/** What tells a process from a later one with the same pid: its start time, or '' where there is no /proc. */
function startOf(pid) {
  try {
    const [state, ...rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop().split(' ');
    return state === 'Z' ? 'dead' : rest[18];
  } catch {
    return '';
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  ensureInstalled().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
