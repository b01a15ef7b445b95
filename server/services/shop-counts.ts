/**
 * How all shops stand together, for whoever watches. Every node is asked for it every few seconds, and counting takes a
 * handful of commands a shop: so one node counts, and the others read what it has kept in Redis. They all say the same.
 */
import { listShops } from '../store/configure.ts';
import { countShop, keepShopCounts, keptShopCounts, type ShopCounts } from '../store/shop-counts.ts';
import { atOnce } from './at-once.ts';
import type { House } from './house.ts';

export type { ShopCounts } from '../store/shop-counts.ts';

/** Of all shops: the sums, and of the waits the longest. */
export type AllShops = ShopCounts & { readonly shops: number };

/** How long nobody counts again, in ms. */
const FRESH_MS = 10_000;
/** How long a count is of use to who cannot wait for the next, in ms. */
const KEPT_MS = 60_000;
/** A count that takes longer, in ms, is not waited for: what was counted before is answered meanwhile. */
const SLOW_MS = 1_000;
/** Shops counted at once. */
const BATCH = 16;

type Kept = { readonly all: AllShops; readonly tookMs: number };

function together(a: AllShops, b: ShopCounts): AllShops {
  return {
    shops: a.shops + 1,
    pending: a.pending + b.pending,
    held: a.held + b.held,
    queue: a.queue + b.queue,
    pool: a.pool + b.pool,
    overnight: a.overnight + b.overnight,
    online: a.online + b.online,
    onDuty: a.onDuty + b.onDuty,
    queueWaitMs: Math.max(a.queueWaitMs, b.queueWaitMs),
    poolWaitMs: Math.max(a.poolWaitMs, b.poolWaitMs),
  };
}

const none: AllShops = {
  shops: 0,
  pending: 0,
  held: 0,
  queue: 0,
  pool: 0,
  overnight: 0,
  online: 0,
  onDuty: 0,
  queueWaitMs: 0,
  poolWaitMs: 0,
};

/** What a node of another version has kept may be of another shape; it is then counted again. */
function readKept(text: string): Kept | undefined {
  const { all, tookMs } = JSON.parse(text) as { all?: Record<string, unknown>; tookMs?: unknown };
  const whole = all !== undefined && Object.keys(none).every((name) => typeof all[name] === 'number');
  return whole && typeof tookMs === 'number' ? { all: all as unknown as AllShops, tookMs } : undefined;
}

/** Answers a function that answers how all shops stand, at most some seconds old; it throws what Redis throws. */
export function createShopCounts({ redis }: Pick<House, 'redis'>, clock: () => number): () => Promise<AllShops> {
  let counting: Promise<AllShops> | undefined;

  async function count(): Promise<AllShops> {
    const begun = clock();
    let all = none;
    const failures = await atOnce(BATCH, await listShops(redis), async (shop) => {
      const counts = await countShop(redis, shop, begun);
      all = together(all, counts);
    });
    if (failures.length > 0) throw failures[0];
    const kept: Kept = { all, tookMs: clock() - begun };
    await keepShopCounts(redis, JSON.stringify(kept), KEPT_MS);
    return all;
  }
  function countOnce(): Promise<AllShops> {
    counting ??= count().finally(() => {
      counting = undefined;
    });
    return counting;
  }

  return async () => {
    const found = await keptShopCounts(redis);
    const kept = found && readKept(found.counts);
    if (!kept) return countOnce();
    if (found.forMs > KEPT_MS - FRESH_MS) return kept.all;
    const counted = countOnce();
    if (kept.tookMs <= SLOW_MS) return counted;
    // Its failure is that of the next who asks.
    counted.catch(() => undefined);
    return kept.all;
  };
}
