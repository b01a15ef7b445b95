/** Whether the estimate told to who waits is an honest one: held against the waits that came about. */
import { describe, expect, it } from 'vitest';
import { waitEstimate } from '../../../server/plan/queue.ts';
import { seeded } from '../../support/draw.ts';

const MINUTE = 60_000;
/** As many as the store keeps. */
const KEPT = 20;

/**
 * A busy hour after another: so many agents, each talk of a length that is drawn, buyers who come a little faster than
 * they can be served until the queue is long, then slower. Answers told / waited of everybody who got an estimate.
 */
function rush(agents: number, draw: () => number): number[] {
  const exponential = (mean: number) => -Math.log(1 - draw()) * mean;
  const mean = 5 * MINUTE;
  const free = Array.from({ length: agents }, () => exponential(mean)).sort((a, b) => a - b);
  const ratios: number[] = [];
  let served: number[] = [];
  const waiting: { readonly came: number; readonly told: number | undefined }[] = [];
  let came = 0;
  for (let n = 0; n < 2_000; n++) {
    const rushing = Math.floor(n / 100) % 2 === 0;
    came += exponential(mean / agents) * (rushing ? 0.8 : 1.3);
    // Places that come free before this buyer comes go to who waits.
    while (waiting.length > 0 && (free[0] ?? 0) <= came) {
      const at = free.shift() ?? 0;
      const first = waiting.shift();
      served = [...served, at].slice(-KEPT);
      if (first?.told !== undefined) ratios.push(first.told / (at - first.came));
      free.push(at + exponential(mean));
      free.sort((a, b) => a - b);
    }
    if (waiting.length === 0 && (free[0] ?? 0) <= came) {
      free.shift();
      free.push(came + exponential(mean));
      free.sort((a, b) => a - b);
    } else {
      if (waiting.length === 0) served = [];
      waiting.push({ came, told: waitEstimate(served, waiting.length + 1, came) });
    }
  }
  return ratios.sort((a, b) => a - b);
}

describe.each([1, 3, 10, 40])('with %i agents', (agents) => {
  const ratios = rush(agents, seeded(agents));
  const at = (part: number) => ratios[Math.floor(ratios.length * part)] ?? 0;

  it('an estimate is neither too long nor too short in the middle', () => {
    expect(ratios.length).toBeGreaterThan(200);
    expect(at(0.5)).toBeGreaterThan(0.85);
    expect(at(0.5)).toBeLessThan(1.15);
  });

  it('most are right within a factor of two', () => {
    const within = ratios.filter((ratio) => ratio > 0.5 && ratio < 2).length;
    expect(within / ratios.length).toBeGreaterThan(0.85);
  });
});
