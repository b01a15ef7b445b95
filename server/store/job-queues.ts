/** The queues of jobs: what they are called, where they stand in Redis, and what becomes of a job that has ended. */
import { type ConnectionOptions, type DefaultJobOptions, Queue } from 'bullmq';
import { jobsPrefix } from './keys.ts';
import type { Connection } from './script.ts';

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

/** BullMQ keeps when a delayed job is due, in ms, above so many lower bits. */
const DUE_BITS = 0x1000;

/** When the job that has been due the longest was due, in ms; `undefined` where none waits. */
export async function longestDue(handle: Queue, redis: Connection): Promise<number | undefined> {
  const [[waiting], [, score]] = await Promise.all([
    handle.getJobs(['wait'], 0, 0, true),
    // Turns of repeated jobs wait as delayed ones, also when their time has come and nobody is there to take them.
    redis.zrange(handle.toKey('delayed'), 0, '0', 'WITHSCORES'),
  ]);
  const dues = [
    // A job that is tried again has waited since it failed.
    ...(waiting ? [Math.max(waiting.timestamp + waiting.delay, waiting.processedOn ?? 0)] : []),
    ...(score === undefined ? [] : [Math.floor(Number(score) / DUE_BITS)]),
  ];
  return dues.length === 0 ? undefined : Math.min(...dues);
}
