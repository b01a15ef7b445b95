/** Processes of a test's own: real ones, that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type Process<Said> = {
  readonly child: ChildProcess;
  /** What it said, as JSON, when it was ready. */
  readonly said: Said;
  /** Sends a signal and waits for the end; answers the exit code, null if the signal ended it. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
};

/** Runs a TypeScript file of this folder and waits for its first line. */
export const run = <Said>(file: string, ...args: string[]): Promise<Process<Said>> => runWith([], file, ...args);

/** The same, with flags of node. */
export async function runWith<Said>(flags: readonly string[], file: string, ...args: string[]): Promise<Process<Said>> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const all = [...flags, '--import', 'tsx', path, ...args];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit') as Promise<[number | null]>;
  const first = await Promise.race([once(child.stdout, 'data') as Promise<[Buffer]>, gone.then(() => undefined)]);
  if (!first) throw new Error(`${file} ended before it was ready`);
  child.stdout.resume();
  return {
    child,
    said: JSON.parse(first[0].toString()) as Said,
    async end(signal) {
      child.kill(signal);
      const [code] = await gone;
      return code;
    },
  };
}
