import { describe, expect, it } from 'vitest';
import { convert } from '../../server/store/conversions.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();
const warmMs = 72 * 3_600_000;
let requests = 0;
const sale = async (stage: Stage, buyer: string, order: string, at = NOON, request = `request-${++requests}`) =>
  convert(await stage.scope(), { buyer, order, warmMs, request }, at);

const sellers = {
  agents: { A: {}, B: {} },
  groups: { g: { members: { A: 1, B: 1 }, mode: 'conversion-first' } },
} as const;

describe('a sale', () => {
  it('counts for the agent of the latest contact, once an order', async () => {
    const stage = await stageOf(sellers);
    await stage.be('online', 'A');
    await stage.open('x');
    const effect = await stage.effect(async () =>
      expect(await sale(stage, 'x', 'o1', NOON, 'once')).toEqual({ kind: 'counted', agent: 'A' }),
    );
    expect(effect).toEqual({
      'buyer:x': { 'order:o1': 'A once' },
      live: { 'A:sold': '1', sold: '1' },
      events: [event('converted', { buyer: 'x', order: 'o1', agent: 'A' })],
    });
    await stage.unchanged(async () => expect(await sale(stage, 'x', 'o1')).toEqual({ kind: 'repeat' }));
    // A command that is sent again is answered as before.
    await stage.unchanged(async () =>
      expect(await sale(stage, 'x', 'o1', NOON, 'once')).toEqual({ kind: 'counted', agent: 'A' }),
    );
  });

  it('counts for nobody where the buyer spoke with nobody, or too long ago', async () => {
    const stage = await stageOf(sellers);
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.unchanged(async () => expect(await sale(stage, 'stranger', 'o1')).toEqual({ kind: 'nobody' }));
    await stage.unchanged(async () =>
      expect(await sale(stage, 'x', 'o1', NOON + warmMs + 1)).toEqual({ kind: 'nobody' }),
    );
    expect(await sale(stage, 'x', 'o1', NOON + warmMs)).toEqual({ kind: 'counted', agent: 'A' });
  });

  it('is refused with an old configuration', async () => {
    const stage = await stageOf(sellers);
    await stage.refusesStale((stale) => convert(stale, { buyer: 'x', order: 'o1', warmMs, request: 'r' }, NOON));
  });
});

/** How many of `count` new buyers A gets. */
async function sharesOfA(stage: Stage, count: number, prefix: string): Promise<number> {
  let own = 0;
  for (let i = 0; i < count; i++) {
    const { conversation } = await stage.open(`${prefix}-${i}`);
    if (conversation.agent === 'A') own++;
  }
  return own;
}

describe('a conversion-first group', () => {
  it('sends more buyers to who sells more', async () => {
    const stage = await stageOf(sellers);
    await stage.be('online', 'A', 'B');
    expect(Math.abs((await sharesOfA(stage, 40, 'before')) - 20)).toBeLessThanOrEqual(1);
    const { conversation } = await stage.open('fan');
    const seller = conversation.agent;
    for (let i = 0; i < 20; i++) await sale(stage, 'fan', `o${i}`);
    // 20 sales of 41 buyers are all of one agent: (20 / (20/41) + 20) / (20 or 21 + 20), about 1.5; the other 20/40.
    const own = await sharesOfA(stage, 40, 'after');
    expect(seller === 'A' ? own : 40 - own).toBeGreaterThan(25);
    expect(seller === 'A' ? own : 40 - own).toBeLessThan(36);
  });

  it('and an efficiency-first group does not', async () => {
    const stage = await stageOf({ ...sellers, groups: { g: { members: { A: 1, B: 1 } } } });
    await stage.be('online', 'A', 'B');
    await stage.open('fan');
    for (let i = 0; i < 20; i++) await sale(stage, 'fan', `o${i}`);
    expect(Math.abs((await sharesOfA(stage, 40, 'after')) - 20)).toBeLessThanOrEqual(1);
  });
});
