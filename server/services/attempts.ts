/** Guessing passwords and keys: what fails is counted, and after too many nothing is tried any more. */
import { Refusal } from '../../client-sdk/contract/index.ts';
import type { Rate } from '../store/rates.ts';

/** In `details` as well, because a page of another origin may not be shown the header. */
export const tooMany = (retryAfterMs: number) =>
  new Refusal('rate-limited', undefined, { retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) });

/** One after another for each key: many guesses sent at once are not all let in before the first has failed. */
export function createTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  /** The last attempt under way at each key. */
  const attempts = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (attempts.get(key) ?? Promise.resolve()).then(work);
    const ended = turn
      .catch(() => undefined)
      .then(() => {
        if (attempts.get(key) === ended) attempts.delete(key);
      });
    attempts.set(key, ended);
    return turn;
  };
}

/** Throws `rate-limited` where nothing more may be tried. */
export async function mustHaveRoom(rate: Rate, key: string): Promise<void> {
  const counted = await rate.look(key);
  if (counted && counted.used >= rate.allowance.count) throw tooMany(counted.endsInMs);
}

/** Lets an attempt be made where every rate has room, and counts it in all of them if it ends `unauthorized`. */
export async function counted<T>(
  rates: readonly (readonly [rate: Rate, key: string])[],
  attempt: () => Promise<T>,
): Promise<T> {
  await Promise.all(rates.map(([rate, key]) => mustHaveRoom(rate, key)));
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'unauthorized') {
      await Promise.all(rates.map(([rate, key]) => rate.add(key)));
    }
    throw error;
  }
}
