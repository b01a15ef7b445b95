/** The plan of one open, made once for all buyers who are alike: in a busy shop most are. */
import type { Entry } from '../../client-sdk/contract/index.ts';
import { type BuyerFacts, chain, type LeavingWhy, leavingQueue } from './chain.ts';
import type { ShopConfig } from './config.ts';
import { encodeSteps } from './encode.ts';
import { isNight } from './night.ts';

/** The steps as the claim takes them. */
export type Plan = string;

/** Plans kept for one configuration; beyond it they are made anew, so that odd entries cannot fill the memory. */
const KEPT = 2_000;
const kept = new WeakMap<ShopConfig, Map<string, Plan>>();

/** `now` in ms since the epoch; `withoutRobots` after a robot has handed over. */
export function planFor(config: ShopConfig, buyer: BuyerFacts, entry: Entry, now: number, withoutRobots = false): Plan {
  const night = config.settings.nightShift.enabled && isNight(config.settings, now);
  const alike = [
    night ? 'n' : 'd',
    withoutRobots ? 'h' : 'r',
    entry.product,
    entry.intent,
    entry.orderState,
    buyer.exclusiveAgent,
    ...buyer.crowds,
  ].join('|');
  let plans = kept.get(config);
  if (!plans || plans.size >= KEPT) {
    plans = new Map();
    kept.set(config, plans);
  }
  let plan = plans.get(alike);
  if (!plan) {
    plan = encodeSteps(chain(config, buyer, entry, now, withoutRobots));
    plans.set(alike, plan);
  }
  return plan;
}

/** For a buyer who leaves the queue without having been served. */
export const planForLeaving = (config: ShopConfig, why: LeavingWhy): Plan => encodeSteps(leavingQueue(config, why));
