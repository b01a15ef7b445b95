import { expect, it } from 'vitest';
import { createGate } from '../../server/services/gate.ts';

it('does a few at once, lets some wait in turn, and refuses what is more; a failure makes room like a success', async () => {
  const gate = createGate(2, 3);
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const work = (n: number) =>
    gate(
      () =>
        new Promise<number>((resolve, reject) => {
          begun.push(n);
          ends[n] = (error) => (error ? reject(error) : resolve(n));
        }),
    );
  const all = Array.from({ length: 7 }, (_, n) => work(n));
  const settled = Promise.allSettled(all);
  for (const refused of all.slice(5)) await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
  expect(begun).toEqual([0, 1]);
  ends[1]?.(new Error('a fault'));
  await expect(all[1]).rejects.toThrow('a fault');
  expect(begun).toEqual([0, 1, 2]);
  for (const n of [0, 2]) {
    ends[n]?.();
    await all[n];
  }
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  for (const n of [3, 4]) ends[n]?.();
  await settled;
  const last = work(7);
  ends[7]?.();
  expect(await last).toBe(7);
});
