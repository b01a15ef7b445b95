/** A node that is told to end hands its sockets on: nobody loses a message, nobody is offline, and not all come at once. */
import { io } from 'socket.io-client';
import { beforeAll, expect, it } from 'vitest';
import { BuyerClient } from '../../client-sdk/index.ts';
import { tokenForBuyer } from '../../server/services/buyer-tokens.ts';
import type { House } from '../../server/services/house.ts';
import { keysOfShop, nodesKey } from '../../server/store/keys.ts';
import { startBalancer } from '../support/balancer.ts';
import { problemsIn } from '../support/consistent.ts';
import { SECRET, useNodeHouse } from '../support/node-house.ts';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { openTalks, type Talks } from '../support/talks.ts';
import { until } from '../support/until.ts';

const BEAT_MS = 5_000;
const DRAIN_MS = 6_000;
/** Two processes are started, and a hundred clients connected, on a machine that may be busy. */
const PATIENCE_MS = 240_000;

const at = useNodeHouse(BEAT_MS);
const { undo } = at;
let house: House;
beforeAll(() => {
  house = at.house;
});

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const nodesListed = () => house.redis.zcard(nodesKey);

/** How often somebody was told to be offline. */
async function offlineIn({ shop }: Talks): Promise<number> {
  const events = await house.redis.xrange(keysOfShop(shop).events, '-', '+');
  return events.filter(([, fields]) => fields.includes('presence') && fields.includes('offline')).length;
}

it('of a hundred clients who talk, those on the node that ends go over one after another, and nobody notices', {
  timeout: PATIENCE_MS,
}, async () => {
  const [ending, staying] = await Promise.all([at.startNode({ drainMs: DRAIN_MS }), at.startNode()]);
  const balancer = await startBalancer([ending.said.url, staying.said.url]);
  undo.push(balancer.close);
  const talks = await openTalks(house, SECRET, names('agent', 20));
  undo.push(talks.disconnect);
  await Promise.all(names('agent', 20).map((id) => talks.agent(balancer.url, id)));
  await Promise.all(names('buyer', 80).map((id) => talks.buyer(balancer.url, id)));
  await until(() => talks.said() > 200);

  const ended = ending.end('SIGTERM');
  await until(async () => (await fetch(`${ending.said.url}/readyz`)).status === 503);
  const late = new BuyerClient({
    url: ending.said.url,
    token: await tokenForBuyer(house, talks.shop, 'late', Date.now()),
  });
  undo.push(() => late.disconnect());
  const refused = new Promise<unknown>((resolve) => late.once('refused', resolve));
  late.connect().catch(() => undefined);
  expect(await refused).toMatchObject({ error: { code: 'unavailable' }, final: false });
  late.disconnect();

  expect(await ended).toBe(0);
  expect(await nodesListed()).toBe(1);
  await until(() => talks.away.size === 0);
  const before = talks.said();
  await until(() => talks.said() > before + 200);
  await talks.finish();
  // Those on the node that ended, half of all, and nobody else.
  expect(Math.abs(talks.moved.size - 50)).toBeLessThanOrEqual(5);
  // Most of them still talked there when the first ones had gone.
  const when = [...talks.moved.values()].sort((a, b) => a - b);
  const [first = 0, last = 0] = [when[0], when.at(-1)];
  expect(last - first).toBeGreaterThan(50);
  expect(when.filter((said) => said <= first + (last - first) / 10).length).toBeLessThan(when.length / 2);
  expect(talks.failures.filter(({ code }) => code !== 'unavailable')).toEqual([]);
  expect(await offlineIn(talks)).toBe(0);
  expect(await house.redis.hlen(keysOfShop(talks.shop).sockets)).toBe(20);
  expect(await problemsIn(house.redis, talks.shop)).toEqual([]);
});

it('who polls is handed on as well', async () => {
  const node = await at.startNode({ drainMs: 500 });
  const talks = await openTalks(house, SECRET, []);
  const token = await tokenForBuyer(house, talks.shop, 'polls', Date.now());
  const socket = io(`${node.said.url}/buyer`, { transports: ['polling'], auth: { token }, reconnection: false });
  undo.push(() => socket.disconnect());
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const gone = new Promise<string>((resolve) => socket.once('disconnect', resolve));
  expect(await node.end('SIGTERM')).toBe(0);
  expect(await gone).toBe('io server disconnect');
});

it('a client that hangs does not keep the node from ending well', async () => {
  const node = await at.startNode();
  const talks = await openTalks(house, SECRET, []);
  const token = await tokenForBuyer(house, talks.shop, 'hangs', Date.now());
  const socket = io(`${node.said.url}/buyer`, { transports: ['websocket'], auth: { token }, reconnection: false });
  undo.push(() => socket.disconnect());
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const { transport } = socket.io.engine as unknown as { transport: { ws: { _socket: { pause(): void } } } };
  transport.ws._socket.pause();
  expect(await node.end('SIGTERM')).toBe(0);
});

it('a command that is under way when its socket is handed on is answered before the socket goes', async () => {
  const proxy = await startRedisProxy(at.redisUrl);
  undo.push(proxy.close);
  const node = await at.startNode({ drainMs: DRAIN_MS, url: proxy.url });
  const talks = await openTalks(house, SECRET, []);
  const token = await tokenForBuyer(house, talks.shop, 'asks', Date.now());
  const socket = io(`${node.said.url}/buyer`, { transports: ['websocket'], auth: { token }, reconnection: false });
  undo.push(() => socket.disconnect());
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const order: string[] = [];
  const gone = new Promise<void>((resolve) =>
    socket.once('disconnect', () => {
      order.push('gone');
      resolve();
    }),
  );
  // Longer than the part of the window in which nobody is sent away yet.
  proxy.slow(DRAIN_MS / 4);
  socket.emit('message:list', { conversation: 'none' }, () => order.push('answered'));
  const metrics = async () => (await fetch(`${node.said.url}/metrics`)).text();
  await until(async () => (await metrics()).includes('fenliu_commands_under_way 1'));
  const ended = node.end('SIGTERM');
  await gone;
  expect(order).toEqual(['answered', 'gone']);
  proxy.pass();
  expect(await ended).toBe(0);
});

it('a call that is under way when the node is told to end is answered', async () => {
  const proxy = await startRedisProxy(at.redisUrl);
  undo.push(proxy.close);
  const node = await at.startNode({ url: proxy.url });
  const { shop } = await openTalks(house, SECRET, []);
  const get = (path: string, headers = {}) => fetch(`${node.said.url}${path}`, { headers });
  proxy.slow(3_000);
  const call = get(`/api/v1/shops/${shop}/settings`, { authorization: `Bearer ${SECRET}` });
  await until(async () => (await (await get('/metrics')).text()).includes('fenliu_commands_under_way 1'));
  const ended = node.end('SIGTERM');
  await until(() =>
    get('/healthz').then(
      () => false,
      () => true,
    ),
  );
  proxy.pass();
  expect((await call).status).toBe(200);
  expect(await ended).toBe(0);
});
