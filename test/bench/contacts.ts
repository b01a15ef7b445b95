/**
 * A million contacts that fall due over 48 hours, at virtual time: what their entries weigh, and what the sweep of each
 * minute takes. Every contact cools and, two days later, expires.
 */

import type { Shop } from '../../server/services/configs.ts';
import { sweepContacts } from '../../server/services/contacts.ts';
import type { House } from '../../server/services/house.ts';
import { untilDone } from '../../server/services/turn.ts';
import { buyerKey } from '../../server/store/keys.ts';
import { type Operation, pump, quantile } from './rounds.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The first contact, at some noon. */
const FIRST = Date.UTC(2026, 0, 5, 4);
const OVER = 48 * HOUR;
/** Written at once. */
const BATCH = 5_000;
const CEILING_CALLS = 100_000;

export type SweepReport = {
  readonly contacts: number;
  /** What one entry of the due set weighs in Redis, in bytes: the set alone, without the buyers themselves. */
  readonly bytesEach: number;
  readonly totalMegabytes: number;
  /** Sweeps made, one a virtual minute, and what they took, in ms. */
  readonly sweeps: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** Ends of windows a second while sweeping: two a contact. */
  readonly endsPerSecond: number;
  /** Trivial EVALSHA calls a second, 64 in flight, just before. */
  readonly ceilingPerSecond: number;
};

async function seed({ scope }: Shop, house: House, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const pipeline = house.redis.pipeline();
    for (let n = from; n < Math.min(count, from + BATCH); n++) {
      const at = FIRST + Math.floor((n * OVER) / count);
      const buyer = `bench-buyer-${n}`;
      pipeline.hset(buyerKey(scope.keys, buyer), 'contacts', `,agent-1=${at},`);
      pipeline.zadd(scope.keys.hot, at, `${buyer}:agent-1`);
    }
    await pipeline.exec();
  }
}

/** `shop` is one without settings of its own: windows of 24 and 72 hours. */
export async function measureSweep(house: House, shop: Shop, count: number, trivial: Operation): Promise<SweepReport> {
  const { keys } = shop.scope;
  await seed(shop, house, count);
  const bytes = (await house.redis.memory('USAGE', keys.hot, 'SAMPLES', 0)) ?? 0;

  const ceilingPerSecond = await pump(trivial, CEILING_CALLS);
  const took: number[] = [];
  let ends = 0;
  for (const windowMs of [24 * HOUR, 72 * HOUR]) {
    for (let now = FIRST + windowMs; now <= FIRST + windowMs + OVER + MINUTE; now += MINUTE) {
      const begun = performance.now();
      await untilDone(async () => {
        const swept = await sweepContacts(house, shop.scope.shop, now);
        ends += swept.count;
        return swept;
      });
      took.push(performance.now() - begun);
    }
  }
  const left = (await house.redis.zcard(keys.hot)) + (await house.redis.zcard(keys.warm));
  if (left > 0 || ends !== 2 * count) throw new Error(`${left} contacts are left, ${ends} windows ended`);
  return {
    contacts: count,
    bytesEach: bytes / count,
    totalMegabytes: bytes / 1_000_000,
    sweeps: took.length,
    medianMs: quantile(took, 0.5),
    p99Ms: quantile(took, 0.99),
    longestMs: Math.max(...took),
    endsPerSecond: (ends / took.reduce((sum, ms) => sum + ms, 0)) * 1_000,
    ceilingPerSecond,
  };
}

/** As lines of text. */
export function renderSweep(report: SweepReport): string {
  const { contacts, bytesEach, totalMegabytes, sweeps, medianMs, p99Ms, longestMs } = report;
  const { endsPerSecond, ceilingPerSecond } = report;
  const ms = (n: number) => `${n.toFixed(1)} ms`;
  const ends = Math.round(endsPerSecond).toLocaleString('en');
  const ratio = (endsPerSecond / ceilingPerSecond).toFixed(2);
  return [
    `\n${contacts.toLocaleString('en')} contacts that fall due over 48 h, swept each virtual minute`,
    `  memory    ${totalMegabytes.toFixed(0)} MB of due set, ${bytesEach.toFixed(0)} bytes a contact`,
    `  a sweep   ${ms(medianMs)} median, ${ms(p99Ms)} 99th percentile, ${ms(longestMs)} longest, of ${sweeps}`,
    `  ends      ${ends} a second, ${ratio} of trivial EVALSHA calls, 64 in flight`,
  ].join('\n');
}
