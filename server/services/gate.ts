/** Work of which only so much is done at once; the rest waits its turn, in the order in which it came. */
import { Refusal } from '../../client-sdk/contract/index.ts';

export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets `limit` through at once. What waits costs no more than its own closure; where `mostWaiting` do, what comes is
 * refused as `unavailable`, with nothing of it done.
 */
export function createGate(limit: number, mostWaiting = Number.POSITIVE_INFINITY): Gate {
  let inside = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (inside < limit) inside++;
    else if (waiting.length >= mostWaiting) throw new Refusal('unavailable');
    // Whoever leaves passes the place on.
    else await new Promise<void>((turn) => waiting.push(turn));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else inside--;
    }
  };
}
