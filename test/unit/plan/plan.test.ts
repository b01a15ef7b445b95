import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../client-sdk/contract/index.ts';
import { type BuyerFacts, chain } from '../../../server/plan/chain.ts';
import { encodeSteps } from '../../../server/plan/encode.ts';
import { planFor } from '../../../server/plan/plan.ts';
import { configOf } from '../../support/config.ts';

const noon = Date.parse('2026-03-02T12:00:00+08:00');
const atNight = Date.parse('2026-03-02T01:00:00+08:00');

const config = configOf({
  settings: {
    nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' },
    exclusiveAgents: true,
    robotFirst: { enabled: true, robot: 'R' },
  },
  agents: { A: {}, B: {}, P: {}, R: { kind: 'robot' } },
  groups: {
    crowd: { members: { A: 1 }, binds: { crowds: ['x'] }, robot: 'R' },
    product: { members: { A: 1 }, binds: { products: ['x'] } },
    intent: { members: { A: 1 }, binds: { intents: ['x'] } },
    order: { members: { A: 1 }, binds: { orderStates: ['paid'] } },
  },
});

describe('the plan that is kept', () => {
  // Whatever makes a plan different, in every combination: two that share what is kept would show.
  const buyers: BuyerFacts[] = [
    { crowds: [] },
    { crowds: ['x'] },
    { crowds: ['y', 'x'] },
    { crowds: [], exclusiveAgent: 'A' },
    { crowds: [], exclusiveAgent: 'B' },
    { crowds: ['A'] },
  ];
  const entries: Entry[] = [
    {},
    { product: 'x' },
    { intent: 'x' },
    { orderState: 'paid' },
    { product: 'y', intent: 'x' },
    { product: 'x', intent: 'y', orderState: 'none' },
  ];
  const all = buyers.flatMap((buyer) =>
    entries.flatMap((entry) =>
      [noon, atNight].flatMap((now) => [true, false].map((withoutRobots) => ({ buyer, entry, now, withoutRobots }))),
    ),
  );

  it('is for everyone the plan made for them alone', () => {
    const kept = all.map(({ buyer, entry, now, withoutRobots }) => planFor(config, buyer, entry, now, withoutRobots));
    const made = all.map(({ buyer, entry, now, withoutRobots }) =>
      encodeSteps(chain(config, buyer, entry, now, withoutRobots)),
    );
    expect(kept).toEqual(made);
    const again = all.map(({ buyer, entry, now, withoutRobots }) => planFor(config, buyer, entry, now, withoutRobots));
    expect(again).toEqual(made);
  });

  it('is not that of another configuration', () => {
    const other = configOf({ agents: { A: {} } });
    expect(planFor(config, { crowds: [] }, {}, noon)).not.toBe(planFor(other, { crowds: [] }, {}, noon));
    expect(planFor(other, { crowds: [] }, {}, noon)).toBe(encodeSteps(chain(other, { crowds: [] }, {}, noon)));
  });

  it('stays right when there are more kinds of buyers than are kept', () => {
    const plans = Array.from({ length: 2_500 }, (_, n) => planFor(config, { crowds: [`c${n}`] }, {}, noon));
    expect(new Set(plans).size).toBe(1);
    expect(planFor(config, { crowds: ['x'] }, {}, noon)).not.toBe(plans[0]);
  });
});
