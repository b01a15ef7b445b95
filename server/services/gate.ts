/** Work of which only so much is done at once; the rest waits its turn, in the order in which it came. */

export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets `limit` through at once. What waits costs no more than its own closure. */
export function createGate(limit: number): Gate {
  let inside = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (inside < limit) inside++;
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
