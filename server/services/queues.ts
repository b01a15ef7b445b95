/** Looking at the queues of jobs, without working at them. */
import type { ConnectionOptions, Job, Queue } from 'bullmq';
import { openQueue, type QueueName, queueNames } from '../store/queues.ts';
import type { Log } from './house.ts';

export { openQueue, type QueueName, queueNames, queueOptions } from '../store/queues.ts';

export type JobCounts = {
  readonly queue: QueueName;
  /** Jobs that failed and were kept. */
  readonly failed: number;
  /** Jobs that nobody has taken yet, but for those whose time has not come. */
  readonly waiting: number;
  /** How long the one that has been due the longest has not been taken, in seconds; grows where nobody works. */
  readonly lateSeconds: number;
};

/** When a job was due, in ms. */
const dueAt = ({ timestamp, delay }: Job) => timestamp + delay;

async function countIn(handle: Queue, now: number): Promise<JobCounts> {
  const [counts, next] = await Promise.all([
    handle.getJobCounts('failed', 'wait', 'prioritized'),
    // Turns of repeated jobs wait as delayed ones, also when their time has come and nobody is there to take them.
    Promise.all((['wait', 'delayed'] as const).map((state) => handle.getJobs([state], 0, 0, true))),
  ]);
  const { failed = 0, wait = 0, prioritized = 0 } = counts;
  const late = next.flat().map((job) => now - dueAt(job));
  return {
    queue: handle.name as QueueName,
    failed,
    waiting: wait + prioritized,
    lateSeconds: Math.max(0, ...late) / 1_000,
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
export function createQueueHandles<C extends ConnectionOptions>(
  open: () => C,
  end: (connection: C) => void,
  log: Log,
): QueueHandles {
  let opened: { readonly connection: C; readonly handles: readonly Queue[] } | undefined;
  const onError = (queue: QueueName) => (error: Error) =>
    log.warn({ queue, err: error }, 'a queue has trouble with Redis');
  const all = () => {
    if (!opened) {
      const connection = open();
      opened = { connection, handles: queueNames.map((name) => openQueue(name, connection, onError(name))) };
    }
    return opened.handles;
  };
  return {
    all,
    count: (now) => Promise.all(all().map((handle) => countIn(handle, now))),
    async close() {
      if (!opened) return;
      const { connection, handles } = opened;
      await Promise.all(handles.map((handle) => handle.close()));
      end(connection);
    },
  };
}
