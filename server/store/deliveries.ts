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
  /** Whether a delivery of this shop is a dead letter. */
  stateOf(shop: string, id: string): Promise<'dead' | 'alive' | 'missing'>;
  /** Tries a dead letter again; one that is not dead any more is left as it is. */
  retry(id: string): Promise<void>;
  /**
   * Removes these deliveries, and those of a shop that ended earlier and are about one of `conversations`. False where one is
   * just being delivered: it is still there, and ends soon.
   */
  forget(shop: string, ids: readonly string[], conversations: ReadonlySet<string>): Promise<boolean>;
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

/** False where a worker is at it. */
async function removeJob(queue: Queue<Delivery>, id: string): Promise<boolean> {
  return (await queue.remove(id)) === 1 || (await queue.getJob(id)) === undefined;
}

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
    async stateOf(shop, id) {
      const job = (await queue().getJob(id)) as Job<Delivery> | undefined;
      if (job?.data.shop !== shop) return 'missing';
      return (await job.isFailed()) ? 'dead' : 'alive';
    },
    async retry(id) {
      const job = (await queue().getJob(id)) as Job<Delivery> | undefined;
      try {
        if (await job?.isFailed()) await job?.retry('failed', { resetAttemptsMade: true });
      } catch (error) {
        // Somebody else has had it tried again.
        if (await job?.isFailed()) throw error;
      }
    },
    async forget(shop, ids, conversations) {
      const named = new Set(ids);
      // Those that ended long ago may be of events that the stream keeps no more. Latest first, and removed only when all
      // have been read: what ends meanwhile shows some twice, and hides none.
      for (const state of ['failed', 'completed'] as const) {
        for (let from = 0; ; from += BATCH) {
          const jobs = (await queue().getJobs(state, from, from + BATCH - 1, false)) as (Job<Delivery> | undefined)[];
          for (const job of jobs) {
            if (job?.id && job.data.shop === shop && conversations.has(job.data.conversation)) named.add(job.id);
          }
          if (jobs.length < BATCH) break;
        }
      }
      const removed: boolean[] = [];
      const all = [...named];
      for (let i = 0; i < all.length; i += BATCH) {
        removed.push(...(await Promise.all(all.slice(i, i + BATCH).map((id) => removeJob(queue(), id)))));
      }
      return removed.every(Boolean);
    },
    async close() {
      await made?.close();
    },
  };
}
