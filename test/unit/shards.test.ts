// Which shops are looked after together, and when a turn passes.
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SHARDS, shardOf } from '../../workers/shards.ts';
import { takeOver } from '../../workers/take-over.ts';
import { isUnderWay } from '../../workers/turns.ts';

describe('the shard of a shop', () => {
  it('is the same in every process', () => {
    expect(['demo', 'shop-1', 'shop-2', 'shop-3', 'a', ''].map(shardOf)).toEqual([3, 1, 0, 3, 0, 1]);
  });

  it.each([
    ['numbers', (n: number) => `shop-${n}`],
    ['numbers with a fixed end', (n: number) => `${n}.example.com`],
    ['multiples', (n: number) => String(n * 64)],
    ['random ids', () => randomUUID()],
  ])('is one of all; %s are spread over them', (_what, id) => {
    const counts = new Array<number>(SHARDS).fill(0);
    for (let n = 0; n < 8_000; n++) {
      const shard = shardOf(id(n));
      counts[shard] = (counts[shard] ?? Number.NaN) + 1;
    }
    expect(counts).toHaveLength(SHARDS);
    for (const count of counts) expect(Math.abs(count / (8_000 / SHARDS) - 1)).toBeLessThan(0.15);
  });
});

describe('a turn', () => {
  const DUE = 1_800_000_000_000;
  const turn = (job: string, due: number) => `repeat:${job}:${due}`;
  const own = turn('lines.1', DUE);
  const held = takeOver.lockDuration;

  it.each<[string, string[], boolean]>([
    ['nothing else', [], false],
    ['itself', [own], false],
    ['an earlier one', [own, turn('lines.1', DUE - 1_000)], true],
    ['a later one', [turn('lines.1', DUE + 1_000), own], false],
    ['the same job of another shard', [turn('lines.2', DUE - 1_000)], false],
    ['a job whose name begins alike', [turn('lines.11', DUE - 1_000), turn('lines', DUE - 1_000)], false],
    ['one that somebody has had for long', [turn('lines.1', DUE - held)], false],
    ['one of just less', [turn('lines.1', DUE - held + 1)], true],
    ['jobs that are no turns', ['17', 'repeat:lines.1', ''], false],
  ])('beside %s', (_what, active, passes) => {
    expect(isUnderWay(own, active)).toBe(passes);
  });

  it('that is none never passes', () => {
    expect(isUnderWay('17', [turn('lines.1', DUE)])).toBe(false);
  });
});
