// Every REST call: that it does what it says, and who may make it.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Route, type RouteName, routes } from '../../client-sdk/contract/index.ts';
import { agentOfToken } from '../../server/services/access.ts';
import { BUYER_TOKEN_MS, buyerOfToken } from '../../server/services/buyer-tokens.ts';
import { open } from '../../server/services/dispatch.ts';
import { TOKEN_MS } from '../../server/services/sessions.ts';
import { signBuyer, signRefresh, signSession } from '../../server/services/tokens.ts';
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
  sessionOf,
  startRest,
} from '../support/rest.ts';

const names = Object.keys(routes) as RouteName[];

let home: TestHouse;
let rest: RestServer;
let shop: SeededShop;
let other: SeededShop;
/** What was done to sockets. */
const ended: string[] = [];

beforeAll(async () => {
  home = createTestHouse(inject('redisUrl'), {
    connected: {
      endSession: (id, session) => ended.push(`${id}/session/${session}`),
      endAgent: (id, agent) => ended.push(`${id}/agent/${agent}`),
      endBuyer: (id, buyer) => ended.push(`${id}/buyer/${buyer}`),
      steers: (id, agent, may) => ended.push(`${id}/steers/${agent}/${may}`),
    },
  });
  rest = await startRest(home.house);
  shop = await seedShop(home.house);
  other = await seedShop(home.house);
});
afterAll(async () => {
  await rest.close();
  await home.close();
});

test('every route has a call here', () => {
  expect(Object.keys(examples).sort()).toEqual([...names].sort());
});

describe('every call succeeds, and answers what its schema says', () => {
  test.each(names)('%s', async (name) => {
    const route: Route = routes[name];
    const [caller = ''] = route.who;
    const { status, body, headers } = await callExample(rest, shop, name, await credentials[caller]?.());
    expect({ status, body }).toMatchObject({ status: route.status ?? 200 });
    expect(route.answer.safeParse(body).error).toBeUndefined();
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

const buyerToken = ({ id, buyerSecret }: SeededShop, at = NOW) =>
  signBuyer({ id: 'bea', shop: id, since: at }, buyerSecret, at, at + BUYER_TOKEN_MS);

/** Signed by us, of a session that the store does not know. */
const sessionToken = ({ id = 'owner' }) =>
  signSession({ id, shop: shop.id, session: 'no-such-session' }, keys.secret, NOW, NOW + TOKEN_MS);

/** What a caller of each kind sends, as they are once the shops are there. */
const credentials: Record<string, () => string | undefined | Promise<string>> = {
  nobody: () => undefined,
  agent: () => sessionOf(home.house, shop.id, AGENT),
  supervisor: () => sessionOf(home.house, shop.id, SUPERVISOR),
  owner: () => sessionOf(home.house, shop.id, shop.owner.id),
  buyer: () => buyerToken(shop),
  'api-key': () => shop.apiKey,
  admin: () => keys.adminKey,
  "other shop's api-key": () => other.apiKey,
  "other shop's owner": () => sessionOf(home.house, other.id, other.owner.id),
  "other shop's buyer": () => buyerToken(other),
  'somebody unknown': () => sessionToken({ id: 'no-such-agent' }),
  'ended session': () => sessionToken({}),
  'forged token': async () => (await sessionOf(home.house, shop.id, shop.owner.id)).replace(/[^.]+$/, 'x'.repeat(43)),
  'token without a session': () => {
    const of = { id: 'owner', shop: shop.id, since: NOW };
    return signBuyer(of, keys.secret, NOW, NOW + TOKEN_MS);
  },
  'refresh token': () => {
    const of = { id: 'owner', shop: shop.id, session: 'a-session', generation: 0 };
    return signRefresh(of, keys.secret, NOW, NOW + TOKEN_MS);
  },
  "expired buyer's token": () => buyerToken(shop, NOW - BUYER_TOKEN_MS - 1_000),
  'alg none': () => {
    const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url');
    const claims = { sub: 'owner', shop: shop.id, aud: 'agent', exp: NOW / 1000 + 60 };
    return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
  },
  'wrong key': () => 'x'.repeat(40),
};

/** The status a caller gets, by the route table alone. */
function expected(route: Route, caller: string): number {
  const kinds: readonly string[] = route.who;
  const success = route.status ?? 200;
  if (kinds.includes('nobody')) return success;
  // A path that names no shop: a session is valid whatever its shop, and a key is nobody's.
  const namesShop = route.path.includes(':shop');
  const known = ['agent', 'supervisor', 'owner', 'admin', ...(kinds.includes('buyer') ? ['buyer'] : [])];
  const kind = namesShop ? caller : caller.replace("other shop's ", '');
  if (known.includes(kind) || (caller === 'api-key' && namesShop)) return kinds.includes(kind) ? success : 403;
  return caller === "expired buyer's token" && route.late ? success : 401;
}

describe.each(names)('who may call %s', (name) => {
  test.each(Object.keys(credentials))('%s', async (caller) => {
    const { status, body, headers } = await callExample(rest, shop, name, await credentials[caller]?.());
    expect({ status, body }).toMatchObject({ status: expected(routes[name], caller) });
    if (status === 401) {
      expect(body.error.code).toBe('unauthorized');
      expect(headers.get('www-authenticate')).toBe('Bearer');
    }
    if (status === 403) expect(body.error.code).toBe('forbidden');
  });
});

describe('what calls bring about', () => {
  const path = (rest_: string) => `/shops/${shop.id}${rest_}`;
  const asOwner = (body?: unknown) => ({ as: shop.sessions.owner, ...(body === undefined ? {} : { body }) });

  test('a shop is opened once, and its secrets work', async () => {
    const { body: made } = await callExample(rest, shop, 'createShop', keys.adminKey);
    const at = { as: made.apiKey };
    expect((await rest.call('get', `/shops/${made.shop.id}/agents`, at)).body.agents).toHaveLength(1);
    const { status, body } = await rest.call('post', '/sessions', {
      body: { shop: made.shop.id, agent: made.owner.id, password: made.owner.password },
    });
    expect({ status, body }).toMatchObject({ status: 200, body: { agent: { id: made.owner.id, role: 'owner' } } });
    expect((await rest.call('get', `/shops/${made.shop.id}/settings`, { as: body.token })).status).toBe(200);
    const again = await rest.call('post', '/shops', { as: keys.adminKey, body: { id: made.shop.id, name: 'Again' } });
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  });

  test('settings are merged and validated whole', async () => {
    const put = await rest.call('patch', path('/settings'), asOwner({ contactWindows: { hotMs: 5 } }));
    expect(put.body.contactWindows).toEqual({ hotMs: 5, warmMs: 259_200_000 });
    expect((await rest.call('get', path('/settings'), asOwner())).body).toEqual(put.body);
    const wrong = await rest.call('patch', path('/settings'), asOwner({ contactWindows: { warmMs: 1 } }));
    expect(wrong.body.error).toMatchObject({ code: 'invalid', details: [{ path: 'contactWindows.warmMs' }] });
  });

  test('an agent is put, read and removed, and their sockets and sessions with them', async () => {
    const agent = { id: 'tom', name: 'Tom', role: 'agent', kind: 'human', capacity: 2 };
    const { id, ...sent } = agent;
    expect((await rest.call('put', path(`/agents/${id}`), asOwner({ ...sent, password: PASSWORD }))).body).toEqual(
      agent,
    );
    expect((await rest.call('get', path(`/agents/${id}`), asOwner())).body).toEqual(agent);
    const { body } = await rest.call('post', '/sessions', { body: { shop: shop.id, agent: id, password: PASSWORD } });
    expect(await agentOfToken(home.house, keys, body.token, NOW)).toMatchObject({ id, shop: shop.id });
    expect((await rest.call('delete', path(`/agents/${id}`), asOwner())).body).toEqual({ ok: true });
    expect(ended).toContain(`${shop.id}/agent/${id}`);
    expect((await rest.call('get', path('/live'), { as: body.token })).status).toBe(401);
    expect((await rest.call('get', path(`/agents/${id}`), asOwner())).status).toBe(404);
    expect((await rest.call('delete', path(`/agents/${id}`), asOwner())).status).toBe(404);
    expect((await rest.call('delete', path(`/agents/${shop.owner.id}`), asOwner())).status).toBe(409);
  });

  test('many agents put at once are all there', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => `many-${i}`);
    const put = (id: string) => rest.call('put', path(`/agents/${id}`), asOwner({ name: id }));
    expect(new Set((await Promise.all(ids.map(put))).map(({ status }) => status))).toEqual(new Set([200]));
    const { body } = await rest.call('get', path('/agents'), asOwner());
    expect(body.agents.map((agent: { id: string }) => agent.id)).toEqual(expect.arrayContaining(ids));
  });

  test('buyers come in while the roster is being changed, one agent after another', async () => {
    const puts = Array.from({ length: 40 }, (_, i) =>
      rest.call('put', path(`/agents/roster-${i}`), asOwner({ name: 'R' })),
    );
    const buyers = Array.from({ length: 40 }, (_, i) => open(home.house, shop.id, `visitor-${i}`, {}, NOW));
    expect(new Set((await Promise.all(puts)).map(({ status }) => status))).toEqual(new Set([200]));
    expect((await Promise.all(buyers)).every(({ assignment }) => assignment.outcome === 'agent')).toBe(true);
  });

  test('a group is put, read and removed; who is in it has to be there', async () => {
    const group = { name: 'Returns', members: [{ agent: AGENT, level: 5 }] };
    const full = { ...group, id: 'returns', mode: 'efficiency-first', robot: null };
    expect((await rest.call('put', path('/groups/returns'), asOwner(group))).body).toMatchObject(full);
    expect((await rest.call('get', path('/groups/returns'), asOwner())).body).toMatchObject(full);
    const wrong = { ...group, members: [{ agent: 'nobody-here', level: 5 }] };
    const refused = await rest.call('put', path('/groups/returns'), asOwner(wrong));
    expect(refused.body.error).toMatchObject({ code: 'invalid', details: [{ path: 'members.0.agent' }] });
    expect((await rest.call('delete', path('/groups/returns'), asOwner())).body).toEqual({ ok: true });
    expect((await rest.call('get', path('/groups/returns'), asOwner())).status).toBe(404);
  });

  test('tokens are of whom they were made for', async () => {
    const agent = await callExample(rest, shop, 'agentToken', shop.apiKey);
    expect(await agentOfToken(home.house, keys, agent.body.token, NOW)).toMatchObject({ id: 'robo', kind: 'robot' });
    const buyer = await callExample(rest, shop, 'buyerToken', shop.apiKey);
    expect(await buyerOfToken(home.house, buyer.body.token, NOW)).toMatchObject({ id: 'bob', shop: shop.id });
    const visitor = await callExample(rest, shop, 'createVisitor');
    expect(await buyerOfToken(home.house, visitor.body.token, NOW)).toMatchObject({ id: visitor.body.buyer });
    expect((await rest.call('post', '/shops/no-such-shop/visitors')).status).toBe(404);
  });

  test('the presence that a supervisor sets is on the board', async () => {
    const as = shop.sessions.supervisor;
    for (const presence of ['hung-up', 'online']) {
      const set = await rest.call('put', path(`/agents/${AGENT}/presence`), { as, body: { presence } });
      expect(set.body).toEqual({ presence });
      const { body } = await rest.call('get', path('/live'), { as });
      expect(body.agents).toContainEqual(expect.objectContaining({ id: AGENT, presence, connected: true, pending: 1 }));
    }
    const unknown = { as, body: { presence: 'online' } };
    expect((await rest.call('put', path('/agents/nobody-here/presence'), unknown)).status).toBe(404);
  });

  test('an agent sees themselves and their own conversations, not those of others', async () => {
    const as = shop.sessions.supervisor;
    const token = await rest.call('post', path('/agents/robo/token'), { as: shop.apiKey });
    const stranger = { as: token.body.token };
    expect((await rest.call('get', path('/live'), { as: shop.sessions.agent })).body.agents).toHaveLength(1);
    expect((await rest.call('get', path('/live'), { as })).body.agents.length).toBeGreaterThan(1);
    expect((await rest.call('get', path('/conversations'), stranger)).body).toEqual({ conversations: [] });
    for (const thing of [
      `/conversations/${shop.conversation}`,
      `/conversations/${shop.conversation}/messages`,
      `/assignments/${shop.assignment}`,
    ]) {
      expect((await rest.call('get', path(thing), stranger)).status).toBe(404);
      expect((await rest.call('get', path(thing), { as: shop.sessions.agent })).status).toBe(200);
      expect((await rest.call('get', `/shops/${other.id}${thing}`, { as: other.apiKey })).status).toBe(404);
    }
  });

  test('messages come in pages, in order, each once', async () => {
    const list = path(`/conversations/${shop.conversation}/messages`);
    const first = await rest.call('get', `${list}?limit=2`, asOwner());
    expect(first.body.messages.map((m: { seq: number }) => m.seq)).toEqual([1, 2]);
    const second = await rest.call('get', `${list}?limit=2&cursor=${first.body.next}`, { as: shop.apiKey });
    expect(second.body.messages.map((m: { seq: number }) => m.seq)).toEqual([3]);
    expect(second.body.next).toBeUndefined();
    const tail = await rest.call('get', `${list}?afterSeq=2`, asOwner());
    expect(tail.body.messages.map((m: { seq: number }) => m.seq)).toEqual([3]);
  });

  test('a buyer is erased with their talk', async () => {
    const erased = await seedShop(home.house);
    const as = erased.apiKey;
    expect((await rest.call('delete', `/shops/${erased.id}/buyers/bob`, { as })).body).toEqual({ ok: true });
    for (const thing of ['buyers/bob', `conversations/${erased.conversation}`, `assignments/${erased.assignment}`]) {
      expect((await rest.call('get', `/shops/${erased.id}/${thing}`, { as })).status).toBe(404);
    }
  });
});
