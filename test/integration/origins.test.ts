// Which pages may use a shop: the setting `origins`, at every place a page comes to. Programs send no origin.
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createApplication } from '../../server/application.ts';
import { createLog } from '../../server/log.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';

const OURS = 'https://shop.example';
const OTHER = 'https://other.example';

let dispatcher: Dispatcher;
let own: string;
beforeAll(async () => {
  dispatcher = await createDispatcher(inject('redisUrl'));
  own = dispatcher.url;
  await dispatcher.agent('anna', { name: 'Anna', password: 'a good password' });
  await dispatcher.call('PATCH', 'settings', { origins: [OURS, 'http://localhost:5173'] });
});
afterAll(() => dispatcher.close());

/** Each of them a page that may, or may not. */
const pages: [string | undefined, 'served' | 'forbidden'][] = [
  [OURS, 'served'],
  ['http://localhost:5173', 'served'],
  [undefined, 'served'],
  [OTHER, 'forbidden'],
  ['http://shop.example', 'forbidden'],
  ['https://shop.example:8443', 'forbidden'],
  ['https://shop.example.evil.example', 'forbidden'],
  ['https://sub.shop.example', 'forbidden'],
  ['null', 'forbidden'],
  ['nonsense', 'forbidden'],
];

/** Connects as a page would, by one transport; answers the code that refuses it. */
function join(namespace: string, token: string, origin: string | undefined, transport: string): Promise<object> {
  const socket: Socket = io(own + namespace, {
    auth: { token },
    transports: [transport],
    reconnection: false,
    forceNew: true,
    ...(origin === undefined ? {} : { extraHeaders: { origin } }),
  });
  return new Promise<object>((resolve) => {
    socket.once('connect', () => resolve({ served: true }));
    socket.once('connect_error', (error) => resolve((error as Error & { data?: object }).data ?? { error }));
  }).finally(() => socket.close());
}

async function ask(
  path: string,
  origin: string | undefined,
  sent: { as?: string; body?: unknown; method?: string } = {},
) {
  const response = await fetch(`${own}/api/v1/${path}`, {
    method: sent.method ?? (sent.as === undefined ? 'POST' : 'GET'),
    headers: {
      ...(origin === undefined ? {} : { origin }),
      ...(sent.as === undefined ? {} : { authorization: `Bearer ${sent.as}` }),
      ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Of a session of its own. */
async function refreshToken(): Promise<string> {
  const body = { shop: dispatcher.shop, agent: 'anna', password: 'a good password' };
  return (await ask('sessions', undefined, { body })).body.refreshToken;
}

const refusal = { code: 'forbidden', message: expect.stringContaining('"origins"'), details: { setting: 'origins' } };

describe.each(pages)('a page of %s is %s', (origin, outcome) => {
  it.each(['websocket', 'polling'])('as a buyer and as an agent, by %s', async (transport) => {
    const expected = outcome === 'served' ? { served: true } : refusal;
    const { agentToken, buyerToken } = dispatcher;
    expect(await join('/buyer', await buyerToken('xia'), origin, transport)).toMatchObject(expected);
    expect(await join('/agent', await agentToken('anna'), origin, transport)).toMatchObject(expected);
  });

  it('as a visitor, at the log-in, and with a session', async () => {
    const { shop } = dispatcher;
    const answers = [
      await ask(`shops/${shop}/visitors`, origin),
      await ask('sessions', origin, { body: { shop, agent: 'anna', password: 'a good password' } }),
      await ask(`shops/${shop}/live`, origin, { as: await dispatcher.agentToken('anna') }),
      await ask(`shops/${shop}/visitors/refresh`, origin, { as: await dispatcher.buyerToken('xia'), method: 'POST' }),
      await ask('sessions/refresh', origin, { body: { shop, refreshToken: await refreshToken() } }),
    ];
    for (const { status, body, headers } of answers) {
      if (outcome === 'served') expect(status).toBe(200);
      else expect({ status, body }).toMatchObject({ status: 403, body: { error: refusal } });
      // Also who is refused may read why: no cookie is ever sent, so that nothing else is given away.
      expect(headers.get('access-control-allow-origin')).toBe('*');
    }
  });

  it('with a key, which only programs have: served', async () => {
    expect((await ask(`shops/${dispatcher.shop}/live`, origin, { as: dispatcher.apiKey })).status).toBe(200);
  });
});

it('a page that this server serves itself is always served', async () => {
  expect(await join('/buyer', await dispatcher.buyerToken('xia'), own, 'websocket')).toEqual({ served: true });
  expect(await join('/agent', await dispatcher.agentToken('anna'), own, 'polling')).toEqual({ served: true });
  expect((await ask(`shops/${dispatcher.shop}/visitors`, own)).status).toBe(200);
  expect(
    await join('/buyer', await dispatcher.buyerToken('xia'), own.replace('127', '126'), 'websocket'),
  ).toMatchObject(refusal);
});

it('behind a balancer that is believed, its name for us is ours; else it is not', async () => {
  for (const [trustProxy, status] of [
    [1, 200],
    [0, 403],
  ] as const) {
    const application = await createApplication({
      redis: { url: inject('redisUrl') },
      keys: { secret: 'a secret of the tests', adminKey: 'an admin key of the tests' },
      log: createLog('silent', 'test'),
      trustProxy,
    });
    const port = await application.listen(0);
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/shops/${dispatcher.shop}/visitors`, {
      method: 'POST',
      headers: { origin: 'https://chat.example', 'x-forwarded-host': 'chat.example', 'x-forwarded-for': '192.0.2.7' },
    });
    expect(response.status).toBe(status);
    await application.close();
  }
});

it('a wrong log-in by a page that may not is told nothing about the account', async () => {
  const { status } = await ask('sessions', OTHER, { body: { shop: dispatcher.shop, agent: 'no', password: 'no' } });
  expect(status).toBe(403);
  const nowhere = await ask('sessions', OTHER, { body: { shop: 'no-such-shop', agent: 'no', password: 'no' } });
  expect(nowhere.status).toBe(401);
});

it.each([
  ['shop.example'],
  ['https://shop.example/'],
  ['https://shop.example:443'],
  ['https://Shop.example'],
  ['*'],
  ['null'],
  ['ftp://shop.example'],
  ['https://a:b@shop.example'],
  [''],
])('%s is no origin', async (origin) => {
  await expect(dispatcher.call('PATCH', 'settings', { origins: [origin] })).rejects.toThrow(/invalid.*origins\.0/);
});

it('a shop that names none is open to any', async () => {
  await dispatcher.call('PATCH', 'settings', { origins: [] });
  expect(await join('/buyer', await dispatcher.buyerToken('xia'), OTHER, 'websocket')).toEqual({ served: true });
  expect((await ask(`shops/${dispatcher.shop}/visitors`, 'null')).status).toBe(200);
});
