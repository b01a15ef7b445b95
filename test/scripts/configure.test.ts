import { describe, expect, it } from 'vitest';
import { type Agent, defaultSettings, type Group } from '../../client-sdk/contract/index.ts';
import { membershipsOf, rosterEntry } from '../../server/plan/roster.ts';
import { type ConfigChange, configure, readConfig, readSecret, readVersion } from '../../server/store/configure.ts';
import { changePresence } from '../../server/store/presence.ts';
import { StaleConfig } from '../../server/store/script.ts';
import { groupOf } from '../support/config.ts';
import { type AgentSpec, type GroupSpec, newShopId, socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();

type Fields = ConfigChange['fields'];
const agent = (id: string, spec: AgentSpec = {}): [string, Agent] => [
  id,
  {
    id,
    name: id,
    role: spec.role ?? 'agent',
    kind: spec.kind ?? 'human',
    ...(spec.capacity === undefined ? {} : { capacity: spec.capacity }),
  },
];
const group = (id: string, spec: Partial<GroupSpec>): [string, Group] => [id, groupOf(id, spec)];

let commands = 0;

/** Makes a change with the roster that follows from it, of the agents named. */
async function change(stage: Stage, fields: Fields, roster: readonly string[], more: Partial<ConfigChange> = {}) {
  const before = await stage.config();
  const merge = <T>(old: ReadonlyMap<string, T>, now: ReadonlyMap<string, T | undefined> = new Map()) => {
    const merged = new Map<string, T | undefined>([...old, ...now]);
    return new Map([...merged].filter((item): item is [string, T] => item[1] !== undefined));
  };
  const after = {
    ...before,
    settings: fields.settings ?? before.settings,
    agents: merge(before.agents, fields.agents),
    groups: merge(before.groups, fields.groups),
  };
  const memberships = membershipsOf(after);
  return configure(stage.redis, {
    now: NOON,
    shop: stage.shop,
    request: `change-${++commands}`,
    expected: before.version,
    fields,
    roster: roster.map((id) => ({ agent: id, entry: rosterEntry(after, id, memberships) })),
    groups: [...before.groups.keys(), ...after.groups.keys()],
    ...more,
  });
}

async function passes(stage: Stage, name: string) {
  const flat = await stage.redis.zrange(`${(await stage.scope()).keys.base}ready:${name}`, 0, '-1', 'WITHSCORES');
  return Object.fromEntries(flat.flatMap((id, i) => (i % 2 === 0 ? [[id, Number(flat[i + 1])]] : [])));
}

describe('a configuration', () => {
  it('is written whole, and read as it was written', async () => {
    const stage = await stageOf({ agents: {} });
    const shop = newShopId('fresh');
    const fields = {
      name: '店铺',
      settings: { ...defaultSettings, busyThreshold: 7 },
      agents: new Map([agent('A', { capacity: 3 }), agent('R', { kind: 'robot' })]),
      groups: new Map([group('g', { members: { A: 2 }, robot: 'R', binds: { products: ['p'] } })]),
      secrets: { apiKey: 'hash' },
    };
    const answer = await configure(stage.redis, {
      now: NOON,
      shop,
      request: 'opening',
      expected: '0',
      fields,
      roster: [],
      groups: ['g'],
    });
    expect(answer).toEqual({ version: '1', loads: [], presences: [] });
    const { secrets, ...written } = fields;
    expect(await readConfig(stage.redis, shop)).toEqual({ version: '1', ...written });
    expect(await readSecret(stage.redis, shop, 'apiKey')).toBe(secrets.apiKey);
    await stage.redis.del(...['live', 'config', 'secrets', 'events'].map((key) => `fenliu:{${shop}}:${key}`));
    expect([await readConfig(stage.redis, shop), await readVersion(stage.redis, shop)]).toEqual([undefined, null]);
  });

  it('is changed field by field, and each change is a version', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} }, groups: { g: { members: { A: 1 } } } });
    const { version } = await stage.config();
    const next = String(Number(version) + 1);
    const effect = await stage.effect(async () => {
      const fields: Fields = { agents: new Map([agent('A', { capacity: 2 })]), secrets: { 'password:A': 'hash' } };
      expect(await change(stage, fields, ['A'])).toMatchObject({ version: next });
    });
    expect(effect).toEqual({
      live: { version: next, 'A:capacity': '2', changes: expect.stringMatching(new RegExp(`,change-\\d+=${next}$`)) },
      config: { 'agent:A': JSON.stringify({ id: 'A', name: 'A', role: 'agent', kind: 'human', capacity: 2 }) },
      secrets: { 'password:A': 'hash' },
      events: [event('configured', { version: next })],
    });
    const gone = await stage.effect(() => change(stage, { secrets: { 'password:A': '' } }, []));
    expect(gone).toMatchObject({ secrets: null });
  });

  it('lists agents and groups in one order, whatever order they came in', async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `a${(n * 77) % 200}`);
    const stage = await stageOf({ agents: {} });
    await change(stage, { agents: new Map(ids.map((id) => agent(id))) }, ids);
    const read = await readConfig(stage.redis, stage.shop);
    expect([...(read?.agents.keys() ?? [])]).toEqual([...ids].sort());
  });

  it('made of another one is refused, and changes nothing', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    const fields = { settings: { ...defaultSettings, busyThreshold: 1 } };
    for (const expected of ['0', '1', '999']) {
      const refused = () => expect(change(stage, fields, ['A'], { expected })).rejects.toThrow(StaleConfig);
      await stage.unchanged(refused);
    }
  });

  it('sent again is answered as before, and changes nothing, whatever has been changed since', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    const account = { by: { kind: 'owner', id: 'O' }, action: 'agent:removed', target: 'A', changes: '' } as const;
    const { version } = await stage.config();
    const once = { request: 'once', account, expected: version };
    const send = () => change(stage, { agents: new Map([['A', undefined]]) }, ['A'], once);
    const first = await send();
    expect(first.version).toBe(String(Number(version) + 1));
    expect(await stage.unchanged(send)).toEqual(first);
    await change(stage, { name: 'Another' }, []);
    expect(await stage.unchanged(send)).toEqual(first);
  });

  it('remembers the latest commands, and no more than fit in a thousand characters', async () => {
    const stage = await stageOf({ agents: {} });
    const { version } = await stage.config();
    const first = { request: 'first', expected: version };
    await change(stage, { name: 'First' }, [], first);
    for (let n = 0; n < 60; n++) await change(stage, { name: `n${n}` }, [], { request: `request-number-${n}` });
    expect((await stage.live('changes'))?.length).toBe(1_000);
    await expect(change(stage, { name: 'First' }, [], first)).rejects.toThrow(StaleConfig);
    const late = { request: 'request-number-30', expected: '0' };
    expect(await stage.unchanged(() => change(stage, { name: 'late' }, [], late))).toMatchObject({
      version: String(Number(version) + 32),
    });
  });

  it('is an entry of the audit log where it says who made it', async () => {
    const stage = await stageOf({ agents: {} });
    const changes = JSON.stringify([{ path: 'name', before: 'a', after: 'b' }]);
    const account = { by: { kind: 'api-key' }, action: 'settings:changed', target: '', changes } as const;
    const effect = await stage.effect(() => change(stage, { name: 'b' }, [], { account }));
    expect(effect.audit).toEqual([
      { by: 'api-key:', action: 'settings:changed', changes: [{ path: 'name', before: 'a', after: 'b' }] },
    ]);
    expect(await stage.effect(() => change(stage, { name: 'c' }, []))).not.toHaveProperty('audit');
  });

  it('changed by two at once is changed by one', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    const { version } = await stage.config();
    const by = (name: string) => change(stage, { name }, [], { expected: version });
    const results = await Promise.allSettled([by('one'), by('two'), by('three')]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await stage.live('version')).toBe(String(Number(version) + 1));
  });
});

describe('agents', () => {
  it('who are new are offline and in no ready set', async () => {
    const stage = await stageOf({ agents: {} });
    const effect = await stage.effect(() => change(stage, { agents: new Map([agent('A')]) }, ['A']));
    expect(effect).toMatchObject({ live: { 'A:kind': 'agent', 'A:capacity': '', 'A:groups': ',*=1,' } });
    expect(await stage.live('A:presence')).toBeNull();
  });

  it('whose capacity shrinks to what they have leave, and come back when it grows', async () => {
    const stage = await stageOf({ agents: { A: {} }, groups: { g: { members: { A: 3 } } } });
    await stage.be('online', 'A');
    await stage.open('x');
    const full = await stage.effect(() => change(stage, { agents: new Map([agent('A', { capacity: 1 })]) }, ['A']));
    expect(full).toMatchObject({ 'ready:*': null, 'ready:g': null });
    const room = await stage.effect(() => change(stage, { agents: new Map([agent('A', { capacity: 2 })]) }, ['A']));
    expect(room).toMatchObject({ 'ready:*': ['A'], 'ready:g': ['A'] });
    expect(await stage.live('online')).toBe('1');
  });

  it('who are removed are offline, and all they hold is due to be dispatched again', async () => {
    const stage = await stageOf({ agents: { A: {}, 'A.b': {} } });
    await stage.be('online', 'A');
    for (const buyer of ['waits', 'silent']) await stage.open(buyer);
    await stage.say('buyer', 'waits');
    await stage.be('online', 'A.b');
    const fields = { agents: new Map([['A', undefined]]) };
    const effect = await stage.effect(async () => {
      expect(await change(stage, fields, ['A'])).toMatchObject({
        presences: [{ agent: 'A', presence: 'offline', cause: 'supervisor' }],
      });
    });
    expect(effect).toMatchObject({
      live: { 'A:kind': 'gone', 'A:groups': '', 'A:presence': 'offline', 'A:chosen': 'offline', online: '1' },
      config: { 'agent:A': null },
      'ready:*': ['A.b'],
      todo: [
        ['c-silent', NOON],
        ['c-waits', NOON],
      ],
    });
  });

  it('who are removed and come again start offline, whatever they had chosen', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await change(stage, { agents: new Map([['A', undefined]]) }, ['A']);
    const again = await stage.effect(() => change(stage, { agents: new Map([agent('A')]) }, ['A']));
    expect(again).not.toHaveProperty('ready:*');
    expect(await stage.live('online')).toBe('0');
    await stage.be('online', 'A');
    expect(await stage.members('ready:*')).toEqual(['A']);
  });

  it('who become the proxy are on duty no more, and are again after', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    const proxy = (id: string | null) => ({
      settings: { ...defaultSettings, nightShift: { ...defaultSettings.nightShift, proxy: id } },
    });
    const gone = await stage.effect(() => change(stage, proxy('A'), ['A']));
    expect(gone).toMatchObject({ live: { 'A:kind': 'proxy', 'A:groups': '', online: '0' }, 'ready:*': null });
    const back = await stage.effect(() => change(stage, proxy(null), ['A']));
    expect(back).toMatchObject({ live: { 'A:kind': 'agent', online: '1' }, 'ready:*': ['A'] });
  });

  it('whose grace has ended are offline first', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    const gone = { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 20_000 } as const;
    await changePresence(await stage.scope(), gone, NOON);
    const answer = await change(stage, { name: 'Shop' }, [], { now: NOON + 20_000 });
    expect(answer.presences).toEqual([{ agent: 'A', presence: 'offline', cause: 'lost-connection' }]);
  });
});

describe('groups', () => {
  it('that come and go take their members on duty with them', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    const made = { groups: new Map([group('g', { members: { A: 2, B: 5 } })]) };
    expect(await stage.effect(() => change(stage, made, ['A', 'B']))).toMatchObject({ 'ready:g': ['A'] });
    expect(await stage.live('@g:levels')).toBe('2');
    expect(await stage.live('@*:levels')).toBe('2');
    const removed = { groups: new Map([['g', undefined]]) };
    expect(await stage.effect(() => change(stage, removed, ['A', 'B']))).toMatchObject({ 'ready:g': null });
    expect(await stage.live('@g:levels')).toBe('0');
    expect(await stage.live('@*:levels')).toBe('1');
  });

  it('that lose a member let the others keep their places', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} }, groups: { g: { members: { A: 2, B: 5 } } } });
    await stage.be('online', 'A', 'B');
    for (const buyer of ['x', 'y', 'z']) await stage.open(buyer);
    const { A, ...others } = await passes(stage, 'g');
    expect(A).toBeTypeOf('number');
    await change(stage, { groups: new Map([group('g', { members: { B: 5 } })]) }, ['A', 'B']);
    expect(await passes(stage, 'g')).toEqual(others);
    expect(Object.keys(await passes(stage, '*')).sort()).toEqual(['A', 'B']);
  });

  it('that change a level rescale what is left of the stride', async () => {
    const stage = await stageOf({ agents: { A: {} }, groups: { g: { members: { A: 1 } } } });
    await stage.be('online', 'A');
    await stage.open('x');
    const time = Number(await stage.live('@g:time'));
    const left = ((await passes(stage, 'g')).A ?? 0) - time;
    await change(stage, { groups: new Map([group('g', { members: { A: 4 } })]) }, ['A']);
    expect(await passes(stage, 'g')).toEqual({ A: time + left / 4 });
    expect(await stage.live('@g:levels')).toBe('4');
  });
});

describe('the threshold of busyness', () => {
  it('rescales what is left to those whom it makes more busy, or less', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    for (const buyer of ['x', 'y', 'z']) {
      await stage.open(buyer);
      await stage.say('buyer', buyer);
    }
    await stage.be('online', 'B');
    const before = await passes(stage, '*');
    const time = Number(await stage.live('@*:time'));
    const threshold = (busyThreshold: number) => change(stage, { settings: { ...defaultSettings, busyThreshold } }, []);
    await threshold(1);
    expect(await passes(stage, '*')).toEqual({ ...before, A: time + ((before.A ?? 0) - time) * 3 });
    await threshold(3);
    expect(await passes(stage, '*')).toEqual(before);
    expect(await stage.live('threshold')).toBe('3');
  });
});
