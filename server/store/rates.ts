/**
 * Counts of what somebody did within a window of time, in Redis, so that they hold over all nodes together. While Redis is
 * away each node counts for itself.
 */
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { ratePrefix } from './keys.ts';
import type { Connection } from './script.ts';

/** So many in so many seconds, counted from the first. */
export type Allowance = { readonly count: number; readonly seconds: number };

/** What has been counted in the present window, and in how many ms that ends. */
export type Counted = { readonly used: number; readonly endsInMs: number };

export type Rate = {
  readonly allowance: Allowance;
  /** Counts `n` more. */
  add(key: string, n?: number): Promise<Counted>;
  /** `undefined` where nothing has been counted. */
  look(key: string): Promise<Counted | undefined>;
};

/** Whatever belongs to a shop is kept beside it: `{shop}:rest`. */
export const ofShop = (shop: string, rest: string) => `{${shop}}:${rest}`;

/** The counts of the limit `name`. */
export function createRate(redis: Connection, name: string, allowance: Allowance): Rate {
  const base = { keyPrefix: ratePrefix(name), points: allowance.count, duration: allowance.seconds };
  const limiter = new RateLimiterRedis({
    ...base,
    storeClient: redis,
    // Else a count would wait for the reconnect.
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory(base),
  });
  return {
    allowance,
    async add(key, n = 1) {
      const { consumedPoints, msBeforeNext } = await limiter.penalty(key, n);
      return { used: consumedPoints, endsInMs: msBeforeNext };
    },
    async look(key) {
      const found = await limiter.get(key);
      return found ? { used: found.consumedPoints, endsInMs: found.msBeforeNext } : undefined;
    },
  };
}
