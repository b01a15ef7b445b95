/** The queues of jobs: what they are called, where they stand in Redis, and what becomes of a job that has ended. */
import { type ConnectionOptions, type DefaultJobOptions, Queue } from 'bullmq';
import { jobsPrefix } from '../store/keys.ts';
import type { Log } from './house.ts';

/** Every queue; the operator's board and the metrics show those listed here. */
export const queues = {
  /** What time brings about: the repeated jobs of workers/jobs.ts. */
  time: { removeOnComplete: true, removeOnFail: { count: 1_000 } },
} as const satisfies Record<string, DefaultJobOptions>;

export type QueueName = keyof typeof queues;
export const queueNames = Object.keys(queues) as QueueName[];

/** What a queue and the workers at it must agree on. */
export const queueOptions = { prefix: jobsPrefix } as const;

/** A handle of a queue. The connection is the caller's to end, after the handle is closed. */
export function openQueue(name: QueueName, connection: ConnectionOptions, log: Log): Queue {
  const queue = new Queue(name, { ...queueOptions, connection, defaultJobOptions: queues[name] });
  queue.on('error', (error) => log.warn({ queue: name, err: error }, 'a queue has trouble with Redis'));
  return queue;
}

/** How many jobs of a queue are in a state. */
export type JobCounts = { readonly queue: QueueName; readonly failed: number; readonly waiting: number };

export type QueueHandles = {
  /** A handle of every queue; opened by the first who asks. */
  all(): readonly Queue[];
  /** Jobs that failed and were kept, and jobs nobody has taken yet. Throws what Redis throws. */
  count(): Promise<JobCounts[]>;
  close(): Promise<void>;
};

/** Handles for whoever looks at the queues without working at them. `open` makes a connection, `end` ends it. */
export function createQueueHandles<C extends ConnectionOptions>(
  open: () => C,
  end: (connection: C) => void,
  log: Log,
): QueueHandles {
  let opened: { readonly connection: C; readonly handles: readonly Queue[] } | undefined;
  const all = () => {
    if (!opened) {
      const connection = open();
      opened = { connection, handles: queueNames.map((name) => openQueue(name, connection, log)) };
    }
    return opened.handles;
  };
  return {
    all,
    count: () =>
      Promise.all(
        all().map(async (handle) => {
          const { failed = 0, wait = 0, prioritized = 0 } = await handle.getJobCounts('failed', 'wait', 'prioritized');
          return { queue: handle.name as QueueName, failed, waiting: wait + prioritized };
        }),
      ),
    async close() {
      if (!opened) return;
      const { connection, handles } = opened;
      await Promise.all(handles.map((handle) => handle.close()));
      end(connection);
    },
  };
}
