/** Looking at the queues of jobs, without working at them. */
import type { Queue } from 'bullmq';
import { longestDue, openQueue, type QueueName, queueNames } from '../store/job-queues.ts';
import type { Connection } from '../store/script.ts';
import type { Log } from './house.ts';

export { openQueue, type QueueName, queueNames, queueOptions } from '../store/job-queues.ts';

export type JobCounts = {
  readonly queue: QueueName;
  /** Jobs that failed and were kept. */
  readonly failed: number;
  /** Jobs that nobody has taken yet, but for those whose time has not come. */
  readonly waiting: number;
  /** How long the one that has been due the longest has not been taken, in seconds; grows where nobody works. */
  readonly lateSeconds: number;
};

/** How one queue stands at `now` (ms). Throws what Redis throws. */
export async function countJobs(handle: Queue, redis: Connection, now: number): Promise<JobCounts> {
  const [{ failed = 0, wait = 0, prioritized = 0 }, due = now] = await Promise.all([
    handle.getJobCounts('failed', 'wait', 'prioritized'),
    longestDue(handle, redis),
  ]);
  return {
    queue: handle.name as QueueName,
    failed,
    waiting: wait + prioritized,
    lateSeconds: Math.max(0, now - due) / 1_000,
  };
}

export type QueueHandles = {
  /** A handle of every queue; opened by the first who asks. */
  all(): readonly Queue[];
  /** How each queue stands at `now` (ms). Throws what Redis throws. */
  count(now: number): Promise<JobCounts[]>;
  close(): Promise<void>;
};

/** Handles for whoever looks at the queues without working at them. `open` makes a connection, `end` ends it. */
export function createQueueHandles(
  open: () => Connection,
  end: (connection: Connection) => void,
  log: Log,
): QueueHandles {
  let opened: { readonly connection: Connection; readonly handles: readonly Queue[] } | undefined;
  const onError = (queue: QueueName) => (error: Error) =>
    log.warn({ queue, err: error }, 'a queue has trouble with Redis');
  function openAll() {
    if (opened) return opened;
    const connection = open();
    opened = { connection, handles: queueNames.map((name) => openQueue(name, connection, onError(name))) };
    return opened;
  }
  return {
    all: () => openAll().handles,
    count(now) {
      const { connection, handles } = openAll();
      return Promise.all(handles.map((handle) => countJobs(handle, connection, now)));
    },
    async close() {
      if (!opened) return;
      const { connection, handles } = opened;
      await Promise.all(handles.map((handle) => handle.close()));
      end(connection);
    },
  };
}
