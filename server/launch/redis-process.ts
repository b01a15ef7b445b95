// A redis-server as a child process that outlasts a Ctrl-C and never outlives us.
//
// Redis runs in a session of its own: a Ctrl-C reaches the whole process group, and Redis shuts down on SIGINT (its own
// handler does, so ignoring the signal before the exec would not help) while the server still has to write down what it
// drains. A child in a session of its own would outlive a parent that is killed, so there is a watcher: a shell that
// waits for the end of a pipe from us, which comes however we end, and then sends Redis SIGTERM. That is a clean
// shutdown, too.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';

export type RedisProcess = {
  readonly process: ChildProcess;
  /** The last that it said, for an error. */
  tail(): string;
};

// $$ is the pid of the outer shell also within the brackets, and stays the pid of the Redis it becomes. A line from us
// lets the watcher go; the end without a line means that we are no more. Chats are private: umask.
const SCRIPT = `umask 077; (read -r _ || kill -TERM $$) <&3 >/dev/null 2>&1 & exec "$1" - 3<&-`;

/** Starts a redis-server with this configuration, one line a setting. */
export function spawnRedis(command: string, configuration: readonly string[]): RedisProcess {
  const child = spawn('sh', ['-c', SCRIPT, 'sh', command], { detached: true, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n').filter((line) => line.trim() !== ''));
      lines.splice(0, lines.length - 20);
    });
  }
  const lifeline = child.stdio[3] as Duplex;
  lifeline.resume(); // nothing comes, but only a stream that is read notices its end
  for (const stream of [lifeline, child.stdin]) stream.on('error', () => undefined); // told by the exit
  child.on('error', (error) => lines.push(error.message));
  child.on('exit', () => lifeline.end('\n'));
  // By standard input, so that the password is neither in the process list nor in another file.
  child.stdin.end([...configuration, ''].join('\n'));
  return { process: child, tail: () => lines.join('\n') };
}

/** A port of 127.0.0.1 that is free now; somebody else may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
