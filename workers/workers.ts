/** BullMQ runs time: each job of the table at its interval, in whichever process is free. */
import { type ConnectionOptions, Queue, Worker } from 'bullmq';
import type { House, Log } from '../server/services/house.ts';
import { QUEUE_PREFIX } from '../server/services/webhook-delivery.ts';
import { startDeliveries, type WebhookOptions } from './deliveries.ts';
import { jobs } from './jobs.ts';
import { takeOver } from './take-over.ts';

const QUEUE = 'time';

export type WorkersParts = {
  /** One for the queue, one for the workers, which block copies of it; both are the caller's to end, after `close`. */
  readonly connections: readonly [queue: ConnectionOptions, worker: ConnectionOptions];
  readonly house: House;
  readonly log: Log;
  readonly clock?: () => number;
  readonly webhooks?: WebhookOptions;
};

export type Workers = {
  /** Finishes the jobs under way, then ends. */
  close(): Promise<void>;
};

/** Starts working; any number of processes may, beside each other. */
export async function createWorkers(parts: WorkersParts): Promise<Workers> {
  const { connections, house, log, clock = Date.now, webhooks = {} } = parts;
  const onError = (error: Error) => log.warn({ err: error }, 'the queue has trouble with Redis');
  const queue = new Queue(QUEUE, {
    connection: connections[0],
    prefix: QUEUE_PREFIX,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: 1_000 },
  });
  queue.on('error', onError);
  for (const scheduled of await queue.getJobSchedulers()) {
    if (!Object.hasOwn(jobs, scheduled.key)) await queue.removeJobScheduler(scheduled.key);
  }
  for (const [name, { everyMs }] of Object.entries(jobs)) {
    await queue.upsertJobScheduler(name, { every: everyMs }, { name });
  }
  const worker = new Worker(QUEUE, ({ name }) => jobs[name]?.run(house, clock()) ?? Promise.resolve(), {
    connection: connections[1],
    prefix: QUEUE_PREFIX,
    concurrency: Object.keys(jobs).length,
    ...takeOver,
  });
  worker.on('error', onError);
  worker.on('failed', (job, error) => log.error({ job: job?.name, err: error }, 'a job failed'));
  const deliveries = startDeliveries({ connection: connections[1], house, clock, options: webhooks });
  return {
    async close() {
      await Promise.all([worker.close(), deliveries.close()]);
      await queue.close();
    },
  };
}
