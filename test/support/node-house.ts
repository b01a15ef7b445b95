/** A Redis of a test file's own, a house on it, and server nodes that are processes: what can be cut off, ended and killed. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { House, Log } from '../../server/services/house.ts';
import { createTestHouse, type TestHouse, testLog } from './house.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import { type Process, run } from './processes.ts';

/** Signs the tokens of these nodes. */
export const SECRET = 'signs-the-sessions-of-tests';

export type NodeProcess = Process<{ url: string }>;

/** For the tests of a file; `undo` is done after each of them, last first. `beatMs`: between two heartbeats of a node. */
export function useNodeHouse(beatMs: number, log: Log = testLog) {
  let redis: OwnRedis;
  let test: TestHouse;
  const undo: (() => unknown)[] = [];

  beforeAll(async () => {
    redis = await startOwnRedis();
    test = createTestHouse(redis.url, { log });
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
  afterAll(async () => {
    await test?.close();
    await redis?.stop();
  });

  return {
    undo,
    get house(): House {
      return test.house;
    },
    get redisUrl(): string {
      return redis.url;
    },
    /** On this Redis, unless another `url` leads to it; hands its sockets on over `drainMs` when it is told to end. */
    async startNode({ url = redis.url, drainMs = 0 } = {}): Promise<NodeProcess> {
      const node = await run<{ url: string }>('server-node.ts', url, SECRET, String(beatMs), String(drainMs));
      undo.push(() => node.child.exitCode === null && node.child.signalCode === null && node.end('SIGKILL'));
      return node;
    },
  };
}

/** For houses whose errors are expected. */
export const mutedLog: Log = { ...testLog, error() {} };
