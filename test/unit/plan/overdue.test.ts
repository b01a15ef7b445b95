import { expect, it } from 'vitest';
import { completes } from '../../../server/plan/overdue.ts';

it.each<[string, number, number, number, number, boolean]>([
  // what, since, every, before, now, completes
  ['before its first period has ended', 0, 100, 50, 99, false],
  ['at exactly its end', 0, 100, 99, 100, true],
  ['looked at once more', 0, 100, 100, 150, false],
  ['its second period', 0, 100, 150, 200, true],
  ['never looked at before', 1_000, 100, 0, 1_100, true],
  ['looked at long after', 0, 100, 40, 950, true],
  ['begun after it was last looked at', 500, 100, 300, 560, false],
  ['begun after it was last looked at, and ended', 500, 100, 300, 600, true],
  ['at the very moment it begins', 500, 100, 300, 500, false],
  ['that never ends', 0, 0, 5, 500, false],
])('what lasts completes a period: %s', (_, since, every, before, now, expected) => {
  expect(completes(since, every, before, now)).toBe(expected);
});

it('each period once, however often somebody looks', () => {
  let completed = 0;
  for (let before = 0, now = 7; now <= 1_000; before = now, now += 7) if (completes(3, 50, before, now)) completed++;
  expect(completed).toBe(19);
});
