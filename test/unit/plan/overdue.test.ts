import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../client-sdk/contract/index.ts';
import { completes, lookedBy, PERIODS, periodsOf, shortestOf, whereDue } from '../../../server/plan/overdue.ts';

const NEVER = Number.NEGATIVE_INFINITY;

it.each<[string, number, number, number, number, boolean]>([
  // what, since, every, before, now, completes
  ['before its first period has ended', 0, 100, 50, 99, false],
  ['at exactly its end', 0, 100, 99, 100, true],
  ['looked at once more', 0, 100, 100, 150, false],
  ['its second period', 0, 100, 150, 200, true],
  ['never looked at before', 1_000, 100, NEVER, 1_100, true],
  ['never looked at before, and too short', 1_000, 100, NEVER, 1_099, false],
  ['looked at long after', 0, 100, 40, 950, true],
  ['begun after it was last looked at', 500, 100, 300, 560, false],
  ['begun after it was last looked at, and ended', 500, 100, 300, 600, true],
  ['at the very moment it begins', 500, 100, 300, 500, false],
  ['that never ends', 0, 0, 5, 500, false],
  ['the last that counts', 0, 100, 9_950, 10_000, true],
  ['past hope', 0, 100, 10_050, 10_100, false],
  ['past hope, and never looked at', 0, 100, NEVER, 99_999, true],
  ['by a clock that was put back', 0, 100, 250, 190, false],
])('what lasts completes a period: %s', (_, since, every, before, now, expected) => {
  expect(completes(since, every, before, now)).toBe(expected);
});

it('each period once, however often somebody looks', () => {
  let completed = 0;
  for (let before = 0, now = 7; now <= 1_000; before = now, now += 7) if (completes(3, 50, before, now)) completed++;
  expect(completed).toBe(19);
});

describe('where what is due began', () => {
  it.each<[string, number, number, number, number, ReturnType<typeof whereDue>]>([
    // what, every, before, now, oldest, ranges
    ['nothing has lasted a period', 100, 990, 1_000, 901, []],
    ['the oldest ends its first', 100, 990, 1_000, 900, [{ after: 890, until: 900 }]],
    [
      'three may have ended, the longest first',
      100,
      990,
      1_000,
      650,
      [
        { after: 690, until: 700 },
        { after: 790, until: 800 },
        { after: 890, until: 900 },
      ],
    ],
    ['nobody has looked for a period', 100, 900, 1_000, 650, [{ after: 600, until: 900 }]],
    ['nobody has ever looked', 100, NEVER, 1_000, 650, [{ after: NEVER, until: 900 }]],
    ['no period', 0, NEVER, 1_000, 650, []],
    ['looked at this very moment', 100, 1_000, 1_000, 650, []],
    ['a clock that was put back', 100, 1_050, 1_000, 650, []],
  ])('%s', (_, every, before, now, oldest, ranges) => {
    expect(whereDue(every, before, now, oldest)).toEqual(ranges);
  });

  it('is no more ranges than the periods that count, however old the oldest is', () => {
    const ranges = whereDue(100, 99_990, 100_000, 0);
    expect(ranges).toHaveLength(PERIODS);
    expect(ranges[0]).toEqual({ after: 99_990 - PERIODS * 100, until: 100_000 - PERIODS * 100 });
  });

  it('has everything that completes a period, and one range each', () => {
    const time = fc.integer({ min: 0, max: 3_000 });
    const before = fc.oneof(time, fc.constant(NEVER));
    fc.assert(
      fc.property(
        time,
        fc.integer({ min: 1, max: 400 }),
        before,
        time,
        fc.nat(200),
        (since, every, seen, now, older) => {
          const found = whereDue(every, seen, now, since - older).filter(
            ({ after, until }) => since > after && since <= until,
          );
          expect(found.length).toBe(completes(since, every, seen, now) ? 1 : 0);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('the periods of a shop', () => {
  const settings = { ...defaultSettings, slowReplyMs: 100, reassignAfterMs: 60 };
  const periods = { slow: 100, hangUp: 0, reassign: 60 };

  it('are 0 where it has no such rule; the shortest is of those it has', () => {
    expect(periodsOf(settings)).toEqual(periods);
    expect(shortestOf(periods)).toBe(60);
    expect(shortestOf({ slow: 0, hangUp: 0, reassign: 0 })).toBeUndefined();
  });

  it('were looked at when somebody went by the same', () => {
    const look = { at: 500, periods: { ...periods, reassign: 90 } };
    expect(lookedBy(look, 'slow', periods)).toBe(500);
    expect(lookedBy(look, 'reassign', periods)).toBe(NEVER);
    expect(lookedBy(undefined, 'slow', periods)).toBe(NEVER);
  });
});
