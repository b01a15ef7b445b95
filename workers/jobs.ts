/**
 * What time brings about, each in a file of its own, and how often somebody looks. A job holds no state: what is due it
 * reads from the store, and each step checks the state again in its script, so that late, twice and in parallel are
 * harmless.
 */
import type { House } from '../server/services/house.ts';
import { sweepContacts } from './contacts.ts';
import { eachShop } from './each-shop.ts';
import { sweepGhosts } from './ghosts.ts';
import { closeIdleConversations } from './idle.ts';
import { serveLines } from './lines.ts';
import { tellPlaces } from './places.ts';
import { sweepReplies } from './replies.ts';
import { relayWebhooks } from './webhooks.ts';

const SECOND = 1_000;

export type Job = {
  readonly everyMs: number;
  /** `now` in ms since the epoch. Throws what could not be done; it is tried again at the next turn. */
  run(house: House, now: number): Promise<void>;
};

/** A job of one shop. */
export type ShopJob = (house: House, shop: string, now: number) => Promise<unknown>;

const ofEachShop = (job: ShopJob, everyMs = SECOND): Job => ({
  everyMs,
  run: (house, now) => eachShop(house, (shop) => job(house, shop, now)),
});

/** Every job of a shop, in the order in which one may make work for the next. */
export const shopJobs = {
  idle: closeIdleConversations,
  replies: sweepReplies,
  lines: serveLines,
  places: tellPlaces,
  contacts: sweepContacts,
} as const satisfies Record<string, ShopJob>;

/** Every job of a shop once, one after another. `now` in ms. */
export async function runShopJobs(house: House, shop: string, now: number): Promise<void> {
  for (const job of Object.values(shopJobs)) await job(house, shop, now);
}

/** Every job there is, by the name under which the operator sees it. */
export const jobs: Readonly<Record<string, Job>> = {
  ghosts: { everyMs: SECOND, run: sweepGhosts },
  webhooks: { everyMs: SECOND / 4, run: relayWebhooks },
  ...Object.fromEntries(Object.entries(shopJobs).map(([name, job]) => [name, ofEachShop(job)])),
};
