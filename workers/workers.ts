/** BullMQ runs time: a repeating sweep over all shops. Jobs hold no state; each step of a sweep checks the store again. */
import { type ConnectionOptions, Queue, Worker } from 'bullmq';
import type { House, Log } from '../server/services/house.ts';
import { sweepShops } from './sweep-shops.ts';

/** Hash-tagged, so that all keys of the queue lie in one slot of a cluster. */
const PREFIX = '{fenliu-jobs}';
const QUEUE = 'time';
/** How often every shop is swept, in ms. */
const SWEEP_EVERY_MS = 1_000;

export type WorkersParts = {
  /** One for the queue, one for the worker, which blocks it; both are the caller's to end, after `close`. */
  readonly connections: readonly [queue: ConnectionOptions, worker: ConnectionOptions];
  readonly house: House;
  readonly log: Log;
  readonly clock?: () => number;
};

export type Workers = {
  /** Finishes the jobs under way, then ends. */
  close(): Promise<void>;
};

/** Starts working; any number of processes may, beside each other. */
export async function createWorkers({ connections, house, log, clock = Date.now }: WorkersParts): Promise<Workers> {
  const onError = (error: Error) => log.warn({ err: error }, 'the queue has trouble with Redis');
  const queue = new Queue(QUEUE, {
    connection: connections[0],
    prefix: PREFIX,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: 1_000 },
  });
  queue.on('error', onError);
  await queue.upsertJobScheduler('sweep-shops', { every: SWEEP_EVERY_MS }, { name: 'sweep-shops' });
  const worker = new Worker(QUEUE, () => sweepShops(house, clock()), { connection: connections[1], prefix: PREFIX });
  worker.on('error', onError);
  worker.on('failed', (job, error) => log.error({ job: job?.name, err: error }, 'a job failed'));
  return {
    async close() {
      await worker.close();
      await queue.close();
    },
  };
}
