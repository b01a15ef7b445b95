// What surrounds the REST calls: limits, the OpenAPI document, health, metrics, other origins, and trouble.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Router } from 'express';
import { nanoid } from 'nanoid';
import { Counter } from 'prom-client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Route, routes } from '../../client-sdk/contract/index.ts';
import { createMetrics } from '../../server/edge/http/metrics.ts';
import { createWorkload } from '../../server/edge/workload.ts';
import { addressKey } from '../../server/services/address-key.ts';
import { defaultLimits } from '../../server/services/allowances.ts';
import type { House } from '../../server/services/house.ts';
import { createTestHouse, type TestHouse, testLog } from '../support/house.ts';
import { AGENT, keys, PASSWORD, type RestServer, type SeededShop, seedShop, startRest } from '../support/rest.ts';

let home: TestHouse;
let shop: SeededShop;

beforeAll(async () => {
  home = createTestHouse(inject('redisUrl'));
  shop = await seedShop(home.house);
});
afterAll(() => home.close());

async function serving(
  parts: Parameters<typeof startRest>[1],
  use: (rest: RestServer) => Promise<void>,
  house?: House,
) {
  const rest = await startRest(house ?? home.house, parts);
  try {
    await use(rest);
  } finally {
    await rest.close();
  }
}

describe('limits', () => {
  const seconds = 600;
  /** From an address that nobody else in this Redis uses. */
  const somebody = () => ({ headers: { 'x-forwarded-for': `somebody-${nanoid()}` } });
  const refused = { status: 429, body: { error: { code: 'rate-limited' } } };

  test('visitors: so many of one address and shop', async () => {
    await serving({ trustProxy: 1, limits: { visitors: { count: 2, seconds } } }, async (rest) => {
      const me = somebody();
      const visit = (of: string, from = me) => rest.call('post', `/shops/${of}/visitors`, from);
      expect((await visit(shop.id)).status).toBe(200);
      expect((await visit(shop.id)).status).toBe(200);
      const answer = await visit(shop.id);
      expect(answer).toMatchObject(refused);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.body.error.details.retryAfterMs).toBeGreaterThan(0);
      expect((await visit(shop.id, somebody())).status).toBe(200);
      expect((await visit((await seedShop(home.house)).id)).status).toBe(200);
    });
  });

  const logIn = (rest: RestServer, password: string, from: { headers: Record<string, string> }, agent = AGENT) =>
    rest.call('post', '/sessions', { ...from, body: { shop: shop.id, agent, password } });

  test('passwords: wrong ones count, right ones do not, and then neither is tried', async () => {
    await serving({ trustProxy: 1, limits: { wrongPasswords: { count: 3, seconds } } }, async (rest) => {
      const me = somebody();
      expect((await logIn(rest, 'wrong', me)).status).toBe(401);
      for (let i = 0; i < 4; i++) expect((await logIn(rest, PASSWORD, me)).status).toBe(200);
      for (let i = 0; i < 2; i++) expect((await logIn(rest, 'wrong', me)).status).toBe(401);
      expect(await logIn(rest, PASSWORD, me)).toMatchObject(refused);
      expect((await logIn(rest, PASSWORD, somebody())).status).toBe(200);
      expect((await logIn(rest, shop.owner.password, me, shop.owner.id)).status).toBe(200);
    });
  });

  test('passwords: many guesses at once are no way round', async () => {
    await serving({ trustProxy: 1, limits: { wrongPasswords: { count: 3, seconds } } }, async (rest) => {
      const me = somebody();
      const guesses = Array.from({ length: 12 }, (_, i) => logIn(rest, `guess ${i}`, me));
      const statuses = (await Promise.all(guesses)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(3);
      expect(statuses.filter((status) => status === 429)).toHaveLength(9);
    });
  });

  test('passwords: one address may not try one account after another', async () => {
    await serving({ trustProxy: 1, limits: { wrongPasswordsOfAddress: { count: 2, seconds } } }, async (rest) => {
      const me = somebody();
      expect((await logIn(rest, 'wrong', me, 'a')).status).toBe(401);
      expect((await logIn(rest, 'wrong', me, 'b')).status).toBe(401);
      expect(await logIn(rest, 'wrong', me, 'c')).toMatchObject(refused);
    });
  });

  test('an address that the client makes up itself is not believed', async () => {
    await serving({ limits: { visitors: { count: 1, seconds } } }, async (rest) => {
      const { id } = await seedShop(home.house);
      expect((await rest.call('post', `/shops/${id}/visitors`, somebody())).status).toBe(200);
      expect(await rest.call('post', `/shops/${id}/visitors`, somebody())).toMatchObject(refused);
    });
  });

  test('a block of IPv6 addresses counts as one', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe(addressKey('2001:db8:1:2::9'));
    expect(addressKey('2001:db8:1:2::9')).not.toBe(addressKey('2001:db8:1:3::9'));
    expect(addressKey('::1')).not.toBe(addressKey('fe80::1%eth0'));
    expect(addressKey('::ffff:10.0.0.7')).toBe('10.0.0.7');
    expect(addressKey('10.0.0.7')).toBe('10.0.0.7');
  });

  test('what is usual leaves people alone', () => {
    expect(defaultLimits.visitors.count).toBeGreaterThanOrEqual(60);
  });
});

describe('the OpenAPI document', () => {
  test('lists every route, and every reference in it leads somewhere', async () => {
    await serving({}, async (rest) => {
      const { status, body } = await rest.call('get', '/openapi.json');
      expect({ status, version: body.openapi }).toEqual({ status: 200, version: '3.1.0' });
      for (const [name, route] of Object.entries(routes) as [string, Route][]) {
        const operation = body.paths[route.path.replace(/:(\w+)/g, '{$1}')]?.[route.method];
        expect(operation).toMatchObject({ operationId: name, summary: route.summary });
        expect(operation.responses[route.status ?? 200].content['application/json'].schema).toBeDefined();
        expect(operation.requestBody === undefined).toBe(route.body === undefined);
        expect(operation.security.length === 0).toBe(route.who.includes('nobody'));
        const inPath = (operation.parameters ?? []).filter((p: { in: string }) => p.in === 'path');
        expect(inPath.map((p: { name: string }) => `:${p.name}`)).toEqual(route.path.match(/:\w+/g) ?? []);
      }
      const count = Object.values<object>(body.paths).flatMap((path) => Object.keys(path)).length;
      expect(count).toBe(Object.keys(routes).length);
      const refs = [...JSON.stringify(body).matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref]) => ref ?? '');
      expect(refs.length).toBeGreaterThan(100);
      for (const ref of new Set(refs)) {
        const found = ref
          .replace(/^#\//, '')
          .split('/')
          .reduce((at, key) => at?.[key], body);
        expect(found, ref).toBeDefined();
      }
      expect(JSON.stringify(body)).not.toMatch(/"\$(id|defs|schema)"/);
    });
  });
});

describe('health', () => {
  test('alive, ready, and counting', async () => {
    const metrics = createMetrics();
    new Counter({ name: 'another_things_total', help: 'registered by somebody else', registers: [metrics.registry] });
    await serving({ metrics }, async (rest) => {
      expect((await fetch(`${rest.url}/healthz`)).status).toBe(200);
      const ready = await fetch(`${rest.url}/readyz`);
      expect({ status: ready.status, body: await ready.json() }).toEqual({ status: 200, body: { ok: true } });
      await rest.call('get', `/shops/${shop.id}/settings`, { as: keys.adminKey });
      await rest.call('get', '/nothing');
      const response = await fetch(`${rest.url}/metrics`);
      const text = await response.text();
      expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
      expect(text).toContain(
        'fenliu_http_requests_total{method="GET",route="/api/v1/shops/:shop/settings",status="200"} 1',
      );
      expect(text).toContain('fenliu_http_requests_total{method="GET",route="other",status="404"} 1');
      expect(text).toContain('fenliu_http_request_duration_seconds_count{');
      expect(text).toMatch(/process_cpu_seconds_total|process_cpu_user_seconds_total/);
      expect(text).toContain('another_things_total');
      expect(text).not.toContain(shop.id);
    });
  });
});

describe('other origins', () => {
  test('may call, without cookies', async () => {
    await serving({}, async (rest) => {
      const asked = await fetch(`${rest.url}/api/v1/shops/${shop.id}/visitors`, {
        method: 'OPTIONS',
        headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' },
      });
      expect(asked.status).toBe(204);
      expect(asked.headers.get('access-control-allow-methods')).toContain('PATCH');
      expect(asked.headers.get('access-control-allow-headers')).toMatch(/authorization/i);
      const refused = await rest.call('get', `/shops/${shop.id}/settings`);
      expect(refused.headers.get('access-control-allow-origin')).toBe('*');
      expect(refused.headers.get('access-control-allow-credentials')).toBeNull();
      expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
      expect(refused.headers.get('x-powered-by')).toBeNull();
    });
  });

  test('pages are served beside the API', async () => {
    const pages = Router().get('/', (_request, response) => {
      response.send('<!doctype html><title>Demo</title>');
    });
    await serving({ pages }, async (rest) => {
      const page = await fetch(rest.url);
      expect(await page.text()).toContain('Demo');
      expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    });
  });
});

describe('trouble', () => {
  const settings = () => `/shops/${shop.id}/settings`;

  test('a connection to Redis that has ended: unavailable, not ready, yet alive', async () => {
    const gone = createTestHouse(inject('redisUrl'));
    await gone.house.redis.ping();
    await gone.close();
    await serving(
      {},
      async (rest) => {
        for (const as of [keys.adminKey, shop.apiKey, shop.sessions.agent]) {
          const answer = await rest.call('get', settings(), { as });
          expect(answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
        }
        expect((await rest.call('post', `/shops/${shop.id}/visitors`)).status).toBe(503);
        const ready = await fetch(`${rest.url}/readyz`);
        expect({ status: ready.status, body: await ready.json() }).toMatchObject({ status: 503, body: { ok: false } });
        expect((await fetch(`${rest.url}/healthz`)).status).toBe(200);
      },
      gone.house,
    );
  });

  test('a Redis that never answers: unavailable, when the time is over', async () => {
    const open = new Set<Socket>();
    const mute = createServer((socket) => void open.add(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const stuck = createTestHouse(`redis://127.0.0.1:${(mute.address() as AddressInfo).port}`);
    const parts = { workload: createWorkload({ away: () => false, answerMs: 50 }), readyTimeMs: 50 };
    await serving(
      parts,
      async (rest) => {
        const answer = await rest.call('get', settings(), { as: keys.adminKey });
        expect(answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
        expect((await rest.call('post', `/shops/${shop.id}/visitors`)).status).toBe(503);
        expect((await fetch(`${rest.url}/readyz`)).status).toBe(503);
      },
      stuck.house,
    );
    await stuck.close();
    for (const socket of open) socket.destroy();
    mute.close();
  });

  test('a fault: internal, logged with the shop and without what was sent', async () => {
    const logged: object[] = [];
    const fault = Object.assign(new TypeError('a fault'), { command: { args: ['a secret'] } });
    const house: House = {
      ...home.house,
      configs: { ...home.house.configs, fresh: () => Promise.reject(fault) },
      log: { ...home.house.log, error: (facts) => logged.push(facts) },
    };
    await serving(
      {},
      async (rest) => {
        const answer = await rest.call('get', settings(), { as: keys.adminKey });
        expect(answer).toMatchObject({ status: 500, body: { error: { code: 'internal' } } });
        expect(JSON.stringify(answer.body)).not.toContain('a fault');
      },
      house,
    );
    expect(logged).toMatchObject([{ shop: shop.id, err: { message: 'a fault' } }]);
    expect(JSON.stringify(logged)).not.toMatch(/a secret|the-admin-key/);
  });

  test('sockets of a removed agent that cannot be closed do not undo the removal', async () => {
    const logged: object[] = [];
    const away = () => {
      throw new Error('the adapter is away');
    };
    const connected = { endSession: away, endAgent: away, endBuyer: away, steers: away };
    const apart = createTestHouse(inject('redisUrl'), {
      connected,
      log: { ...testLog, warn: (facts) => logged.push(facts) },
    });
    const path = `/shops/${shop.id}/agents/leaving`;
    const as = shop.apiKey;
    await serving(
      {},
      async (rest) => {
        expect((await rest.call('put', path, { as, body: { name: 'Leaving' } })).status).toBe(200);
        expect((await rest.call('delete', path, { as })).status).toBe(200);
        expect((await rest.call('get', path, { as })).status).toBe(404);
      },
      apart.house,
    );
    await apart.close();
    expect(logged).toMatchObject([{ shop: shop.id }]);
  });
});
