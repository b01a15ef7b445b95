/** The night proxy as it is run: a process of its own, with a rules file and a password in a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export type NightProxyRun = {
  /** Exit code and signal, once it has ended. */
  readonly ended: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  running(): boolean;
  out(): string;
  err(): string;
  /** Whether a line of the log says this. */
  says(text: string): boolean;
  /** Ends it, if it has not ended, and removes its folder. */
  clear(): Promise<void>;
};

/** Starts it with a file of this content; the password is in the file `secret` beside it. */
export async function runNightProxy(content: object, password: string): Promise<NightProxyRun> {
  const folder = await mkdtemp(join(tmpdir(), 'night-proxy-'));
  const file = join(folder, 'rules.json');
  await writeFile(join(folder, 'secret'), `${password}\n`);
  await writeFile(file, JSON.stringify(content));
  const child = spawn(process.execPath, ['--import', 'tsx', 'client-sdk/night-proxy/main.ts', file], { cwd: ROOT });
  // Closed, not only exited: all that it said has come.
  const ended = once(child, 'close');
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  return {
    ended,
    kill: (signal) => child.kill(signal),
    running: () => child.exitCode === null && child.signalCode === null,
    out: () => out,
    err: () => err,
    says: (text) => out.split('\n').some((line) => line.includes(`"msg":"${text}"`)),
    async clear() {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}
