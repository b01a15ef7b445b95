/** Looking at the queues of jobs, without working at them. */
import type { ConnectionOptions, Queue } from 'bullmq';
import { openQueue, type QueueName, queueNames } from '../store/queues.ts';
import type { Log } from './house.ts';

export { openQueue, type QueueName, queueNames, queueOptions } from '../store/queues.ts';

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
