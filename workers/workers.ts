/**
 * BullMQ runs time: each job of the table at its interval, in whichever process is free.
 *
 * BullMQ makes the next turn of a job when one begins, and only then: turns do not pile up behind a job that is slow,
 * and a process that is killed in the middle of one takes no later turn along.
 * One that comes while an earlier one is under way anywhere passes (workers/turns.ts).
 */
import { type ConnectionOptions, Worker } from 'bullmq';
import type { House, Log } from '../server/services/house.ts';
import { openQueue, type QueueName, queueOptions } from '../server/services/job-queues.ts';
import { startDeliveries, type WebhookOptions } from './deliveries.ts';
import { jobs as allJobs, type Job } from './jobs.ts';
import { takeOver } from './take-over.ts';
import { isUnderWay } from './turns.ts';

const QUEUE: QueueName = 'time';

/** How often a process looks whether every job still has a next turn, in ms: the operator can remove one on the board. */
const LOOK_MS = 5_000;
/** A next turn this long overdue is lost, in ms: what merely was killed has been taken again by then. */
const LOST_AFTER_MS = 2 * (takeOver.lockDuration + takeOver.stalledInterval);

export type WorkersParts = {
  /** One for the queue, one for the workers, which block copies of it; both are the caller's to end, after `close`. */
  readonly connections: readonly [queue: ConnectionOptions, worker: ConnectionOptions];
  readonly house: House;
  readonly log: Log;
  readonly clock?: () => number;
  /** What is to be done; the table of workers/jobs.ts unless said. */
  readonly jobs?: Readonly<Record<string, Job>>;
  readonly webhooks?: WebhookOptions;
};

export type Workers = {
  /** Finishes the jobs under way, then ends. */
  close(): Promise<void>;
};

/** Starts working; any number of processes may, beside each other. */
export async function createWorkers(parts: WorkersParts): Promise<Workers> {
  const { connections, house, log, clock = Date.now, jobs = allJobs, webhooks = {} } = parts;
  const onError = (error: Error) => log.warn({ err: error }, 'the queue has trouble with Redis');
  const queue = openQueue(QUEUE, connections[0], onError);

  const schedule = (name: string, { everyMs }: Job) => queue.upsertJobScheduler(name, { every: everyMs }, { name });
  for (const { key } of await queue.getJobSchedulers()) {
    if (!Object.hasOwn(jobs, key)) await queue.removeJobScheduler(key);
  }
  for (const [name, job] of Object.entries(jobs)) await schedule(name, job);

  async function mendSchedules(): Promise<void> {
    const next = new Map((await queue.getJobSchedulers()).map((scheduler) => [scheduler.key, scheduler.next ?? 0]));
    for (const [name, job] of Object.entries(jobs)) {
      // BullMQ's turns are told by the system's clock, whatever ours says.
      if ((next.get(name) ?? 0) < Date.now() - LOST_AFTER_MS - job.everyMs) await schedule(name, job);
    }
  }
  const looking = setInterval(() => {
    mendSchedules().catch((error) => log.warn({ err: error }, 'the schedules could not be looked at'));
  }, LOOK_MS);

  /** What this process is doing. A job slower than its interval is not begun again beside itself: the turn passes. */
  const running = new Set<string>();
  async function turn(name: string, id: string): Promise<void> {
    const job = jobs[name];
    if (!job || running.has(name)) return;
    running.add(name);
    try {
      if (isUnderWay(id, await queue.getRanges(['active'], 0, -1))) return;
      await job.run(house, clock());
    } finally {
      running.delete(name);
    }
  }

  const worker = new Worker(QUEUE, ({ name, id = '' }) => turn(name, id), {
    ...queueOptions,
    connection: connections[1],
    // One more than there are jobs, so that a turn that passes never waits for a job that is slow.
    concurrency: Object.keys(jobs).length + 1,
    ...takeOver,
  });
  worker.on('error', onError);
  worker.on('failed', (job, error) => log.error({ job: job?.name, err: error }, 'a job failed'));
  const deliveries = startDeliveries({ connection: connections[1], house, clock, options: webhooks });
  return {
    async close() {
      clearInterval(looking);
      await Promise.all([worker.close(), deliveries.close()]);
      await queue.close();
    },
  };
}
