/** A short soak, so that the long one is known to run: nothing grows, no counter drifts. */
import { expect, test } from 'vitest';
import { soak } from '../soak/soak.ts';

const HALF_A_MINUTE = 0.5;

test('half a minute of mixed load: nothing grows, no counter drifts', { timeout: 240_000 }, async () => {
  const lines: string[] = [];
  const problems = await soak(HALF_A_MINUTE, (line) => lines.push(line));
  console.log(lines.join('\n'));
  expect(problems.slice(0, 20)).toEqual([]);
});
