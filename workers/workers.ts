/**
 * BullMQ runs time: each job of the table at its interval, in whichever process is free.
 *
 * BullMQ makes the next turn of a job when one begins, and only then: turns do not pile up behind a job that is slow,
 * and a process that is killed in the middle of one takes no later turn along.
 * One that comes while an earlier one is under way anywhere passes (workers/turns.ts).
 */
import { type ConnectionOptions, Worker } from 'bullmq';
import type { House, Log } from '../server/services/house.ts';
import { countJobs, openQueue, type QueueName, queueOptions } from '../server/services/job-queues.ts';
import { startDeliveries, type WebhookOptions } from './deliveries.ts';
import { jobs as allJobs, type Job } from './jobs.ts';
import { takeOver } from './take-over.ts';
import { isUnderWay } from './turns.ts';

const QUEUE: QueueName = 'time';

/** How often a process looks whether every job still has a next turn, in ms: the operator can remove one on the board. */
const LOOK_MS = 5_000;
/** A next turn this long overdue is lost, in ms: what merely was killed has been taken again by then. */
const LOST_AFTER_MS = 2 * (takeOver.lockDuration + takeOver.stalledInterval);

/** A worker that has taken no turn for so long, in ms, though some are due, does not work. */
const SILENT_MS = 30_000;

export type WorkersParts = {
  /** One for the queue, one for the workers, which block copies of it; both are the caller's to end, after `close`. */
  readonly connections: readonly [queue: ConnectionOptions, worker: ConnectionOptions];
  readonly house: House;
  readonly log: Log;
  readonly clock?: () => number;
  /** What is to be done; the table of workers/jobs.ts unless said. */
  readonly jobs?: Readonly<Record<string, Job>>;
  readonly webhooks?: WebhookOptions;
  /** How long this process may take no turn though some are due, in ms; half a minute unless said. */
  readonly silentMs?: number;
};

export type Workers = {
  /** Throws where turns are due for `silentMs` and this process takes none; what Redis throws as well. */
  mustTakeTurns(): Promise<void>;
  /** Finishes the jobs under way, then ends. */
  close(): Promise<void>;
};

/** Starts working; any number of processes may, beside each other. */
export async function createWorkers(parts: WorkersParts): Promise<Workers> {
  const { connections, house, log, clock = Date.now, jobs = allJobs, webhooks = {}, silentMs = SILENT_MS } = parts;
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
  let lastTurn = performance.now();
  async function turn(name: string, id: string): Promise<void> {
    const job = jobs[name];
    if (!job) return;
    lastTurn = performance.now();
    const ended = house.meter.turn(name);
    if (running.has(name)) return ended('passed');
    running.add(name);
    try {
      if (isUnderWay(id, await queue.getRanges(['active'], 0, -1))) return ended('passed');
      await job.run(house, clock());
      ended('done');
    } catch (error) {
      ended('failed');
      throw error;
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
    async mustTakeTurns() {
      const since = performance.now() - lastTurn;
      if (since < silentMs || (await queue.isPaused())) return;
      // Where nothing is late, others take the turns.
      const { lateSeconds } = await countJobs(queue, house.redis, Date.now());
      if (lateSeconds * 1_000 > silentMs) {
        throw new Error(`no turn was taken for ${Math.round(since / 1_000)} s, though some are due`);
      }
    },
    async close() {
      clearInterval(looking);
      await Promise.all([worker.close(), deliveries.close()]);
      await queue.close();
    },
  };
}
