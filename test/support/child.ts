/**
 * A child process that does not outlive the test, however that ends: a shell in front of it waits for the end of a pipe
 * from us, which comes even if we are killed, and then kills it. The pid is the child's own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';

// A line lets the watcher go; the end of the pipe without one means that nobody of ours is left.
const SCRIPT = `(read -r _ || kill -KILL $$) <&3 >/dev/null 2>&1 & exec "$@" 3<&-`;

export type Child = {
  readonly pid: number;
  /** Resolves at the line that says that it is ready; rejects with what it said if it ends before. */
  readonly ready: Promise<void>;
  /** True until it has ended. */
  isAlive(): boolean;
  /** Sends a signal and waits for the end; answers the exit code, `null` if a signal ended it. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
};

export type ChildOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What it reads from its standard input. */
  readonly input?: string;
  /** Told each line of its standard output. */
  readonly onLine?: (line: string) => void;
};

/** Starts a command, which is ready when `isReady` accepts a line that it says. */
export function startChild(
  command: readonly string[],
  isReady: (line: string) => boolean,
  { cwd, env, input = '', onLine = () => undefined }: ChildOptions = {},
): Child {
  const child: ChildProcess = spawn('sh', ['-c', SCRIPT, 'sh', ...command], {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  });
  const [stdin, stdout, lifeline] = [child.stdin as Writable, child.stdout as Readable, child.stdio[3] as Duplex];
  for (const stream of [lifeline, stdin]) stream.on('error', () => undefined); // told by the exit
  lifeline.resume();
  stdin.end(input);
  const ended = once(child, 'exit').then(([code]) => {
    lifeline.end('\n');
    return code as number | null;
  });

  const last: string[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    let rest = '';
    stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        onLine(line);
        if (isReady(line)) resolve();
      }
      last.push(...lines);
      last.splice(0, last.length - 20);
    });
    void ended.then((code) => {
      reject(new Error(`${command.join(' ')} ended with ${code} before it was ready. It said:\n${last.join('\n')}`));
    });
  });
  // Who does not wait for it has killed it themselves.
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ready,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}
