/** Sends what is due to webhooks, again and later where it fails, in whichever process is free. */
import { type ConnectionOptions, type Job, Worker } from 'bullmq';
import type { House } from '../server/services/house.ts';
import { type QueueName, queueOptions } from '../server/services/job-queues.ts';
import { bareError } from '../server/services/trouble.ts';
import { type Delivered, type Delivery, deliver } from '../server/services/webhook-delivery.ts';
import { createPost, DeliveryFailed } from '../server/services/webhook-post.ts';
import { takeOver } from './take-over.ts';

const QUEUE: QueueName = 'webhooks';

/** Deliveries under way at once in one process: they spend their time waiting for somebody else's server. */
const AT_ONCE = 50;
/** How often a delivery may be cut short by the death of a worker. */
const DEATHS = 8;

export type WebhookOptions = {
  /** Webhooks may be at addresses of our own network. Not unless said. */
  readonly privateAddresses?: boolean;
  /** Wait after the first failed attempt, in ms; it doubles with each. One second unless said. */
  readonly backoffMs?: number;
};

/**
 * The wait after this many failed attempts, in ms: it doubles each time, and is up to a quarter shorter by `luck` (0 to 1),
 * so that what failed together does not come back together.
 */
export const waitAfter = (attempts: number, baseMs: number, luck: number) =>
  Math.round(baseMs * 2 ** (attempts - 1) * (1 - luck / 4));

/** Whether so many attempts are all that a delivery has. */
const isLast = (attempts: number, { opts }: Job) => attempts >= (opts.attempts ?? 1);

export type DeliveriesParts = {
  readonly connection: ConnectionOptions;
  readonly house: House;
  readonly clock: () => number;
  readonly options: WebhookOptions;
};

export function startDeliveries({ connection, house, clock, options }: DeliveriesParts): Worker<Delivery, Delivered> {
  const { privateAddresses = false, backoffMs = 1_000 } = options;
  const post = createPost({ privateAddresses });
  const factsOf = ({ id, shop, agent, type }: Delivery) => ({ delivery: id, shop, agent, type });

  async function attempt(delivery: Delivery): Promise<Delivered> {
    try {
      return await deliver(house, delivery, { post, clock });
    } catch (error) {
      if (error instanceof DeliveryFailed) throw error;
      house.log.error({ ...factsOf(delivery), err: bareError(error) }, 'a delivery failed on our side');
      // What it says is kept and shown: no error of a library may bring along what somebody wrote.
      throw new DeliveryFailed('something went wrong on our side');
    }
  }

  async function metered(job: Job<Delivery>): Promise<Delivered> {
    const ended = house.meter.delivery();
    try {
      const delivered = await attempt(job.data);
      ended(delivered);
      return delivered;
    } catch (error) {
      ended(isLast(job.attemptsMade + 1, job) ? 'dead-letter' : 'failed');
      throw error;
    }
  }

  const worker = new Worker<Delivery, Delivered>(QUEUE, metered, {
    ...queueOptions,
    connection,
    concurrency: AT_ONCE,
    maxStalledCount: DEATHS,
    ...takeOver,
    settings: { backoffStrategy: (attempts) => waitAfter(attempts, backoffMs, Math.random()) },
  });
  worker.on('error', (error) => house.log.warn({ err: error }, 'the queue has trouble with Redis'));
  worker.on('failed', (job, error) => {
    if (!job) return;
    const dead = isLast(job.attemptsMade, job);
    const facts = { ...factsOf(job.data), attempts: job.attemptsMade, why: error.message };
    house.log.warn(facts, dead ? 'a delivery is a dead letter now' : 'a delivery failed, and is tried again');
  });
  return worker;
}
