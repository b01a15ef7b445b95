import { describe, expect, it } from 'vitest';
import type { Entry, Settings } from '../../../client-sdk/contract/index.ts';
import { type BuyerFacts, chain, type LeavingWhy, leavingQueue, type Step } from '../../../server/plan/chain.ts';
import { type ConfigSpec, configOf } from '../../support/config.ts';

const noon = Date.parse('2026-03-02T12:00:00+08:00');
const atNight = Date.parse('2026-03-02T01:00:00+08:00');
const shift = (changes: Partial<Settings['nightShift']> = {}): Partial<Settings> => ({
  nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00', ...changes },
});
const leave = (to: Settings['leaveMessage']['to']): Settings['leaveMessage'] => ({ to, autoAssign: true });

type Asked = { buyer?: BuyerFacts; entry?: Entry; now?: number; withoutRobots?: boolean };

function steps(
  spec: ConfigSpec,
  { buyer = { crowds: [] }, entry = {}, now = noon, withoutRobots }: Asked = {},
): Step[] {
  return chain(configOf(spec), buyer, entry, now, withoutRobots);
}
const step = (name: Step['step'], spec: ConfigSpec, asked?: Asked) =>
  steps(spec, asked).filter((one) => one.step === name);

describe('the chain', () => {
  it('of a shop as it is when opened passes what is not set, and says why', () => {
    expect(steps({ agents: { A: {} } })).toEqual([
      { step: 'hot-contact', withinMs: 24 * 3_600_000 },
      { step: 'night-shift', passed: 'not-enabled' },
      { step: 'nobody-on-duty', leftTo: { outcome: 'pool' } },
      { step: 'warm-contact', withinMs: 72 * 3_600_000 },
      { step: 'exclusive-agent', passed: 'not-enabled' },
      { step: 'shop-robot', passed: 'not-enabled' },
      { step: 'group', by: 'shop', groups: [{ id: '*', robot: null }] },
      { step: 'full', leftTo: { outcome: 'queue', priority: 0 } },
    ]);
  });

  it('of a shop with everything on has every step, in the order of the rules', () => {
    const spec: ConfigSpec = {
      settings: {
        ...shift(),
        exclusiveAgents: true,
        robotFirst: { enabled: true, robot: 'R' },
        leaveMessage: leave('owner'),
        whenFull: 'leave-message',
        contactWindows: { hotMs: 5, warmMs: 7 },
      },
      agents: { O: { role: 'owner' }, P: {}, E: {}, R: { kind: 'robot' }, S: { kind: 'robot' } },
      groups: { g: { members: {}, binds: { products: ['p'] }, robot: 'S' }, h: { members: {} } },
    };
    const asked = { buyer: { crowds: [], exclusiveAgent: 'E' }, entry: { product: 'p' }, now: atNight };
    expect(steps(spec, asked)).toEqual([
      { step: 'hot-contact', withinMs: 5 },
      { step: 'night-shift', proxy: 'P' },
      { step: 'nobody-on-duty', leftTo: { outcome: 'owner', agent: 'O' } },
      { step: 'warm-contact', withinMs: 7 },
      { step: 'exclusive-agent', agent: 'E' },
      { step: 'shop-robot', robot: 'R' },
      { step: 'group', by: 'product', groups: [{ id: 'g', robot: 'S' }] },
      {
        step: 'widened',
        by: 'all',
        groups: [
          { id: 'g', robot: 'S' },
          { id: 'h', robot: null },
        ],
      },
      { step: 'widened', by: 'shop', groups: [{ id: '*', robot: null }] },
      { step: 'full', leftTo: { outcome: 'owner', agent: 'O' } },
    ]);
  });

  it('after a robot has handed over goes without the robots of the shop and of all groups', () => {
    const spec: ConfigSpec = {
      settings: { robotFirst: { enabled: true, robot: 'R' } },
      agents: { R: { kind: 'robot' }, S: { kind: 'robot' } },
      groups: { g: { members: {}, binds: { products: ['p'] }, robot: 'S' }, h: { members: {}, robot: 'R' } },
    };
    const handed = steps(spec, { entry: { product: 'p' }, withoutRobots: true });
    expect(handed).toContainEqual({ step: 'shop-robot', passed: 'after-robot' });
    const groups = handed.flatMap((one) => ('groups' in one ? one.groups : []));
    expect(groups.map(({ id, robot }) => [id, robot])).toEqual([
      ['g', null],
      ['g', null],
      ['h', null],
      ['*', null],
    ]);
    const before = steps(spec, { entry: { product: 'p' } });
    expect(before.map((one) => one.step)).toEqual(handed.map((one) => one.step));
  });
});

describe('the night shift', () => {
  it.each<[string, ConfigSpec, number, object]>([
    ['off', { settings: shift({ enabled: false }), agents: { P: {} } }, atNight, { passed: 'not-enabled' }],
    ['without a proxy', { settings: shift({ proxy: null }), agents: { P: {} } }, atNight, { passed: 'no-proxy' }],
    ['with a proxy who is gone', { settings: shift(), agents: { A: {} } }, atNight, { passed: 'no-proxy' }],
    ['by day', { settings: shift(), agents: { P: {} } }, noon, { passed: 'outside-window' }],
    ['at night', { settings: shift(), agents: { P: {} } }, atNight, { proxy: 'P' }],
    [
      'with a program as proxy',
      { settings: shift(), agents: { P: { kind: 'robot' } } },
      Date.parse('2026-03-02T07:59:59.999+08:00'),
      { proxy: 'P' },
    ],
    [
      'when it ends',
      { settings: shift(), agents: { P: {} } },
      Date.parse('2026-03-02T08:00+08:00'),
      { passed: 'outside-window' },
    ],
  ])('%s', (_, spec, now, expected) => {
    expect(step('night-shift', spec, { now })).toEqual([{ step: 'night-shift', ...expected }]);
  });
});

describe('where a message is left', () => {
  const agents = { O: { role: 'owner' as const }, P: {}, A: {} };
  it.each<[string, ConfigSpec, object]>([
    ['the pool', { settings: { leaveMessage: leave('pool') }, agents }, { outcome: 'pool' }],
    ['the owner', { settings: { leaveMessage: leave('owner') }, agents }, { outcome: 'owner', agent: 'O' }],
    [
      'the pool, without an owner',
      { settings: { leaveMessage: leave('owner') }, agents: { A: {} } },
      { outcome: 'pool' },
    ],
    [
      'the proxy, the night shift being off',
      { settings: { leaveMessage: leave('proxy'), ...shift({ enabled: false }) }, agents },
      { outcome: 'proxy', agent: 'P' },
    ],
    [
      'the pool, without a proxy',
      { settings: { leaveMessage: leave('proxy'), ...shift({ proxy: null }) }, agents },
      { outcome: 'pool' },
    ],
    [
      'the pool, with a proxy who is gone',
      { settings: { leaveMessage: leave('proxy'), ...shift() }, agents: { A: {} } },
      { outcome: 'pool' },
    ],
  ])('%s', (_, spec, leftTo) => {
    expect(step('nobody-on-duty', spec)).toEqual([{ step: 'nobody-on-duty', leftTo }]);
    expect(step('full', spec)).toEqual([{ step: 'full', leftTo: { outcome: 'queue', priority: 0 } }]);
    const whenFull = { ...spec, settings: { ...spec.settings, whenFull: 'leave-message' as const } };
    expect(step('full', whenFull)).toEqual([{ step: 'full', leftTo }]);
  });
});

describe('the exclusive agent', () => {
  const agents = { E: {} };
  it.each<[string, ConfigSpec, BuyerFacts, object]>([
    ['of a shop that has this off', { agents }, { crowds: [], exclusiveAgent: 'E' }, { passed: 'not-enabled' }],
    [
      'of a buyer without one',
      { settings: { exclusiveAgents: true }, agents },
      { crowds: [] },
      { passed: 'no-exclusive-agent' },
    ],
    [
      'who is gone',
      { settings: { exclusiveAgents: true }, agents },
      { crowds: [], exclusiveAgent: 'F' },
      { passed: 'no-exclusive-agent' },
    ],
    [
      'of a buyer',
      { settings: { exclusiveAgents: true }, agents },
      { crowds: [], exclusiveAgent: 'E' },
      { agent: 'E' },
    ],
  ])('%s', (_, spec, buyer, expected) => {
    expect(step('exclusive-agent', spec, { buyer })).toEqual([{ step: 'exclusive-agent', ...expected }]);
  });
});

describe("the shop's robot", () => {
  const agents = { R: { kind: 'robot' as const } };
  it.each<[string, Settings['robotFirst'], boolean, object]>([
    ['off', { enabled: false, robot: 'R' }, false, { passed: 'not-enabled' }],
    ['none', { enabled: true, robot: null }, false, { passed: 'not-enabled' }],
    ['after it handed over', { enabled: true, robot: 'R' }, true, { passed: 'after-robot' }],
    ['off, after another handed over', { enabled: false, robot: null }, true, { passed: 'not-enabled' }],
    ['on', { enabled: true, robot: 'R' }, false, { robot: 'R' }],
  ])('%s', (_, robotFirst, withoutRobots, expected) => {
    const found = step('shop-robot', { settings: { robotFirst }, agents }, { withoutRobots });
    expect(found).toEqual([{ step: 'shop-robot', ...expected }]);
  });
});

describe('the priority in the queue', () => {
  const queue = { priorities: { vip: 3, gold: 5, banned: 0 }, leaveAfterMs: null };
  it.each<[string, readonly string[], number]>([
    ['of nobody in particular', [], 0],
    ['of a crowd that has none', ['newcomer'], 0],
    ['of a crowd', ['newcomer', 'vip'], 3],
    ['is the highest of all crowds', ['vip', 'gold', 'banned'], 5],
    ['of a crowd that is named like what every object has', ['constructor', 'toString'], 0],
  ])('%s', (_, crowds, priority) => {
    expect(step('full', { settings: { queue } }, { buyer: { crowds } })).toEqual([
      { step: 'full', leftTo: { outcome: 'queue', priority } },
    ]);
  });
});

describe('leaving the queue', () => {
  const agents = { O: { role: 'owner' as const } };
  it.each<[LeavingWhy, ConfigSpec, object]>([
    ['left-the-queue', { agents }, { outcome: 'pool' }],
    ['waited-too-long', { settings: { leaveMessage: leave('owner') }, agents }, { outcome: 'owner', agent: 'O' }],
  ])('because of %s leaves the rule for left messages', (why, spec, leftTo) => {
    expect(leavingQueue(configOf(spec), why)).toEqual([{ step: 'full', leftTo, why }]);
  });
});

describe('the groups', () => {
  const named = (spec: ConfigSpec, asked?: Asked) =>
    steps(spec, asked).flatMap((one) =>
      'groups' in one ? [`${one.step} by ${one.by}: ${one.groups.map(({ id }) => id).join(' ')}`] : [],
    );

  it('widen from the narrowest level to the whole shop', () => {
    const groups = {
      g: { members: {}, binds: { crowds: ['vip'], orderStates: ['paid' as const] } },
      h: { members: {}, binds: { crowds: ['vip'] } },
      i: { members: {} },
    };
    const asked = { buyer: { crowds: ['vip'] }, entry: { orderState: 'paid' as const } };
    expect(named({ groups }, asked)).toEqual([
      'group by crowd+order-state: g',
      'widened by crowd: g h',
      'widened by all: g h i',
      'widened by shop: *',
    ]);
    expect(named({ groups })).toEqual(['group by all: g h i', 'widened by shop: *']);
  });

  it('of a shop without any are the shop itself, and nothing is widened', () => {
    expect(named({ agents: { A: {} } }, { entry: { product: 'p' } })).toEqual(['group by shop: *']);
  });
});
