/** A worker as `npm run workers` starts it, which can be killed at any moment, even while it starts. */
import { startMain } from './main-process.ts';

export type WorkerProcess = {
  /** True once it works, until it is killed or has ended. */
  isWorking(): boolean;
  /** Where it answers for its health and metrics, once it works. */
  url(): string;
  /** SIGKILL: it gets to do nothing any more. Resolves when it has ended. */
  kill(): Promise<void>;
  /** SIGTERM: it is asked to end. Answers its exit code, `null` if a signal ended it. */
  stop(): Promise<number | null>;
};

/** Starts one on this Redis. */
export function startWorker(redisUrl: string): WorkerProcess {
  const child = startMain('workers', redisUrl);
  let working = false;
  child.ready.then(
    () => {
      working = true;
    },
    () => undefined,
  );
  const endsWith = (signal: 'SIGKILL' | 'SIGTERM') => {
    working = false;
    return child.end(signal);
  };
  return {
    isWorking: () => working && child.isAlive(),
    url: child.url,
    kill: async () => {
      await endsWith('SIGKILL');
    },
    stop: () => endsWith('SIGTERM'),
  };
}
