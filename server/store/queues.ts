/** The queues of jobs: what they are called, where they stand in Redis, and what becomes of a job that has ended. */
import { type ConnectionOptions, type DefaultJobOptions, Queue } from 'bullmq';
import { jobsPrefix } from './keys.ts';

const HOUR_S = 3_600;

/** Every queue; the operator's board and the metrics show those listed here. */
export const queues = {
  /** What time brings about: the repeated jobs of workers/jobs.ts. */
  time: { removeOnComplete: true, removeOnFail: { count: 1_000 } },
  /** Deliveries to webhooks. */
  webhooks: {
    attempts: 8,
    // The worker knows how long: see workers/deliveries.ts.
    backoff: { type: 'custom' },
    // Finished deliveries are remembered so that the same event again is known; far longer than it takes to come again.
    removeOnComplete: { age: HOUR_S, count: 10_000 },
    removeOnFail: { age: 7 * 24 * HOUR_S, count: 10_000 },
  },
} as const satisfies Record<string, DefaultJobOptions>;

export type QueueName = keyof typeof queues;
export const queueNames = Object.keys(queues) as QueueName[];

/** What a queue and the workers at it must agree on. */
export const queueOptions = { prefix: jobsPrefix } as const;

/** A handle of a queue. The connection is the caller's to end, after the handle is closed. */
export function openQueue<Data>(
  name: QueueName,
  connection: ConnectionOptions,
  onError: (error: Error) => void,
): Queue<Data> {
  const queue = new Queue<Data>(name, { ...queueOptions, connection, defaultJobOptions: queues[name] });
  queue.on('error', onError);
  return queue;
}
