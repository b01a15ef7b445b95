/**
 * Measures against a ceiling within one run. A machine that does other things as well is slower from one second to the
 * next by more than what is looked for, so both are run in many short rounds, side by side, and only the ratio within
 * each pair counts.
 */

/** One call, as often as it is asked for. */
export type Operation = () => Promise<unknown>;

export type Comparison = {
  /** Calls a second, the median of all rounds. */
  readonly ours: number;
  readonly ceiling: number;
  /** The median of the ratios of all pairs, and the middle half of them. */
  readonly ratio: number;
  readonly from: number;
  readonly to: number;
};

export type Rounds = { readonly pairs: number; readonly ours: number; readonly ceiling: number };

const IN_FLIGHT = 64;

/** Runs `count` calls, 64 in flight; answers how many a second. */
export async function pump(operation: Operation, count: number): Promise<number> {
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await operation();
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (count / (performance.now() - from)) * 1000;
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * part)] ?? 0;
}

/** Runs both side by side, `rounds.ours` and `rounds.ceiling` calls at a time; whoever begins takes turns. */
export async function compare(ours: Operation, ceiling: Operation, rounds: Rounds): Promise<Comparison> {
  await pump(ours, rounds.ours);
  await pump(ceiling, rounds.ceiling);
  const [mine, theirs, ratios]: number[][] = [[], [], []];
  for (let pair = 0; pair < rounds.pairs; pair++) {
    const first = pair % 2 === 0 ? await pump(ours, rounds.ours) : undefined;
    const top = await pump(ceiling, rounds.ceiling);
    const own = first ?? (await pump(ours, rounds.ours));
    mine?.push(own);
    theirs?.push(top);
    ratios?.push(own / top);
  }
  return {
    ours: quantile(mine ?? [], 0.5),
    ceiling: quantile(theirs ?? [], 0.5),
    ratio: quantile(ratios ?? [], 0.5),
    from: quantile(ratios ?? [], 0.25),
    to: quantile(ratios ?? [], 0.75),
  };
}
