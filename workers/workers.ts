/**
 * BullMQ runs time: each job of the table at its interval, in whichever process is free.
 *
 * BullMQ makes the next turn of a job when one begins, and only then: turns do not pile up behind a job that is slow,
 * and a process that is killed in the middle of one takes no later turn along.
 */
import { type ConnectionOptions, Worker } from 'bullmq';
import type { House, Log } from '../server/services/house.ts';
import { openQueue, type QueueName, queueOptions } from '../server/services/queues.ts';
import { jobs as allJobs, type Job } from './jobs.ts';

const QUEUE: QueueName = 'time';

/**
 * What a killed process had taken is taken again after at most the sum, in ms. Short, because a job killed before its
 * next turn was made holds its schedule up for as long; a process too busy to renew its lock in time only makes the job
 * run twice, which is harmless.
 */
const LOCK_MS = 5_000;
const STALLED_MS = 2_000;
/** How often a process looks whether every job still has a next turn, in ms: the operator can remove one on the board. */
const LOOK_MS = 5_000;
/** A next turn this long overdue is lost, in ms: what merely was killed has been taken again by then. */
const LOST_AFTER_MS = 2 * (LOCK_MS + STALLED_MS);

export type WorkersParts = {
  /** One for the queue, one for the worker, which blocks it; both are the caller's to end, after `close`. */
  readonly connections: readonly [queue: ConnectionOptions, worker: ConnectionOptions];
  readonly house: House;
  readonly log: Log;
  readonly clock?: () => number;
  /** What is to be done; the table of workers/jobs.ts unless said. */
  readonly jobs?: Readonly<Record<string, Job>>;
};

export type Workers = {
  /** Finishes the jobs under way, then ends. */
  close(): Promise<void>;
};

/** Starts working; any number of processes may, beside each other. */
export async function createWorkers(parts: WorkersParts): Promise<Workers> {
  const { connections, house, log, clock = Date.now, jobs = allJobs } = parts;
  const queue = openQueue(QUEUE, connections[0], log);

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
  async function turn(name: string): Promise<void> {
    const job = jobs[name];
    if (!job || running.has(name)) return;
    running.add(name);
    try {
      await job.run(house, clock());
    } finally {
      running.delete(name);
    }
  }

  const worker = new Worker(QUEUE, ({ name }) => turn(name), {
    ...queueOptions,
    connection: connections[1],
    // One more than there are jobs, so that a turn that passes never waits for a job that is slow.
    concurrency: Object.keys(jobs).length + 1,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_MS,
  });
  worker.on('error', (error) => log.warn({ err: error }, 'the worker has trouble with Redis'));
  worker.on('failed', (job, error) => log.error({ job: job?.name, err: error }, 'a job failed'));
  return {
    async close() {
      clearInterval(looking);
      await worker.close();
      await queue.close();
    },
  };
}
