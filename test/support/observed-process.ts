/** A process as production runs it, observed from outside: what it logs, what memory it uses, and whether it lives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '../..');

export const observedKeys = { secret: 'signs-the-sessions-of-tests', adminKey: 'admin-key-of-the-tests' };

export type Memory = { readonly rss: number; readonly heapUsed: number; readonly external: number };

export type Observed = {
  /** Everything it has written so far, to standard output and error alike. */
  said(): string;
  /** What it has logged so far, line by line. */
  log(): { readonly level: number; readonly msg?: string; readonly port?: number }[];
  isAlive(): boolean;
  /** After a collection of garbage. In bytes. */
  memory(): Promise<Memory>;
  /** SIGTERM: answers the exit code, `null` if a signal ended it. */
  stop(): Promise<number | null>;
};

/** Runs `server/main.ts` or `workers/main.ts`, and waits until it has logged `ready`. */
export async function observe(
  file: 'server/main.ts' | 'workers/main.ts',
  ready: string,
  env: Readonly<Record<string, string>>,
): Promise<Observed> {
  const args = ['--expose-gc', '--import', 'tsx', '--import', './test/support/memory-report.ts', file];
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: ROOT,
    env: {
      // biome-ignore lint/style/noProcessEnv: a child process has the environment of its parent
      ...process.env,
      REDIS_CLUSTER: '',
      SECRET: observedKeys.secret,
      ADMIN_KEY: observedKeys.adminKey,
      PORT: '0',
      LOG_LEVEL: 'info',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  const ended = once(child, 'exit').then(([code]) => {
    process.removeListener('exit', orphaned);
    return code as number | null;
  });
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => void parts.push(text));
  }
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const observed: Observed = {
    said: () => parts.join(''),
    log: () =>
      observed
        .said()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line)),
    isAlive,
    async memory() {
      const answered = once(child, 'message') as Promise<[Memory]>;
      child.send('memory');
      return (await answered)[0];
    },
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
  await until(() => observed.said().includes(ready) || !isAlive());
  if (!isAlive()) throw new Error(`${file} ended before it was ready: ${observed.said()}`);
  return observed;
}

export type ObservedServer = Observed & { readonly url: string; readonly port: number };

/** One server node, as `npm run server` starts it. */
export async function observeServer(env: Readonly<Record<string, string>>): Promise<ObservedServer> {
  const server = await observe('server/main.ts', '"listening"', env);
  const port = server.log().find(({ msg }) => msg === 'listening')?.port ?? 0;
  return { ...server, port, url: `http://127.0.0.1:${port}` };
}
