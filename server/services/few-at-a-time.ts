/** Dear work: some of it at once, some that waits for its turn, and what is more is refused at once. */
import { Refusal } from '../../client-sdk/contract/index.ts';

/**
 * Does work as it comes, `atOnce` pieces at a time, while at most `mostWaiting` wait. Throws `unavailable` for what is
 * more: nothing of it was done.
 */
export function fewAtATime(atOnce: number, mostWaiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async (work) => {
    if (free > 0) free -= 1;
    else if (waiting.length >= mostWaiting) throw new Refusal('unavailable');
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
