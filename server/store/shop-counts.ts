/** How shops stand, as numbers: for whoever watches all of them at once. */
import { MAX_PRIORITY, WHOLE_SHOP } from '../../client-sdk/contract/index.ts';
import { keysOfShop, readyKey, shopCountsKey } from './keys.ts';
import { CLASS } from './queue.ts';
import type { Connection } from './script.ts';

export type ShopCounts = {
  /** Conversations that wait for their holder's reply. */
  readonly pending: number;
  /** Open conversations that somebody holds. */
  readonly held: number;
  readonly queue: number;
  readonly pool: number;
  /** Held by the proxy of the night, for the morning. */
  readonly overnight: number;
  /** Agents. */
  readonly online: number;
  readonly onDuty: number;
  /** Of whoever has waited the longest, in ms; 0 where nobody waits. */
  readonly queueWaitMs: number;
  readonly poolWaitMs: number;
};

/** Since when the first of a line, or of a priority within it, has waited, in ms. */
const sinceOf = ([, score]: string[], priority = 0) =>
  score === undefined ? undefined : Number(score) + priority * CLASS;

/** Commands of one shop are of one slot. `now` in ms. */
export async function countShop(redis: Connection, shop: string, now: number): Promise<ShopCounts> {
  const keys = keysOfShop(shop);
  const [pending, open, queue, pool, overnight, online, onDuty] = await Promise.all([
    redis.zcard(keys.waits),
    redis.zcard(keys.held),
    redis.zcard(keys.queue),
    redis.zcard(keys.pool),
    redis.zcard(keys.overnight),
    redis.hget(keys.live, 'online'),
    redis.zcard(readyKey(keys, WHOLE_SHOP)),
  ]);
  // Of each priority the first: one of a higher priority comes before others who have waited longer.
  const priorities = queue > 0 ? Array.from({ length: MAX_PRIORITY + 1 }, (_, priority) => priority) : [];
  const [pooled, ...queued] = await Promise.all([
    pool > 0 ? redis.zrange(keys.pool, 0, '0', 'WITHSCORES').then((first) => sinceOf(first)) : undefined,
    ...priorities.map(async (priority) => {
      const [from, before] = [-priority * CLASS, `(${(1 - priority) * CLASS}`];
      return sinceOf(await redis.zrangebyscore(keys.queue, from, before, 'WITHSCORES', 'LIMIT', 0, 1), priority);
    }),
  ]);
  const waited = (since: number) => Math.max(0, now - since);
  return {
    pending,
    // Those that nobody holds stand there too.
    held: Math.max(0, open - queue - pool),
    queue,
    pool,
    overnight,
    online: Number(online ?? 0),
    onDuty,
    queueWaitMs: waited(Math.min(now, ...queued.filter((since) => since !== undefined))),
    poolWaitMs: waited(pooled ?? now),
  };
}

/** Keeps the counts of all shops, as text, for whoever asks within `forMs`. */
export const keepShopCounts = (redis: Connection, counts: string, forMs: number) =>
  redis.set(shopCountsKey, counts, 'PX', forMs);

/** What is kept, and for how long still, in ms; `undefined` where nothing is. */
export async function keptShopCounts(
  redis: Connection,
): Promise<{ readonly counts: string; readonly forMs: number } | undefined> {
  const [counts, forMs] = await Promise.all([redis.get(shopCountsKey), redis.pttl(shopCountsKey)]);
  return counts === null ? undefined : { counts, forMs };
}
