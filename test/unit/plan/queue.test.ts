import { describe, expect, it } from 'vitest';
import { type Place, placesToLookAt, waitEstimate, worthTelling } from '../../../server/plan/queue.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

describe('the estimate of a wait', () => {
  it.each<[string, number[], number, number, number | undefined]>([
    ['nobody was served yet', [], 1, 0, undefined],
    ['two are too few to tell', [0, MINUTE], 1, 2 * MINUTE, undefined],
    ['one a minute, next', [0, MINUTE, 2 * MINUTE], 1, 3 * MINUTE, MINUTE],
    ['one a minute, tenth', [0, MINUTE, 2 * MINUTE], 10, 3 * MINUTE, 10 * MINUTE],
    ['a pace that slows down shows before the next is served', [0, 1, 2], 1, 3 * MINUTE, MINUTE],
    ['all at once', [5, 5, 5], 7, 5, SECOND],
    ['up to a whole second', [0, 1_001, 2_002], 1, 3_003, 2 * SECOND],
  ])('%s', (_, served, position, now, etaMs) => {
    expect(waitEstimate(served, position, now)).toBe(etaMs);
  });
});

describe('a place is told again', () => {
  const at = (position: number, etaMs?: number): Place => ({ position, ...(etaMs === undefined ? {} : { etaMs }) });
  it.each<[string, Place | undefined, Place, boolean]>([
    ['for the first time', undefined, at(500), true],
    ['as it is', at(3, MINUTE), at(3, MINUTE), false],
    ['one nearer the head', at(3), at(2), true],
    ['one back, as others came before', at(2), at(3), true],
    ['into the ten at the head', at(11), at(10), true],
    ['one of a hundred', at(100), at(99), false],
    ['ten of a hundred', at(100), at(90), true],
    ['nine of a hundred', at(100), at(91), false],
    ['with an estimate that was not there', at(50), at(50, MINUTE), true],
    ['without the one that was', at(50, MINUTE), at(50), true],
    ['with an estimate a little other', at(50, 10 * MINUTE), at(50, 12 * MINUTE), false],
    ['with quite another', at(50, 10 * MINUTE), at(50, 13 * MINUTE), true],
    ['with another of a few seconds', at(50, 8 * SECOND), at(50, 16 * SECOND), false],
  ])('%s', (_, told, place, expected) => {
    expect(worthTelling(told, place)).toBe(expected);
  });
});

describe('a turn looks at', () => {
  it.each<[string, number, number, readonly (readonly [number, number])[]]>([
    ['nothing where nobody waits', 0, 3, []],
    ['everybody in a short queue', 7, 3, [[1, 7]]],
    ['everybody up to a thousand', 1_000, 9, [[1, 1_000]]],
    [
      'the head, and the rest of a little more',
      1_001,
      4,
      [
        [1, 1_000],
        [1_001, 1_001],
      ],
    ],
    [
      'another page with every turn',
      3_500,
      1,
      [
        [1, 1_000],
        [2_001, 3_000],
      ],
    ],
    [
      'a last page that is short',
      3_500,
      2,
      [
        [1, 1_000],
        [3_001, 3_500],
      ],
    ],
    [
      'the first one again',
      3_500,
      3,
      [
        [1, 1_000],
        [1_001, 2_000],
      ],
    ],
  ])('%s', (_, length, turn, places) => {
    expect(placesToLookAt(length, turn)).toEqual(places);
  });

  it('all places, in as many turns as there are pages', () => {
    const seen = new Set<number>();
    for (let turn = 0; turn < 9; turn++) {
      for (const [from, to] of placesToLookAt(9_999, turn)) for (let n = from; n <= to; n++) seen.add(n);
    }
    expect(seen.size).toBe(9_999);
  });
});
