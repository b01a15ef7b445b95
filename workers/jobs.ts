/**
 * What time brings about, each in a file of its own, and how often somebody looks. A job holds no state: what is due it
 * reads from the store, and each step checks the state again in its script, so that late, twice and in parallel are
 * harmless.
 *
 * Shops are looked after in shards, each of them with turns of its own: processes share them, and a shop that takes its
 * time delays its shard only.
 */
import type { House } from '../server/services/house.ts';
import { type Turn, untilDone } from '../server/services/turn.ts';
import { sweepContacts } from './contacts.ts';
import { eachShop, shopsIn } from './each-shop.ts';
import { goOnErasing } from './erasing.ts';
import { sweepGhosts } from './ghosts.ts';
import { closeIdleConversations } from './idle.ts';
import { serveLines } from './lines.ts';
import { tellPlaces } from './places.ts';
import { sweepReplies } from './replies.ts';
import { SHARDS } from './shards.ts';
import { relayWebhooks } from './webhooks.ts';

const SECOND = 1_000;

export type Job = {
  readonly everyMs: number;
  /** `now` in ms since the epoch. Throws what could not be done; it is tried again at the next turn. */
  run(house: House, now: number): Promise<void>;
};

/** One turn of a job in one shop. What it leaves is for the next turn. */
export type ShopJob = (house: House, shop: string, now: number) => Promise<Turn>;

/** A job that leaves nothing. */
const whole =
  (job: (house: House, shop: string, now: number) => Promise<void>): ShopJob =>
  async (house, shop, now) => {
    await job(house, shop, now);
    return { more: false };
  };

/** A job of every shop, once a shard: `<name>.0`, `<name>.1` … */
export const ofEachShop = (name: string, job: ShopJob, everyMs = SECOND): Record<string, Job> =>
  Object.fromEntries(
    Array.from({ length: SHARDS }, (_, shard) => [
      `${name}.${shard}`,
      { everyMs, run: (house, now) => eachShop(house, (shop) => job(house, shop, now), shopsIn(house, shard)) },
    ]),
  );

/** Every job of a shop, in the order in which one may make work for the next. */
export const shopJobs = {
  idle: closeIdleConversations,
  replies: whole(sweepReplies),
  lines: serveLines,
  places: whole(tellPlaces),
  contacts: sweepContacts,
  erasing: goOnErasing,
} as const satisfies Record<string, ShopJob>;

/** Every job of a shop, one after another, each until it has left nothing. `now` in ms. */
export async function runShopJobs(house: House, shop: string, now: number): Promise<void> {
  for (const job of Object.values(shopJobs)) await untilDone(() => job(house, shop, now));
}

/** Every job there is, by the name under which the operator sees it. */
export const jobs: Readonly<Record<string, Job>> = {
  ghosts: { everyMs: SECOND, run: sweepGhosts },
  webhooks: { everyMs: SECOND / 4, run: relayWebhooks },
  ...Object.assign({}, ...Object.entries(shopJobs).map(([name, job]) => ofEachShop(name, job))),
};
