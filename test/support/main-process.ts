/** A server node or a worker as `npm run server` and `npm run workers` start it: a process of its own, that can be killed. */
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { type At, targetOf } from './target.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The keys of every installation of the tests. */
export const keys = { secret: 'signs-the-sessions-of-tests', adminKey: 'admin-key-of-the-tests' };

export type MainProcess = Child & {
  /** Where it listens, once it is ready: a worker for its health and metrics. */
  url(): string;
};

type LogLine = { readonly level: number; readonly msg: string; readonly port?: number; readonly metricsPort?: number };
/** pino's number of `error`. */
const ERROR = 50;

function parse(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}

/** Starts one on this Redis, or cluster. `onError` is told each error that it logs. */
export function startMain(
  what: 'server' | 'workers',
  at: At,
  onError: (line: string) => void = () => undefined,
): MainProcess {
  const target = targetOf(at);
  const readyWhen = what === 'server' ? 'listening' : 'working';
  let port = 0;
  const child = startChild(
    [process.execPath, '--import', 'tsx', `${what}/main.ts`],
    (line) => {
      const said = parse(line);
      if (said?.msg !== readyWhen) return false;
      port = said.port ?? said.metricsPort ?? 0;
      return true;
    },
    {
      cwd: ROOT,
      env: {
        // biome-ignore lint/style/noProcessEnv: a child process has the environment of its parent
        ...process.env,
        REDIS_URL: 'url' in target ? target.url : '',
        REDIS_CLUSTER: 'url' in target ? '' : target.cluster.join(','),
        SECRET: keys.secret,
        ADMIN_KEY: keys.adminKey,
        PORT: '0',
        METRICS_PORT: '0',
        LOG_LEVEL: 'info',
      },
      onLine(line) {
        if ((parse(line)?.level ?? 0) >= ERROR) onError(line);
      },
    },
  );
  return { ...child, url: () => (port === 0 ? '' : `http://127.0.0.1:${port}`) };
}
