/** So much at once and no more, and nobody waits for ever. */
import { describe, expect, it } from 'vitest';
import { createWorkload, type Share } from '../../server/edge/workload.ts';
import { createGate } from '../../server/services/gate.ts';
import { until } from '../support/until.ts';

/** Work that ends when it is told to. */
function pending(): { readonly work: () => Promise<string>; end(): void; fail(): void } {
  let [end, fail] = [() => {}, () => {}];
  const settled = new Promise<string>((resolve, reject) => {
    end = () => resolve('done');
    fail = () => reject(new Error('failed'));
  });
  return { work: () => settled, end, fail };
}

const unavailable = { code: 'unavailable', details: { retryAfterMs: 1_000 } };

describe('the workload of a node', () => {
  it('refuses what is over its bound, and takes on more when something has ended', async () => {
    const workload = createWorkload({ away: () => false, mostUnderWay: 2 });
    const [one, two, three] = [pending(), pending(), pending()];
    const first = workload.carryOut(one.work);
    const second = workload.carryOut(two.work);
    await expect(workload.carryOut(three.work)).rejects.toMatchObject(unavailable);
    expect([workload.underWay(), workload.refused('node-full')]).toEqual([2, 1]);
    one.end();
    expect(await first).toBe('done');
    two.fail();
    await expect(second).rejects.toThrow('failed');
    expect(workload.underWay()).toBe(0);
    three.end();
    expect(await workload.carryOut(three.work)).toBe('done');
  });

  it('bounds each socket by itself', async () => {
    const workload = createWorkload({ away: () => false, mostOfASocket: 1 });
    const [greedy, modest]: Share[] = [{ underWay: 0 }, { underWay: 0 }];
    const [one, two] = [pending(), pending()];
    const first = workload.carryOut(one.work, greedy);
    await expect(workload.carryOut(two.work, greedy)).rejects.toMatchObject(unavailable);
    const other = workload.carryOut(two.work, modest);
    expect([greedy?.underWay, modest?.underWay, workload.refused('socket-full')]).toEqual([1, 1, 1]);
    let idle = 0;
    if (greedy) greedy.onIdle = () => idle++;
    one.end();
    two.end();
    expect([await first, await other, idle]).toEqual(['done', 'done', 1]);
  });

  it('counts out what fails before it has begun', async () => {
    const workload = createWorkload({ away: () => false });
    const share: Share = { underWay: 0 };
    const refusing = (): Promise<never> => {
      throw new Error('not you');
    };
    await expect(workload.carryOut(refusing, share)).rejects.toThrow('not you');
    expect([workload.underWay(), share.underWay]).toEqual([0, 0]);
    await workload.answered();
  });

  it('begins nothing while Redis is away', async () => {
    let away = true;
    const workload = createWorkload({ away: () => away });
    let begun = 0;
    const work = async () => begun++;
    await expect(workload.carryOut(work)).rejects.toMatchObject(unavailable);
    expect([begun, workload.refused('away')]).toEqual([0, 1]);
    away = false;
    await workload.carryOut(work);
    expect(begun).toBe(1);
  });

  it('tells its caller in time that nothing came, and counts the work until it has ended', async () => {
    const workload = createWorkload({ away: () => false, answerMs: 5, mostUnderWay: 1 });
    const one = pending();
    let isLate = () => false;
    const work = (late: () => boolean) => {
      isLate = late;
      return one.work();
    };
    await expect(workload.carryOut(work)).rejects.toMatchObject({ name: 'TooLate' });
    expect([isLate(), workload.underWay()]).toEqual([true, 1]);
    await expect(workload.carryOut(one.work)).rejects.toMatchObject(unavailable);
    one.end();
    await until(() => workload.underWay() === 0);
  });
});

describe('a gate', () => {
  it('lets so many through at once, the others in the order in which they came', async () => {
    const gate = createGate(2);
    const works = [pending(), pending(), pending(), pending()];
    const begun: number[] = [];
    const all = works.map(({ work }, i) =>
      gate(() => {
        begun.push(i);
        return work();
      }),
    );
    await until(() => begun.length === 2);
    works[1]?.fail();
    await expect(all[1]).rejects.toThrow('failed');
    await until(() => begun.length === 3);
    works[0]?.end();
    await until(() => begun.length === 4);
    works[2]?.end();
    works[3]?.end();
    await Promise.all([all[0], all[2], all[3]]);
    expect(begun).toEqual([0, 1, 2, 3]);
  });
});
