// What a REST call does with what it cannot take: it says which part is wrong, and goes on serving.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { AGENT, type RestServer, type SeededShop, type Sent, seedShop, startRest } from '../support/rest.ts';

let home: TestHouse;
let rest: RestServer;
let shop: SeededShop;

beforeAll(async () => {
  home = createTestHouse(inject('redisUrl'));
  rest = await startRest(home.house);
  shop = await seedShop(home.house);
});
afterAll(async () => {
  expect((await fetch(`${rest.url}/healthz`)).status).toBe(200);
  await rest.close();
  await home.close();
});

const call = (method: string, path: string, sent: Sent = {}) =>
  rest.call(method, path.replace(':shop', shop.id), { as: shop.apiKey, ...sent });
const putAgent = (body: unknown, headers: Record<string, string> = {}) =>
  call('put', '/shops/:shop/agents/new', { body, headers });

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const binary = Uint8Array.from({ length: 2_000 }, (_, i) => (i * 37) % 256);

describe('bodies', () => {
  /** Each with the paths that `details` name. */
  const wrong: [string, unknown, string[]][] = [
    ['no name', { role: 'agent' }, ['name']],
    ['a name that is blank', { name: '   ' }, ['name']],
    ['a role that is none', { name: 'A', role: 'king' }, ['role']],
    ['two things at once', { name: 7, capacity: 0 }, ['name', 'capacity']],
    ['a number that is too large', '{"name":"A","capacity":1e999}', ['capacity']],
    ['a field that is not known', { name: 'A', admin: true }, ['']],
    ['a list', [], ['']],
    ['a string', '"A"', ['']],
    ['null', 'null', ['']],
    ['a __proto__', '{"name":"A","__proto__":{"role":"owner"}}', ['']],
    ['a constructor', '{"name":"A","constructor":{"prototype":{"role":"owner"}}}', ['']],
    ['lists in lists, 10,000 deep', nested(10_000), ['']],
    ['the same in a field', `{"name":${nested(10_000)}}`, ['name']],
    ['lists without an end', '['.repeat(100_000), ['']],
    ['no JSON', '{name: "A"}', ['']],
    ['JSON that is cut off', '{"name":"A"', ['']],
    ['bytes', binary, ['']],
  ];
  test.each(wrong)('%s: invalid', async (_, body, paths) => {
    const { status, body: answer } = await putAgent(body);
    expect({ status, code: answer.error.code }).toEqual({ status: 400, code: 'invalid' });
    expect(answer.error.details.map((detail: { path: string }) => detail.path)).toEqual(paths);
  });

  test('malformed JSON is said to be malformed', async () => {
    expect((await putAgent('{name: "A"}')).body.error.message).toMatch(/not valid JSON/);
  });

  test('no body where one is needed', async () => {
    expect((await call('put', '/shops/:shop/agents/new')).body.error.code).toBe('invalid');
  });

  test.each([
    ['text/plain', '{"name":"A"}'],
    ['application/x-www-form-urlencoded', 'name=A'],
    ['application/octet-stream', binary],
    ['multipart/form-data; boundary=x', '--x--'],
    ['', '{"name":"A"}'],
    ['application/json; charset=klingon', '{"name":"A"}'],
  ])('a body as "%s": invalid', async (type, body) => {
    const { status, body: answer } = await putAgent(body, { 'content-type': type });
    expect({ status, code: answer.error.code }).toEqual({ status: 400, code: 'invalid' });
    expect(answer.error.message).toMatch(/JSON/);
  });

  test('a body that says it is compressed and is not: invalid', async () => {
    const { status } = await putAgent(binary, { 'content-encoding': 'gzip' });
    expect(status).toBe(400);
    expect((await putAgent('{"name":"A"}', { 'content-encoding': 'rot13' })).status).toBe(400);
  });

  test('a compressed body is read', async () => {
    const body = new Uint8Array(gzipSync(JSON.stringify({ name: 'A' })));
    expect((await putAgent(body, { 'content-encoding': 'gzip' })).status).toBe(200);
  });

  test('more than 256 kB: too large, also when it is compressed', async () => {
    const body = JSON.stringify({ name: 'A'.repeat(300_000) });
    expect(await putAgent(body)).toMatchObject({ status: 413, body: { error: { code: 'too-large' } } });
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(20_000_000, 32)));
    expect((await putAgent(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
  });

  test('a group may name 20,000 members, and no more', async () => {
    const members = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ agent: `${'x'.repeat(50)}${i}`, level: 1 }));
    const put = (count: number) =>
      call('put', '/shops/:shop/groups/huge', { body: { name: 'Huge', members: members(count) } });
    const many = await put(20_000);
    // All of it was read: what is wrong is that nobody of these is here.
    expect(many.body.error.details[0]).toMatchObject({ path: 'members.0.agent' });
    expect(many.body.error.details).toHaveLength(20);
    expect((await put(20_001)).body.error.details).toMatchObject([{ path: 'members' }]);
    expect((await put(30_000)).status).toBe(413);
  });

  test('what is refused changes nothing', async () => {
    const before = (await call('get', '/shops/:shop/settings')).body;
    for (const body of [
      '{"welcome":{"__proto__":{"text":"x"}}}',
      '{"busyThreshold":9,"robotFirst":{"enabled":true}}',
    ]) {
      expect((await call('patch', '/shops/:shop/settings', { body })).status).toBe(400);
    }
    expect((await call('get', '/shops/:shop/settings')).body).toEqual(before);
  });

  test('nobody makes us read a body without saying who they are', async () => {
    const answer = await rest.call('put', `/shops/${shop.id}/agents/new`, { body: '{not json' });
    expect(answer.status).toBe(401);
  });

  test('a call that takes no body does not mind one', async () => {
    const answer = await call('post', '/shops/:shop/visitors', {
      body: '{',
      headers: { 'content-type': 'text/plain' },
    });
    expect(answer.status).toBe(200);
  });
});

describe('paths', () => {
  test.each([
    ['/shops/:shop/agents/a%20b', 'agent'],
    ['/shops/:shop/agents/a%2Fb', 'agent'],
    ['/shops/:shop/agents/a%00b', 'agent'],
    ['/shops/:shop/agents/%E5%AE%A2%E6%9C%8D', 'agent'],
    ['/shops/:shop/agents/__proto__', 'agent'],
    [`/shops/:shop/agents/${'a'.repeat(65)}`, 'agent'],
    [`/shops/:shop/agents/${'a'.repeat(10_000)}`, 'agent'],
    ['/shops/__proto__/settings', 'shop'],
    ['/shops/%7Bx%7D/settings', 'shop'],
  ])('%.60s: invalid', async (path, param) => {
    const { status, body } = await call('get', path);
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid', details: [{ path: param }] } },
    });
  });

  test('a path that is no UTF-8: invalid', async () => {
    expect((await call('get', '/shops/%ff/settings')).body.error.code).toBe('invalid');
  });

  test.each([
    '/shops/:shop/agents/toString',
    '/shops/:shop/agents/constructor',
    '/shops/:shop/groups/hasOwnProperty',
    '/shops/:shop/buyers/none',
    '/shops/:shop/conversations/none',
    '/shops/:shop/conversations/none/messages',
    '/shops/:shop/assignments/none',
    '/shops/:shop/assignments/none.none',
    '/shops/:shop/assignments/.',
    '/shops/:shop/nothing',
    '/shops/:shop',
    '/nothing',
    '/openapi.json/more',
  ])('%s: not found', async (path) => {
    const { status, body } = await call('get', path);
    expect({ status, code: body.error.code }).toEqual({ status: 404, code: 'not-found' });
  });

  test('a method that the path does not know: not found', async () => {
    expect((await call('post', `/shops/:shop/agents/${AGENT}`, { body: { name: 'A' } })).status).toBe(404);
    expect((await call('put', '/sessions')).status).toBe(404);
  });

  test('what is not under /api is not found either', async () => {
    const response = await fetch(`${rest.url}/etc/passwd`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'not-found' } });
  });
});

describe('queries', () => {
  test.each([
    ['conversations', '?limit=0', 'limit'],
    ['conversations', '?limit=201', 'limit'],
    ['conversations', '?limit=many', 'limit'],
    ['conversations', '?limit=1&limit=2', 'limit'],
    ['conversations', '?state=open', 'state'],
    ['conversations', '?agent=a%20b', 'agent'],
    ['conversations', '?agent=a&agent=b', 'agent'],
    ['conversations', `?cursor=${'c'.repeat(201)}`, 'cursor'],
    ['conversations', '?colour=red', ''],
    ['conversations', '?agent[$ne]=x', ''],
    ['conversations', '?__proto__=x', ''],
    ['messages', '?afterSeq=-1', 'afterSeq'],
    ['messages', '?afterSeq=1.5', 'afterSeq'],
    ['messages', '?cursor=abc', 'cursor'],
  ])('%s%.40s: invalid', async (list, query, path) => {
    const base = list === 'messages' ? `/conversations/${shop.conversation}/messages` : '/conversations';
    const { status, body } = await call('get', `/shops/:shop${base}${query}`);
    expect({ status, body }).toMatchObject({ status: 400, body: { error: { code: 'invalid', details: [{ path }] } } });
  });

  test.each(['c-5', 'c1e99', 'cNaN', 'o', 'o~~~', 'x', '%00'])(
    'a cursor nobody gave out, %s: still a list',
    async (cursor) => {
      const { status, body } = await call('get', `/shops/:shop/conversations?cursor=${cursor}`);
      expect({ status, list: Array.isArray(body.conversations) }).toEqual({ status: 200, list: true });
    },
  );
});

describe('credentials', () => {
  test.each([
    'Basic eDp5',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'bearer',
    'x',
    '',
    'Bearer ..',
    'Bearer a.b.c',
    'Bearer x',
  ])('"%s": unauthorized', async (authorization) => {
    const { status, body } = await rest.call('get', `/shops/${shop.id}/settings`, { headers: { authorization } });
    expect({ status, code: body.error.code }).toEqual({ status: 401, code: 'unauthorized' });
  });

  test('the scheme may be written in small letters', async () => {
    const headers = { authorization: `bearer ${shop.apiKey}` };
    expect((await rest.call('get', `/shops/${shop.id}/settings`, { headers })).status).toBe(200);
  });

  test('an old token does not stop a new log-in', async () => {
    const answer = await rest.call('post', '/sessions', {
      as: 'old.and.expired',
      body: { shop: shop.id, agent: shop.owner.id, password: shop.owner.password },
    });
    expect(answer.status).toBe(200);
  });

  test('a wrong password and an unknown account answer the same', async () => {
    const tries = [
      { shop: shop.id, agent: AGENT, password: 'wrong' },
      { shop: shop.id, agent: 'nobody', password: 'wrong' },
      { shop: 'no-such-shop', agent: AGENT, password: 'wrong' },
    ];
    const answers = await Promise.all(tries.map((body) => rest.call('post', '/sessions', { body })));
    for (const { status, body } of answers)
      expect({ status, body }).toMatchObject({ status: 401, body: answers[0]?.body });
  });
});

test('errors are in the language that the client prefers', async () => {
  const say = async (language: string) =>
    (await call('get', '/shops/:shop/agents/none', { headers: { 'accept-language': language } })).body.error.message;
  expect(await say('zh-CN,zh;q=0.9,en;q=0.8')).toMatch(/[\u4e00-\u9fff]/);
  for (const language of ['en-GB,en;q=0.9,zh;q=0.1', 'fr', '*', '']) expect(await say(language)).toMatch(/agent none/);
});
