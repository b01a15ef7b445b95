/**
 * What this node remembers of buyers: profile and open conversation, so that an open takes one round trip. It may be
 * out of date; the claim refuses what is, and says what holds.
 */
import { LRUCache } from 'lru-cache';
import type { BuyerFacts } from '../plan/chain.ts';

export type KnownBuyer = BuyerFacts & {
  /** Version of the profile, '0' for none. */
  readonly profile: string;
  /** The open conversation, '' for none. */
  readonly conversation: string;
};

export type KnownBuyers = {
  get(shop: string, buyer: string): KnownBuyer;
  set(shop: string, buyer: string, known: KnownBuyer): void;
  /** Who is erased is remembered by nobody. */
  forget(shop: string, buyer: string): void;
  forgetAll(): void;
};

const stranger: KnownBuyer = { profile: '0', crowds: [], conversation: '' };

/** A node that did not hear that a buyer was erased does not remember them for longer, in ms. */
const REMEMBERED_MS = 600_000;

/** Remembers the `size` buyers seen last, for a while; of everybody else it takes that nothing is known. */
export function createKnownBuyers(size = 50_000): KnownBuyers {
  const cache = new LRUCache<string, KnownBuyer>({ max: size, ttl: REMEMBERED_MS });
  return {
    get: (shop, buyer) => cache.get(`${shop}:${buyer}`) ?? stranger,
    set: (shop, buyer, known) => cache.set(`${shop}:${buyer}`, known),
    forget: (shop, buyer) => cache.delete(`${shop}:${buyer}`),
    forgetAll: () => cache.clear(),
  };
}
