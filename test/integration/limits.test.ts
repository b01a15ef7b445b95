// Limits of buyer, address and shop: counted over all nodes, each with a clear answer, and by each node alone while Redis is away.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { io } from 'socket.io-client';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { AgentClient, BuyerClient, CommandError } from '../../client-sdk/index.ts';
import { type Application, createApplication } from '../../server/application.ts';
import { createLog } from '../../server/log.ts';
import type { LimitChanges } from '../../server/services/allowances.ts';
import { createLimits } from '../../server/services/limits.ts';
import { connect } from '../../server/store/connect.ts';
import { type OpenShop, openShopAt } from '../support/bystanders.ts';
import { createTestHouse } from '../support/house.ts';
import { newShopId } from '../support/shop.ts';
import { until } from '../support/until.ts';

const keys = { secret: 'signs the sessions of the tests', adminKey: 'the-admin-key-of-the-tests' };
const seconds = 600;
const limited = { code: 'rate-limited', details: { retryAfterMs: expect.any(Number) } };

const nodes: Application[] = [];
const clients: { disconnect(): void }[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  for (const node of nodes.splice(0)) await node.close();
});

async function node(limits: LimitChanges): Promise<string> {
  const log = createLog('silent', 'test');
  const application = await createApplication({ redis: inject('redis'), keys, log, shared: true, limits });
  nodes.push(application);
  return `http://127.0.0.1:${await application.listen(0)}`;
}

async function buyerAt(url: string, shop: OpenShop, id: string): Promise<BuyerClient> {
  const buyer = new BuyerClient({ url, token: await shop.buyerToken(id) });
  clients.push(buyer);
  await buyer.connect();
  return buyer;
}

/** Does it until it is refused; answers how often it was done, and the refusal. */
async function untilRefused(work: () => Promise<unknown>): Promise<{ done: number; error: unknown }> {
  for (let done = 0; ; done++) {
    try {
      await work();
    } catch (error) {
      return { done, error };
    }
  }
}

describe('over two nodes', () => {
  it('a buyer may write so much, over all sockets and nodes; another buyer, and reading, is not concerned', async () => {
    const limits = { writesOfBuyer: { count: 12, seconds } };
    const [a, b] = [await node(limits), await node(limits)];
    const shop = await openShopAt(a, keys.adminKey, 'limits');
    const [here, there] = [await buyerAt(a, shop, 'xia'), await buyerAt(b, shop, 'xia')];
    const { conversation } = await here.open();
    let turn = 0;
    const { done, error } = await untilRefused(async () => {
      await (turn++ % 2 === 0 ? here : there).send(conversation.id, 'hello');
    });
    // What the other node has counted is known a part of the allowance later: here each one is told.
    expect([11, 12]).toContain(done);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject(limited);
    // The other node knows it, too.
    await until(async () => (await untilRefused(() => there.open())).done === 0);
    await until(async () => (await untilRefused(() => here.open())).done === 0);
    expect((await there.list(conversation.id)).messages).toHaveLength(done);
    await expect((await buyerAt(a, shop, 'yu')).open()).resolves.toBeDefined();
  });

  it('the buyers of a shop may write so much; its agents go on, and so does another shop', async () => {
    const limits = { callsOfShop: { count: 15, seconds } };
    const [a, b] = [await node(limits), await node(limits)];
    const shop = await openShopAt(a, keys.adminKey, 'limits');
    const other = await openShopAt(a, keys.adminKey, 'limits');
    const buyers = [await buyerAt(a, shop, 'x1'), await buyerAt(b, shop, 'x2')];
    let turn = 0;
    const { done, error } = await untilRefused(async () => {
      await buyers[turn++ % 2]?.open();
    });
    expect([15, 16]).toContain(done);
    expect(error).toMatchObject(limited);
    const agent = new AgentClient({ url: b, token: await shop.agentToken('anna') });
    clients.push(agent);
    await agent.connect();
    expect(await agent.setPresence('online')).toBeDefined();
    await expect((await buyerAt(b, other, 'x1')).open()).resolves.toBeDefined();
  });

  it('what a shop has programs do over REST is limited, reading is not', async () => {
    const url = await node({ callsOfShop: { count: 10, seconds } });
    const shop = await openShopAt(url, keys.adminKey, 'limits');
    const call = (method: string) =>
      fetch(`${url}/api/v1/shops/${shop.shop}/settings`, {
        method,
        headers: { authorization: `Bearer ${shop.apiKey}`, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: '{}' }),
      });
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await call('PATCH')).status);
    // Two have made the agents.
    expect(statuses).toEqual([...Array(8).fill(200), ...Array(4).fill(429)]);
    const refused = await call('PATCH');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await refused.json()).error.details.retryAfterMs).toBeGreaterThan(0);
    expect((await call('GET')).status).toBe(200);
  });

  it('a handshake too many is refused with its code, and the client tries again by itself', async () => {
    const url = await node({});
    const shop = await openShopAt(url, keys.adminKey, 'limits');
    // From an address that nobody else in this Redis uses.
    const address = `address-${newShopId()}`;
    const extraHeaders = { 'x-forwarded-for': address };
    const log = createLog('silent', 'test');
    const application = await createApplication({
      redis: inject('redis'),
      keys,
      log,
      trustProxy: 1,
      limits: { handshakes: { count: 5, seconds } },
    });
    nodes.push(application);
    const strict = `http://127.0.0.1:${await application.listen(0)}`;
    const outcomes: string[] = [];
    const token = await shop.buyerToken('xia');
    for (let i = 0; i < 4; i++) {
      const socket = io(`${strict}/buyer`, {
        auth: { token },
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
        extraHeaders,
      });
      outcomes.push(
        await new Promise<string>((resolve) => {
          socket.once('connect', () => resolve('in'));
          socket.once('connect_error', (error) =>
            resolve((error as { data?: { code: string } }).data?.code ?? 'no connection'),
          );
        }),
      );
      socket.close();
    }
    // Two each: the third has its connection and no place; the fourth not even that.
    expect(outcomes).toEqual(['in', 'in', 'rate-limited', 'no connection']);
    const reachable = io(`${strict}/buyer`, { auth: { token }, transports: ['websocket'], forceNew: true });
    await new Promise<void>((resolve) => reachable.once('connect', resolve));
    reachable.close();
  });
});

describe('one node', () => {
  it('an address may make so many calls and commands together', async () => {
    const house = createTestHouse(inject('redis'));
    const limits = createLimits(house.house, { callsOfAddress: { count: 10, seconds } });
    const address = `address-${newShopId()}`;
    const command = limits.commands({ shop: newShopId(), buyer: 'xia', address });
    for (let i = 0; i < 5; i++) {
      limits.call(address);
      command('message:send');
    }
    expect(() => limits.call(address)).toThrow(expect.objectContaining(limited));
    expect(() => command('message:send')).toThrow(expect.objectContaining(limited));
    command('message:list');
    limits.call(`address-${newShopId()}`);
    await house.close();
  });

  it.each([
    ['refuses connections', 'closed'],
    ['does not answer', 'mute'],
  ])('counts for itself while Redis %s', async (_, how) => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const address = mute.address() as { port: number };
    if (how === 'closed') await new Promise((resolve) => mute.close(resolve));
    const redis = connect({ url: `redis://127.0.0.1:${address.port}` }, () => {});
    const limits = createLimits(
      { redis, log: createLog('silent', 'test') },
      { callsOfAddress: { count: 40, seconds } },
    );
    const { done } = await untilRefused(async () => limits.call('192.0.2.7'));
    expect(done).toBe(40);
    limits.call('192.0.2.8');
    redis.disconnect();
    mute.close();
  });

  it('forgets when the time is over', async () => {
    let now = 0;
    const house = createTestHouse(inject('redis'));
    const limits = createLimits(house.house, { callsOfAddress: { count: 2, seconds: 60 } }, () => now);
    const address = `address-${newShopId()}`;
    const { done, error } = await untilRefused(async () => limits.call(address));
    expect([done, (error as { details: { retryAfterMs: number } }).details.retryAfterMs]).toEqual([2, 60_000]);
    now = 60_000;
    // A minute has passed here, and none in Redis: what Redis says is right, as soon as it has said it.
    limits.call(address);
    await until(() => {
      try {
        limits.call(address);
        return false;
      } catch {
        return true;
      }
    });
    await house.close();
  });
});
