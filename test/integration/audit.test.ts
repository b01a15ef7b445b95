// The audit log: every call that changes something is in it, with who made it; and what it never says.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type AuditAction,
  type AuditEntry,
  type By,
  type CallerKind,
  type Route,
  type RouteName,
  routes,
} from '../../client-sdk/contract/index.ts';
import { choosePresence } from '../../server/services/attendance.ts';
import { deleteAgent, patchSettings, putAgent, putGroup } from '../../server/services/shops.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import {
  AGENT,
  callExample,
  examples,
  keys,
  NOW,
  PASSWORD,
  type RestServer,
  type SeededShop,
  SUPERVISOR,
  seedShop,
  startRest,
} from '../support/rest.ts';

let home: TestHouse;
let rest: RestServer;
beforeAll(async () => {
  home = createTestHouse(inject('redisUrl'));
  rest = await startRest(home.house);
});
afterAll(async () => {
  await rest.close();
  await home.close();
});

const changing = (Object.keys(routes) as RouteName[]).filter((name) => routes[name].method !== 'get');
const auditedBy = (name: RouteName): readonly AuditAction[] => {
  const { audited }: Route = routes[name];
  return audited && !('not' in audited) ? audited : [];
};

describe('every call that is no GET', () => {
  test.each(changing)('%s is in the audit log, or says why not', (name) => {
    const { audited }: Route = routes[name];
    if (audited && 'not' in audited) expect(audited.not.length).toBeGreaterThan(20);
    else expect(audited?.length).toBeGreaterThan(0);
  });
});

type Caller = { readonly kind: CallerKind; readonly by: By; credential(shop: SeededShop): string };
const callers: Caller[] = [
  { kind: 'admin', by: { kind: 'admin' }, credential: () => keys.adminKey },
  { kind: 'api-key', by: { kind: 'api-key' }, credential: (shop) => shop.apiKey },
  { kind: 'owner', by: { kind: 'owner', id: 'owner' }, credential: (shop) => shop.sessions.owner },
  { kind: 'supervisor', by: { kind: 'supervisor', id: SUPERVISOR }, credential: (shop) => shop.sessions.supervisor },
];

async function logOf(shop: string, query = ''): Promise<AuditEntry[]> {
  const { body } = await rest.call('get', `/shops/${shop}/audit?limit=200${query}`, { as: keys.adminKey });
  return body.entries;
}

/** What is made so that the example changes something. */
const before: Partial<Record<RouteName, (shop: string) => Promise<unknown>>> = {
  setPresence: (shop) => choosePresence(home.house, shop, AGENT, 'hung-up', 'chose', NOW),
  putAgent: (shop) => deleteAgent(home.house, shop, 'new', NOW).catch(() => undefined),
};

/** Of a dead letter the test of webhooks has a real one. */
const withExample = changing.filter((name) => name !== 'retryDeadLetter');

describe.each(callers)('$kind', ({ kind, by, credential }) => {
  const mine = withExample.filter((name) => (routes[name].who as readonly CallerKind[]).includes(kind));
  let shop: SeededShop;
  beforeAll(async () => {
    shop = await seedShop(home.house);
  });

  test.each(mine)('%s', async (name) => {
    const actions = auditedBy(name);
    await before[name]?.(shop.id);
    const { first } = examples[name](shop);
    if (first) await callExample(rest, shop, first, keys.adminKey);
    const known = new Set((await logOf(shop.id)).map(({ id }) => id));
    const { status, body } = await callExample(rest, shop, name, credential(shop));
    expect(status).toBeLessThan(300);
    const fresh = (await logOf(shop.id)).filter((entry) => !known.has(entry.id));
    if (actions.length === 0) expect(fresh).toEqual([]);
    else if (name === 'createShop') expect(await logOf(body.shop.id)).toMatchObject([{ action: 'shop:created', by }]);
    else {
      const [entry, ...others] = fresh.filter((one) => actions.includes(one.action));
      expect(entry).toMatchObject({ by });
      expect(others).toEqual([]);
    }
  });
});

describe('an entry', () => {
  let shop: SeededShop;
  beforeAll(async () => {
    shop = await seedShop(home.house);
  });
  const boss: By = { kind: 'owner', id: 'boss' };
  const last = async () => (await logOf(shop.id))[0];

  test('says what is different afterwards, by its path, and nothing else', async () => {
    await patchSettings(home.house, shop.id, { busyThreshold: 9, nightShift: { from: '02:00' } }, NOW, boss);
    expect(await last()).toEqual({
      id: expect.any(String),
      at: NOW,
      by: boss,
      action: 'settings:changed',
      changes: [
        { path: 'busyThreshold', before: 4, after: 9 },
        { path: 'nightShift.from', before: '00:00', after: '02:00' },
      ],
    });
  });

  test('of a group names the members who came, went and changed', async () => {
    const put = { name: 'Care', mode: 'efficiency-first', robot: null } as const;
    const binds = { crowds: [], products: [], intents: [], orderStates: [] };
    const members = (levels: Record<string, number>) =>
      Object.entries(levels).map(([agent, level]) => ({ agent, level }));
    const first = { ...put, binds, members: members({ [AGENT]: 1, [SUPERVISOR]: 2 }) };
    await putGroup(home.house, shop.id, 'care', first, NOW, boss);
    const second = { ...put, binds: { ...binds, crowds: ['vip'] }, members: members({ [SUPERVISOR]: 3, owner: 1 }) };
    await putGroup(home.house, shop.id, 'care', second, NOW, boss);
    expect(await last()).toMatchObject({
      action: 'group:changed',
      target: 'care',
      changes: [
        { path: 'binds.crowds', before: [], after: ['vip'] },
        { path: `members.${AGENT}`, before: 1 },
        { path: 'members.owner', after: 1 },
        { path: `members.${SUPERVISOR}`, before: 2, after: 3 },
      ],
    });
  });

  test('of an agent who is removed says who it was, and which groups they left', async () => {
    await deleteAgent(home.house, shop.id, AGENT, NOW, boss);
    expect(await last()).toMatchObject({
      action: 'agent:removed',
      target: AGENT,
      changes: [
        { path: 'kind', before: 'human' },
        { path: 'name', before: 'Ann' },
        { path: 'role', before: 'agent' },
        { path: `groups.sales.members.${AGENT}`, before: 3 },
      ],
    });
  });

  test('says that a password and a secret were set, and never which', async () => {
    const webhook = { url: 'https://elsewhere.invalid/' };
    const person = { name: 'Sue', role: 'supervisor', kind: 'human' } as const;
    await putAgent(home.house, shop.id, SUPERVISOR, { ...person, password: 'another good password' }, NOW, boss);
    expect(await last()).toMatchObject({ target: SUPERVISOR, changes: [{ path: 'password', after: 'set' }] });
    const hook = { name: 'Hook', role: 'agent', kind: 'robot', webhook } as const;
    const { webhookSecret = '-' } = await putAgent(home.house, shop.id, 'hook', hook, NOW, boss);
    expect(await last()).toMatchObject({
      target: 'hook',
      changes: [
        { path: 'webhook.url', before: 'https://hook.invalid/fenliu', after: webhook.url },
        { path: 'webhookSecret', after: 'set' },
      ],
    });
    const log = JSON.stringify(await home.house.redis.xrange(keysOfShop(shop.id).audit, '-', '+'));
    const hashes = Object.values(await home.house.redis.hgetall(keysOfShop(shop.id).secrets));
    const secrets = [PASSWORD, 'another good password', webhookSecret, shop.apiKey, shop.owner.password, ...hashes];
    for (const secret of secrets) expect(log).not.toContain(secret);
  });

  test('of very much names a hundred changes, and counts the rest; long values are cut', async () => {
    const crowds = Array.from({ length: 300 }, (_, n) => `crowd-${n}`);
    const binds = { crowds, products: [], intents: [], orderStates: [] };
    for (let n = 0; n < 120; n++) {
      const person = { name: `n${n}`, role: 'agent', kind: 'human' } as const;
      await putAgent(home.house, shop.id, `many-${n}`, person, NOW);
    }
    const members = Array.from({ length: 120 }, (_, n) => ({ agent: `many-${n}`, level: 1 }));
    const put = { name: 'Many', binds, members, mode: 'efficiency-first', robot: null } as const;
    await putGroup(home.house, shop.id, 'many', put, NOW, boss);
    const entry = await last();
    expect(entry?.changes).toHaveLength(100);
    // Its name, mode and robot, four lists of what it binds, and the members.
    expect(entry?.omitted).toBe(7 + 120 - 100);
    const cut = entry?.changes?.find(({ path }) => path === 'binds.crowds')?.after;
    expect(cut).toMatch(/^\["crowd-0".*…$/);
    expect(String(cut)).toHaveLength(1_001);
  });

  test('is not written where nothing is different', async () => {
    const again: [RouteName, string][] = [
      ['patchSettings', shop.sessions.owner],
      ['putGroup', shop.sessions.owner],
      ['putBuyer', shop.sessions.owner],
      ['setPresence', shop.sessions.owner],
    ];
    await putAgent(home.house, shop.id, AGENT, { name: 'Ann', role: 'agent', kind: 'human' }, NOW);
    for (const [name, as] of again) {
      await callExample(rest, shop, name, as);
      const count = (await logOf(shop.id)).length;
      expect((await callExample(rest, shop, name, as)).status).toBe(200);
      expect((await logOf(shop.id)).length, name).toBe(count);
    }
  });
});

describe('the log', () => {
  test('is read a page at a time, latest first, by time, by who and by what', async () => {
    const shop = await seedShop(home.house);
    const sam: By = { kind: 'supervisor', id: 'sam' };
    for (let n = 1; n <= 5; n++) {
      await patchSettings(home.house, shop.id, { busyThreshold: 10 + n }, NOW + n, n % 2 ? sam : { kind: 'api-key' });
    }
    const page = async (query: string) =>
      (await rest.call('get', `/shops/${shop.id}/audit?${query}`, { as: shop.sessions.owner })).body;
    const times = async (query: string) => (await logOf(shop.id, query)).map(({ at }) => at - NOW);
    const first = await page('limit=3');
    expect(first.entries.map(({ at }: AuditEntry) => at - NOW)).toEqual([5, 4, 3]);
    const second = await page(`limit=3&cursor=${first.next}`);
    expect(second.entries.map(({ at }: AuditEntry) => at - NOW)).toEqual([2, 1, 0]);
    expect(await times(`&from=${NOW + 2}&until=${NOW + 4}`)).toEqual([3, 2]);
    expect(await times('&until=0')).toEqual([]);
    expect(await times('&cursor=0-0')).toEqual([]);
    expect(await times('&by=sam')).toEqual([5, 3, 1]);
    expect(await times('&by=api-key')).toEqual([4, 2]);
    expect(await times('&by=sam&action=settings:changed&until=9999999999999')).toEqual([5, 3, 1]);
    expect(await times('&action=shop:created')).toEqual([0]);
    const all: number[] = [];
    for (let cursor = ''; ; ) {
      const { entries, next } = await page(`limit=2${cursor}&from=${NOW + 1}&until=${NOW + 6}`);
      all.push(...entries.map(({ at }: AuditEntry) => at - NOW));
      if (!next) break;
      cursor = `&cursor=${next}`;
    }
    expect(all).toEqual([5, 4, 3, 2, 1]);
    expect(await page('cursor=nonsense')).toMatchObject({ error: { code: 'invalid', details: [{ path: 'cursor' }] } });
    expect(await page('action=nothing')).toMatchObject({ error: { code: 'invalid' } });
  });
});
