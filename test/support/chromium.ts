// Where the browser tests get their Chromium: from the PATH, or on Debian as root from its packages. Where there is none
// to be had the tests are skipped, and say why.
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The executable, or why there is none. */
export type FoundChromium =
  | { readonly path: string; readonly missing?: never }
  | { readonly path?: never; readonly missing: string };

/** For a container and a test: no sandbox, and nothing that asks the network of its own accord. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** Where Debian's package puts it. */
const DEBIANS = '/usr/bin/chromium';
const MINUTE = 60_000;

const run = promisify(execFile);

const isExecutable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** The path of the first of the names that is on the PATH. */
async function onPath(): Promise<string | undefined> {
  for (const name of NAMES) {
    const found = await run('which', [name]).catch(() => undefined);
    if (found) return found.stdout.trim();
  }
  return (await isExecutable(DEBIANS)) ? DEBIANS : undefined;
}

async function install(): Promise<void> {
  const aptGet = (...args: string[]) =>
    run('env', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args], { timeout: 10 * MINUTE });
  const chromium = ['install', '-y', '--no-install-recommends', 'chromium'];
  // A fresh container has no list of packages yet, or an old one.
  await aptGet(...chromium).catch(async () => {
    await aptGet('update');
    await aptGet(...chromium);
  });
}

/** Finds Chromium, or obtains it and says so in one line. Never throws. */
export async function findChromium(log: (line: string) => void): Promise<FoundChromium> {
  const found = await onPath();
  if (found) return { path: found };
  const none = `none of ${NAMES.join(', ')} is on the PATH`;
  if (!(await isExecutable('/usr/bin/apt-get'))) return { missing: `${none}, and there is no apt-get to install one` };
  if (process.getuid?.() !== 0) return { missing: `${none}, and only root can install one with apt-get` };
  log('No Chromium is on the PATH: installing it for the browser tests with apt-get install -y chromium.');
  try {
    await install();
  } catch (error) {
    return { missing: `${none}, and apt-get could not install one: ${error instanceof Error ? error.message : error}` };
  }
  return (await isExecutable(DEBIANS))
    ? { path: DEBIANS }
    : { missing: `${none}, not even after apt-get installed chromium` };
}
