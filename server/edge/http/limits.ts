/**
 * Rate limits of the two calls that need no credential, and of guessing the admin key. Counted in Redis, so that they hold over all nodes together;
 * while Redis is away each node counts for itself.
 */
import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Refusal } from '../../../client-sdk/contract/index.ts';
import type { House } from '../../services/house.ts';

/** So many in so many seconds, counted from the first. */
export type Allowance = { readonly count: number; readonly seconds: number };

export type LimitOptions = {
  /** New visitors of one shop from one address. */
  readonly visitors: Allowance;
  /** Wrong passwords for one account from one address. */
  readonly wrongPasswords: Allowance;
  /** Wrong passwords from one address, whatever the account: each costs us a slow hash. */
  readonly wrongPasswordsOfAddress: Allowance;
  /** Wrong admin keys from one address, at the operator's pages. */
  readonly wrongAdminKeys: Allowance;
};

const MINUTE = 60;
export const defaultLimits: LimitOptions = {
  visitors: { count: 60, seconds: MINUTE },
  wrongPasswords: { count: 10, seconds: MINUTE },
  wrongPasswordsOfAddress: { count: 100, seconds: MINUTE },
  wrongAdminKeys: { count: 10, seconds: MINUTE },
};

export type Account = { readonly shop: string; readonly agent: string; readonly address: string };

export type Limits = {
  /** Counts a new visitor. Throws `rate-limited`. */
  visitor(shop: string, address: string): Promise<void>;
  /** Lets somebody try to log in, and counts what ends `unauthorized`. Throws `rate-limited`, and what `attempt` throws. */
  logIn<T>(account: Account, attempt: () => Promise<T>): Promise<T>;
  /** Throws `unauthorized` and counts it unless the admin key is right; `rate-limited` after too many wrong ones. */
  adminKey(address: string, isRight: boolean): Promise<void>;
};

/** In `details` as well, because a page of another origin may not be shown the header. */
const tooMany = (retryAfterMs: number) =>
  new Refusal('rate-limited', undefined, { retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) });

/** Whoever has one IPv6 address has the 2^64 around it: they count as one. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros: string[] = tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::`;
}

export function createLimits(redis: House['redis'], options: Partial<LimitOptions> = {}): Limits {
  const allowed = { ...defaultLimits, ...options };

  function limiter(name: string, { count, seconds }: Allowance) {
    const base = { keyPrefix: `fenliu:rate:${name}`, points: count, duration: seconds };
    return new RateLimiterRedis({
      ...base,
      storeClient: redis,
      // Else a count would wait for the reconnect.
      rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory(base),
    });
  }
  const visitors = limiter('visitors', allowed.visitors);
  const wrong = limiter('passwords', allowed.wrongPasswords);
  const wrongOfAddress = limiter('address', allowed.wrongPasswordsOfAddress);
  const wrongAdmin = limiter('admin', allowed.wrongAdminKeys);

  /** The last attempt under way at each account. */
  const attempts = new Map<string, Promise<unknown>>();

  /** One after another for each key: many guesses sent at once are not all let in before the first has failed. */
  function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (attempts.get(key) ?? Promise.resolve()).then(work);
    const ended = turn
      .catch(() => undefined)
      .then(() => {
        if (attempts.get(key) === ended) attempts.delete(key);
      });
    attempts.set(key, ended);
    return turn;
  }

  async function mustHaveRoom(counter: RateLimiterRedis, key: string): Promise<void> {
    const used = await counter.get(key);
    if (used && used.consumedPoints >= counter.points) throw tooMany(used.msBeforeNext);
  }

  /** Lets an attempt be made where every counter has room, and counts it in all of them if it ends `unauthorized`. */
  async function counted<T>(
    counters: readonly (readonly [counter: RateLimiterRedis, key: string])[],
    attempt: () => Promise<T>,
  ): Promise<T> {
    await Promise.all(counters.map(([counter, key]) => mustHaveRoom(counter, key)));
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Refusal && error.code === 'unauthorized') {
        await Promise.all(counters.map(([counter, key]) => counter.penalty(key)));
      }
      throw error;
    }
  }

  return {
    async visitor(shop, address) {
      try {
        await visitors.consume(`{${shop}}:${addressKey(address)}`);
      } catch (error) {
        throw error instanceof RateLimiterRes ? tooMany(error.msBeforeNext) : error;
      }
    },
    logIn({ shop, agent, address }, attempt) {
      const from = addressKey(address);
      const key = `{${shop}}:${agent}:${from}`;
      return inTurn(key, () =>
        counted(
          [
            [wrong, key],
            [wrongOfAddress, from],
          ],
          attempt,
        ),
      );
    },
    async adminKey(address, isRight) {
      const from = addressKey(address);
      // The right key waits for nobody: a page of the board asks for many files at once.
      if (isRight) return mustHaveRoom(wrongAdmin, from);
      return inTurn(from, () =>
        counted([[wrongAdmin, from]], () =>
          Promise.reject(new Refusal('unauthorized', 'This is not the admin key; it is ADMIN_KEY of the server.')),
        ),
      );
    },
  };
}
