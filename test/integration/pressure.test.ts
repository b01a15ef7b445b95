/** A Redis that is slow or away: clear answers at once or in time, so much under way and no more, and all is well after it. */
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Ack, Message } from '../../client-sdk/contract/index.ts';
import { BuyerClient, type ConnectionRefused } from '../../client-sdk/index.ts';
import { tokenForBuyer } from '../../server/services/buyer-tokens.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { createShop } from '../../server/services/shops.ts';
import { messagesKey } from '../../server/store/keys.ts';
import { problemsIn } from '../support/consistent.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { type Process, runWith } from '../support/processes.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { newShopId } from '../support/shop.ts';
import { until } from '../support/until.ts';

const SECRET = 'signs-the-sessions-of-tests';
const BEAT_MS = 5_000;
/** As the node bounds it: docs/decisions/0015. */
const MOST_UNDER_WAY = 4_000;
const MOST_OF_A_SOCKET = 200;
/** What the node has for all it keeps, in MB: it would end where more is kept. */
const HEAP_MB = 160;

let redis: OwnRedis;
let proxy: RedisProxy;
let test: TestHouse;
let house: House;
let node: Process<{ url: string }>;
let shop: string;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  redis = await startOwnRedis();
  proxy = await startRedisProxy(redis.url);
  test = createTestHouse(redis.url);
  house = test.house;
  // It would end where it kept everything that it is sent.
  const flags = [`--max-old-space-size=${HEAP_MB}`];
  node = await runWith<{ url: string }>(flags, 'server-node.ts', proxy.url, SECRET, String(BEAT_MS));
  shop = newShopId('pressure');
  await createShop(house, shop, 'Pressure', Date.now());
});
afterEach(async () => {
  proxy.pass();
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(async () => {
  await node?.end('SIGKILL');
  await test?.close();
  await proxy?.close();
  await redis?.stop();
});

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const get = (path: string) => fetch(`${node.said.url}${path}`);

/** A metric of the node, the sum of all its labels. */
async function metric(name: string): Promise<number> {
  const lines = (await (await get('/metrics')).text()).split('\n');
  const found = lines.filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)));
  return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

type Chat = { readonly socket: Socket; readonly conversation: string; readonly id: string };

/** A buyer with a chat, on a socket that keeps back nothing and resends nothing. */
async function connect(id: string): Promise<Chat> {
  const token = await tokenForBuyer(house, shop, id, Date.now());
  const { conversation } = await open(house, shop, id, {}, Date.now());
  const socket = io(`${node.said.url}/buyer`, { transports: ['websocket'], auth: { token }, forceNew: true });
  undo.push(() => socket.disconnect());
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return { socket, conversation: conversation.id, id };
}

type Sent = { readonly chat: Chat; readonly clientId: string; answer?: Ack<{ message: Message }> };

function say(chat: Chat, clientId: string, text: string): Sent {
  const sent: Sent = { chat, clientId };
  const saying = { conversation: chat.conversation, clientId, body: { type: 'text', text } };
  chat.socket.emit('message:send', saying, (answer: Ack<{ message: Message }>) => {
    sent.answer = answer;
  });
  return sent;
}

const codeOf = ({ answer }: Sent) => (answer === undefined || answer.ok ? undefined : answer.error.code);

async function storedIn(chat: Chat): Promise<Message[]> {
  const { scope } = await house.configs.get(shop);
  const lines = await house.redis.lrange(messagesKey(scope.keys, chat.conversation), 0, -1);
  return lines.map((line) => JSON.parse(line) as Message);
}

it('a flood on a slow Redis: so much under way and no more, the rest unavailable at once, nothing acknowledged lost', {
  timeout: 240_000,
}, async () => {
  const chats = await Promise.all(names('flood', 40).map(connect));
  const text = 'x'.repeat(8_000);
  proxy.slow(2_000);
  let mostUnderWay = 0;
  const look = async () => {
    mostUnderWay = Math.max(mostUnderWay, await metric('fenliu_commands_under_way'));
  };
  // Five times what may be under way.
  const sent: Sent[] = [];
  for (let n = 0; n < 500; n++) {
    for (const chat of chats) sent.push(say(chat, `${chat.id}-${n}`, text));
    if (n % 50 === 49) await look();
  }
  await look();
  await until(async () => {
    await look();
    return sent.every(({ answer }) => answer !== undefined);
  });
  proxy.pass();
  await until(async () => (await metric('fenliu_commands_under_way')) === 0);

  // The bounds were reached, and held.
  expect(await metric('fenliu_commands_refused_total')).toBeGreaterThan(0);
  expect(mostUnderWay).toBeLessThanOrEqual(MOST_UNDER_WAY);
  const [done, refused] = [sent.filter((one) => codeOf(one) === undefined), sent.filter(codeOf)];
  expect(done.length).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(3 * MOST_UNDER_WAY);
  expect(refused.filter((one) => codeOf(one) !== 'unavailable')).toEqual([]);

  // What was acknowledged is stored, in the order in which it was written; whatever is sent again is stored once.
  const again: Sent[] = [];
  for (const chat of chats) {
    const own = done.filter((one) => one.chat === chat);
    const all = (await storedIn(chat)).map(({ clientId }) => clientId);
    const acknowledged = own.map(({ clientId }) => clientId);
    expect(all.filter((id) => acknowledged.includes(id ?? ''))).toEqual(acknowledged);
    again.push(...[...own.slice(0, 3), ...refused.filter((one) => one.chat === chat).slice(-3)]);
  }
  const resent = again.map(({ chat, clientId }) => say(chat, clientId, text));
  await until(() => resent.every(({ answer }) => answer?.ok === true));
  for (const chat of chats) {
    const all = (await storedIn(chat)).map(({ clientId }) => clientId);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(
      expect.arrayContaining(again.filter((one) => one.chat === chat).map(({ clientId }) => clientId)),
    );
  }
  expect((await get('/readyz')).status).toBe(200);
  expect(await problemsIn(house.redis, shop)).toEqual([]);
});

it('a socket that sends too much at once is refused the rest; the others are served', async () => {
  const [greedy, modest] = [await connect('greedy'), await connect('modest')];
  proxy.slow(300);
  const sent = Array.from({ length: 2 * MOST_OF_A_SOCKET }, (_, n) => say(greedy, `greedy-${n}`, 'more'));
  await until(() => sent.filter(codeOf).length >= MOST_OF_A_SOCKET);
  expect((await metric('fenliu_commands_under_way')) >= 1).toBe(true);
  const one = say(modest, 'modest-1', 'please');
  await until(() => one.answer !== undefined);
  expect(one.answer).toMatchObject({ ok: true });
  proxy.pass();
  await until(() => sent.every(({ answer }) => answer !== undefined));
  // What was taken on is stored in order; it is not more than may wait.
  const done = sent.filter((each) => each.answer?.ok);
  expect(done.length).toBeLessThanOrEqual(MOST_OF_A_SOCKET);
  const taken = sent.slice(0, MOST_OF_A_SOCKET).map(({ clientId }) => clientId);
  expect(taken).toEqual(expect.arrayContaining(done.map(({ clientId }) => clientId)));
  const stored = (await storedIn(greedy)).map(({ clientId }) => clientId);
  expect(stored).toEqual(taken.filter((id) => stored.includes(id)));
});

it('Redis away: not ready, alive, refused at once; who connects is told so, and is let in when it is back', async () => {
  const chat = await connect('waiting');
  const token = await tokenForBuyer(house, shop, 'late', Date.now());
  proxy.refuse();
  await until(async () => (await (await get('/readyz')).text()).includes('Redis is away'));
  expect([(await get('/readyz')).status, (await get('/healthz')).status, (await get('/metrics')).status]).toEqual([
    503, 200, 200,
  ]);
  const sent = say(chat, 'during', 'is anybody there?');
  await until(() => sent.answer !== undefined);
  expect(sent.answer).toMatchObject({ ok: false, error: { code: 'unavailable', details: { retryAfterMs: 1_000 } } });
  const rest = await get(`/api/v1/shops/${shop}/settings`);
  expect([rest.status, rest.headers.get('retry-after')]).toEqual([401, null]);
  const known = await fetch(`${node.said.url}/api/v1/shops/${shop}/settings`, {
    headers: { authorization: `Bearer ${SECRET}` },
  });
  expect([known.status, known.headers.get('retry-after')]).toEqual([503, '1']);

  const late = new BuyerClient({ url: node.said.url, token });
  undo.push(() => late.disconnect());
  const refused = new Promise<ConnectionRefused>((resolve) => late.once('refused', resolve));
  const connected = late.connect();
  expect(await refused).toMatchObject({ error: { code: 'unavailable' }, final: false });
  proxy.pass();
  await connected;
  expect((await late.open()).conversation.state).toBe('pooled');
  const after = say(chat, 'during', 'is anybody there?');
  await until(() => after.answer !== undefined);
  expect(after.answer).toMatchObject({ ok: true });
  await until(async () => (await get('/readyz')).status === 200);
  expect(await problemsIn(house.redis, shop)).toEqual([]);
});
