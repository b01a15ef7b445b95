/** Deliveries to webhooks as jobs of BullMQ: added once each, tried until they succeed or are dead letters. */
import type { Job, Queue } from 'bullmq';
import type { DeadLetter, WebhookEventType } from '../../client-sdk/contract/index.ts';
import { openQueue } from './job-queues.ts';
import type { Connection } from './script.ts';

/** What is to be delivered: the parts of an event, never what anybody wrote. The rest is read when it is sent. */
export type Delivery = {
  /** Made of the shop and of the event's place in its stream: the same event is the same delivery. */
  readonly id: string;
  readonly shop: string;
  readonly agent: string;
  readonly type: WebhookEventType;
  readonly conversation: string;
  /** When it happened, in ms since the epoch. */
  readonly at: number;
  /** Of a message. */
  readonly seq?: number;
  /** The last part of the assignment's id, where the event names one. */
  readonly request?: string;
};

/** A page of dead letters; `next` is the offset to go on from. */
export type DeadLetterPage = { readonly deadLetters: DeadLetter[]; readonly next?: number };

export type Deliveries = {
  /** Adds what is not there yet. */
  add(deliveries: readonly Delivery[]): Promise<void>;
  /** Those of one shop, latest first; a page may be short of `limit` and have a `next` all the same. */
  deadLetters(shop: string, offset: number, limit: number): Promise<DeadLetterPage>;
  /** Tries a dead letter again; one that is not dead any more is left as it is. False where the shop has no such delivery. */
  retry(shop: string, id: string): Promise<boolean>;
  /** Lets go of the queue; the connection stays. */
  close(): Promise<void>;
};

/** How many of all shops are read at once while looking for those of one … */
const BATCH = 200;
/** … and how often one call does. */
const BATCHES = 10;

const deadLetterOf = ({ data, attemptsMade, failedReason }: Job<Delivery>): DeadLetter => ({
  id: data.id,
  agent: data.agent,
  type: data.type,
  conversation: data.conversation,
  at: data.at,
  attempts: attemptsMade,
  error: failedReason ?? '',
});

/** The queue is made when it is first needed: most processes never deliver anything. */
export function createDeliveries(redis: Connection, onError: (error: Error) => void): Deliveries {
  let made: Queue<Delivery> | undefined;
  function queue(): Queue<Delivery> {
    made ??= openQueue<Delivery>('webhooks', redis, onError);
    return made;
  }

  return {
    async add(deliveries) {
      if (deliveries.length === 0) return;
      await queue().addBulk(deliveries.map((data) => ({ name: data.type, data, opts: { jobId: data.id } })));
    },
    async deadLetters(shop, offset, limit) {
      const deadLetters: DeadLetter[] = [];
      let from = offset;
      for (let i = 0; i < BATCHES; i++, from += BATCH) {
        const jobs = (await queue().getJobs('failed', from, from + BATCH - 1, false)) as Job<Delivery>[];
        if (jobs.length === 0) return { deadLetters };
        for (const [k, job] of jobs.entries()) {
          if (job.data.shop !== shop) continue;
          deadLetters.push(deadLetterOf(job));
          if (deadLetters.length === limit) return { deadLetters, next: from + k + 1 };
        }
      }
      return { deadLetters, next: from };
    },
    async retry(shop, id) {
      const job = (await queue().getJob(id)) as Job<Delivery> | undefined;
      if (job?.data.shop !== shop) return false;
      try {
        if (await job.isFailed()) await job.retry('failed', { resetAttemptsMade: true });
      } catch (error) {
        // Somebody else has had it tried again.
        if (await job.isFailed()) throw error;
      }
      return true;
    },
    async close() {
      await made?.close();
    },
  };
}
