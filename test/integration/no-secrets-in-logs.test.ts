/**
 * Real processes at their most talkative, and a lively day: log-ins right and wrong, tokens, keys, messages, a robot behind a
 * webhook, errors. Nothing of it stands in what they have written.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AgentClient, BuyerClient } from '../../client-sdk/index.ts';
import { openShopAt, restOf } from '../support/bystanders.ts';
import {
  type Observed,
  type ObservedServer,
  observe,
  observedKeys,
  observeServer,
} from '../support/observed-process.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { joinedSocket, rawSocket } from '../support/raw.ts';
import { until } from '../support/until.ts';

let redis: OwnRedis;
let server: ObservedServer;
let worker: Observed;

beforeAll(async () => {
  redis = await startOwnRedis();
  const env = { REDIS_URL: redis.url, LOG_LEVEL: 'trace', WEBHOOK_PRIVATE: '1' };
  [server, worker] = await Promise.all([observeServer(env), observe('workers/main.ts', '"working"', env)]);
});
afterAll(async () => {
  await redis?.stop();
});

/** What must not be found, by what it is. */
const secrets = new Map<string, string>();
const secret = (what: string, value: string) => {
  secrets.set(what, value);
  return value;
};

it('writes none of it', { timeout: 180_000 }, async () => {
  const { url } = server;
  const rest = restOf(url);
  secret('the secret of the installation', observedKeys.secret);
  secret('the admin key', observedKeys.adminKey);
  const shop = await openShopAt(url, observedKeys.adminKey, 'secrets');
  secret('the API key', shop.apiKey);
  secret('the buyer secret', shop.buyerSecret);

  const password = secret('a password', 'correct horse battery staple');
  const call = <T = Record<string, unknown>>(method: string, path: string, body?: unknown) =>
    rest<T>(method, `shops/${shop.shop}/${path}`, shop.apiKey, body);
  await call('PUT', 'agents/anna', { name: 'Anna', password });
  const logIn = (given: string) =>
    rest<{ token: string }>('POST', 'sessions', undefined, { shop: shop.shop, agent: 'anna', password: given });
  const session = secret('a session', (await logIn(password)).token);
  await expect(logIn(secret('a wrong password', 'incorrect horse battery'))).rejects.toThrow(/unauthorized/);
  await expect(rest('POST', 'shops', secret('a wrong key', 'not-the-admin-key-at-all'), {})).rejects.toThrow();
  const visitor = await rest<{ token: string }>('POST', `shops/${shop.shop}/visitors`);
  secret('a visitor’s token', visitor.token);
  const token = secret('a buyer’s token', await shop.buyerToken('xia'));

  const { webhookSecret } = await call<{ webhookSecret: string }>('PUT', 'agents/robo', {
    name: 'Robo',
    kind: 'robot',
    // Nobody is there: each delivery fails, and is logged.
    webhook: { url: `http://127.0.0.1:1/${secret('the path of a webhook', 'hook-path-that-is-a-secret')}` },
  });
  secret('the secret of a webhook', webhookSecret);
  await call('PATCH', 'settings', {
    robotFirst: { enabled: true, robot: 'robo' },
    welcome: { text: secret('the welcome', 'a warm welcome to you') },
  });

  const agent = new AgentClient({ url, token: session });
  await agent.connect();
  await agent.setPresence('online');
  const buyer = new BuyerClient({ url, token });
  await buyer.connect();
  const { conversation } = await buyer.open();
  await buyer.send(conversation.id, secret('a message', 'my card number is 4000 1234'));
  // The worker tries to deliver it, and says so; once somebody else has it nothing is delivered any more.
  await until(() => worker.said().includes('a delivery failed'));
  await buyer.human(conversation.id);
  await agent.send(conversation.id, secret('a reply', 'please do not tell me that'));
  await buyer.rate(conversation.id, 1, secret('a comment', 'a comment from the heart'));
  await expect(buyer.send('none', secret('a message to nobody', 'words into the void'))).rejects.toThrow();

  // What is broken, too: bodies, packets, tokens.
  await fetch(`${url}/api/v1/shops/${shop.shop}/settings`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${shop.apiKey}`, 'content-type': 'application/json' },
    body: `{"timezone": "${secret('what stands in a broken body', 'a broken body of words')}"`,
  });
  await fetch(`${url}/api/v1/shops/${shop.shop}/live?token=${secret('a token in a query', 'token-in-a-query')}`);
  const raw = await joinedSocket(url, '/buyer', token);
  raw.websocket.send(
    `42/buyer,1["message:send",{"conversation":7,"text":"${secret('text of a wrong command', 'wrong in every way')}"}]`,
  );
  await raw.hears('43/buyer,1');
  raw.websocket.send(`4${secret('a broken packet', 'broken-beyond-repair')}`);
  await raw.ended;
  const stranger = await rawSocket(url);
  stranger.websocket.send(`40/agent,{"token":"${secret('a bad token', 'bad.token.indeed')}"}`);
  await stranger.hears('44/agent');
  stranger.websocket.terminate();

  agent.disconnect();
  buyer.disconnect();
  expect(await Promise.all([server.stop(), worker.stop()])).toEqual([0, 0]);

  const written = server.said() + worker.said();
  expect(written).toContain('"listening"');
  for (const [what, value] of secrets) expect.soft(written.includes(value), what).toBe(false);
});
