/** A worker as `npm run workers` starts it: a process of its own, that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export type WorkerProcess = {
  /** True once it works, until it is killed or has ended. */
  isWorking(): boolean;
  /** SIGKILL: it gets to do nothing any more. Resolves when it has ended. */
  kill(): Promise<void>;
  /** SIGTERM: it is asked to end. Answers its exit code, `null` if a signal ended it. */
  stop(): Promise<number | null>;
};

/** Starts one on this Redis. The keys are of no use to a worker, but a production process must be given them. */
export function startWorker(redisUrl: string): WorkerProcess {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'workers/main.ts'], {
    cwd: ROOT,
    env: {
      // biome-ignore lint/style/noProcessEnv: a child process has the environment of its parent
      ...process.env,
      REDIS_URL: redisUrl,
      REDIS_CLUSTER: '',
      SECRET: 'signs-the-sessions-of-tests',
      ADMIN_KEY: 'admin-key-of-the-tests',
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Nobody of ours outlives the test, however that ends.
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  const ended = once(child, 'exit').then(([code]) => {
    process.removeListener('exit', orphaned);
    return code as number | null;
  });
  let said = '';
  let state: 'starting' | 'working' | 'ended' = 'starting';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (state !== 'starting') return;
    said += text;
    if (said.includes('"working"')) state = 'working';
  });
  const endsWith = (signal: NodeJS.Signals) => {
    state = 'ended';
    child.kill(signal);
    return ended;
  };
  return {
    isWorking: () => state === 'working' && child.exitCode === null,
    kill: async () => {
      await endsWith('SIGKILL');
    },
    stop: () => endsWith('SIGTERM'),
  };
}
