/** A whole installation: server nodes and workers as processes, behind a balancer, on one Redis. Any of them can be killed. */
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { type MainProcess, startMain } from '../support/main-process.ts';

export type Part = {
  readonly name: string;
  readonly what: 'server' | 'workers';
  /** Of the process that is there now; where a node listens. */
  pid(): number;
  url(): string;
  /** SIGKILL; the balancer learns of it. */
  kill(): Promise<void>;
  /** Resolves when it works, under the same name; a node at another address. */
  start(): Promise<void>;
};

export type Installation = {
  /** Where the balancer is. */
  readonly url: string;
  readonly parts: readonly Part[];
  /** What the processes logged as errors. */
  readonly errors: string[];
  /** Ends all of it. */
  stop(): Promise<void>;
};

function createPart(what: Part['what'], name: string, redisUrl: string, balancer: Balancer, errors: string[]): Part {
  let process: MainProcess | undefined;
  return {
    name,
    what,
    pid: () => process?.pid ?? 0,
    url: () => process?.url() ?? '',
    async kill() {
      const url = process?.url();
      await process?.end('SIGKILL');
      if (url) balancer.remove(url);
    },
    async start() {
      process = startMain(what, redisUrl, (line) => errors.push(`${name}: ${line}`));
      await process.ready;
      if (what === 'server') balancer.add(process.url());
    },
  };
}

/** Starts that many of each and waits until all of them work. */
export async function install(redisUrl: string, nodes: number, workers: number): Promise<Installation> {
  const balancer = await startBalancer();
  const errors: string[] = [];
  const some = (what: Part['what'], count: number) =>
    Array.from({ length: count }, (_, n) => createPart(what, `${what}-${n}`, redisUrl, balancer, errors));
  const parts = [...some('server', nodes), ...some('workers', workers)];
  const stop = async () => {
    await Promise.all(parts.map((part) => part.kill()));
    await balancer.close();
  };
  try {
    await Promise.all(parts.map((part) => part.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: balancer.url, parts, errors, stop };
}
