/** Seeded luck with the draws that a fuzzer needs. */
import { seeded } from '../../support/draw.ts';

export type Luck = {
  /** True so often: 0 never, 1 always. */
  chance(share: number): boolean;
  /** From `from` to `to`, both included. */
  int(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  /** One of the keys, in proportion to its number. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K;
};

export function luckOf(seed: number): Luck {
  const draw = seeded(seed);
  const luck: Luck = {
    chance: (share) => draw() < share,
    int: (from, to) => from + Math.floor(draw() * (to - from + 1)),
    pick: (from) => from[Math.floor(draw() * from.length)] as (typeof from)[number],
    weighted(weights) {
      const entries = Object.entries(weights) as [keyof typeof weights, number][];
      let left = draw() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of entries) {
        left -= weight;
        if (left < 0) return key;
      }
      return (entries.at(-1) as (typeof entries)[number])[0];
    },
  };
  return luck;
}
