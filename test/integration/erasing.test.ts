// Erasing a buyer: of whoever has done everything that there is to do, nothing is left anywhere, whoever dies on the way.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Conversation } from '../../client-sdk/contract/index.ts';
import { BuyerClient } from '../../client-sdk/index.ts';
import { createApplication } from '../../server/application.ts';
import { createLog } from '../../server/log.ts';
import type { AgentActor } from '../../server/services/actor.ts';
import { choosePresence, connectAgent, disconnectAgent } from '../../server/services/attendance.ts';
import { tokenForBuyer } from '../../server/services/buyer-tokens.ts';
import { putBuyer, recordConversion } from '../../server/services/buyers.ts';
import { createConfigs } from '../../server/services/configs.ts';
import { open } from '../../server/services/dispatch.ts';
import { eraseBuyer, fingerprintOf, goOnErasing } from '../../server/services/erasing.ts';
import type { House } from '../../server/services/house.ts';
import { closeConversation, transferConversation } from '../../server/services/moves.ts';
import { createShop, patchSettings, putAgent } from '../../server/services/shops.ts';
import { rate, say } from '../../server/services/talk.ts';
import { deliveryId } from '../../server/services/webhook-events.ts';
import { readBuyer } from '../../server/store/buyers.ts';
import { connect } from '../../server/store/connect.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import type { Connection } from '../../server/store/script.ts';
import { createWorkers } from '../../workers/workers.ts';
import { problemsIn } from '../support/consistent.ts';
import { createTestHouse, type TestHouse, testLog } from '../support/house.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { newShopId } from '../support/shop.ts';
import { tracesOf } from '../support/traces.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let own: OwnRedis;
let test_: TestHouse;
let house: House;
let receiver: Receiver;

beforeAll(async () => {
  own = await startOwnRedis();
  test_ = createTestHouse(own.url);
  house = test_.house;
  receiver = await startReceiver(() => 500);
});
afterAll(async () => {
  await receiver.close();
  await test_.close();
  await own.stop();
});

const actorOf = (shop: string, id: string): AgentActor => ({
  kind: id === 'hook' ? 'robot' : 'agent',
  shop,
  id,
  role: id === 'sue' ? 'supervisor' : 'agent',
});
const here = async (shop: string, agent: string, now: number) => {
  await connectAgent(house, shop, agent, 'desk', 'node', now);
  await choosePresence(house, shop, agent, 'online', 'chose', now);
};
const gone = (shop: string, agent: string, now: number) => disconnectAgent(house, shop, agent, 'desk', now);

async function openShop(now: number): Promise<string> {
  const shop = newShopId('erasing');
  await createShop(house, shop, 'A shop', now);
  for (const id of ['anna', 'ben', 'proxy']) {
    await putAgent(house, shop, id, { name: id, role: 'agent', kind: 'human', capacity: 50 }, now);
  }
  await putAgent(house, shop, 'sue', { name: 'Sue', role: 'supervisor', kind: 'human' }, now);
  await patchSettings(house, shop, { presenceGraceMs: 0, welcome: { text: 'Hello' } }, now);
  return shop;
}

/** Who is to be erased, and every word that must not be found afterwards. */
type Past = { readonly buyer: string; readonly words: Set<string>; open: Conversation };

/** A buyer's days up to now: talks that ended in every way, and one that has begun after `setUp`. */
async function live(shop: string, buyer: string, now: number, setUp: () => unknown = () => undefined): Promise<Past> {
  const me = { kind: 'buyer', shop, id: buyer } as const;
  const words = new Set([buyer, `name-of-${buyer}`, `order-of-${buyer}`]);
  const sue = { kind: 'supervisor', id: 'sue' } as const;
  const talk = async (at: number, said: string, entry = {}) => {
    const { conversation } = await open(house, shop, buyer, entry, at, `request-${said}-${buyer}`);
    words.add(conversation.id);
    for (const clientId of [`${said}-1-${buyer}`, `${said}-2-${buyer}`]) {
      const saying = {
        conversation: conversation.id,
        clientId,
        body: { type: 'text', text: `text ${clientId}` },
      } as const;
      await say(house, me, saying, at);
      words.add(`text ${clientId}`);
    }
    return conversation;
  };
  await putBuyer(house, shop, buyer, { name: `name-of-${buyer}`, crowds: ['vip'] }, now - 9 * DAY, sue);

  // Long ago, with Anna: a contact that later lists have forgotten.
  await here(shop, 'anna', now - 9 * DAY);
  const first = await talk(now - 9 * DAY, 'first', { product: 'tea', order: `order-of-${buyer}` });
  await rate(house, me, first.id, { score: 1, comment: `comment-of-${buyer}` }, now - 9 * DAY);
  words.add(`comment-of-${buyer}`);
  await closeConversation(house, actorOf(shop, 'sue'), first.id, now - 9 * DAY);
  await gone(shop, 'anna', now - 9 * DAY);

  // With Ben, given to Sue and back, with a sale.
  await here(shop, 'ben', now - 5 * DAY);
  await here(shop, 'sue', now - 5 * DAY);
  const second = await talk(now - 5 * DAY, 'second');
  for (const agent of ['sue', 'ben']) {
    await transferConversation(house, actorOf(shop, 'sue'), second.id, { agent }, now - 5 * DAY, {
      note: `note ${buyer}`,
    });
  }
  await recordConversion(house, shop, buyer, `order-of-${buyer}`, now - 5 * DAY);
  await closeConversation(house, me, second.id, now - 5 * DAY);
  for (const agent of ['ben', 'sue']) await gone(shop, agent, now - 5 * DAY);
  await house.settled();
  await putBuyer(house, shop, buyer, { name: `name-of-${buyer}`, crowds: ['new'] }, now - 4 * DAY, sue);
  await setUp();
  return { buyer, words, open: await talk(now, 'last') };
}

const beingErased = (shop: string) => house.redis.zcard(keysOfShop(shop).erasing);
const erasedEntries = async (shop: string) =>
  (await house.redis.xrange(keysOfShop(shop).audit, '-', '+')).filter(([, fields]) => fields.includes('buyer:erased'));

/** How the shop is when the last talk begins, and where it comes to. */
const ends: Record<string, { state: Conversation['state']; before(shop: string, now: number): Promise<unknown> }> = {
  assigned: { state: 'assigned', before: (shop, now) => here(shop, 'ben', now) },
  pooled: { state: 'pooled', before: async () => undefined },
  queued: {
    state: 'queued',
    async before(shop, now) {
      await putAgent(house, shop, 'ben', { name: 'ben', role: 'agent', kind: 'human', capacity: 1 }, now);
      await here(shop, 'ben', now);
      await open(house, shop, 'somebody-else', {}, now);
    },
  },
  overnight: {
    state: 'assigned',
    before(shop, now) {
      const clock = (at: number) => new Date(at).toISOString().slice(11, 16);
      const [from, until_] = [clock(now - HOUR), clock(now + HOUR)];
      const nightShift = { enabled: true, proxy: 'proxy', from, until: until_ };
      return patchSettings(house, shop, { timezone: 'UTC', nightShift }, now);
    },
  },
  robot: {
    state: 'robot',
    async before(shop, now) {
      const webhook = { url: receiver.url };
      await here(shop, 'ben', now);
      await putAgent(house, shop, 'hook', { name: 'Hook', role: 'agent', kind: 'robot', webhook }, now);
      await patchSettings(house, shop, { robotFirst: { enabled: true, robot: 'hook' } }, now);
    },
  },
};

async function work(): Promise<() => Promise<void>> {
  const process = createTestHouse(own.url);
  const connections = [connect({ url: own.url }, () => {}), connect({ url: own.url }, () => {})] as const;
  const webhooks = { privateAddresses: true, backoffMs: 1 };
  const workers = await createWorkers({ connections, house: process.house, log: testLog, webhooks });
  return async () => {
    await workers.close();
    await process.close();
    for (const connection of connections) connection.disconnect();
  };
}

describe('a buyer who has done everything', () => {
  test.each(Object.keys(ends))('and is %s: erased while workers run, nothing of them is left', async (name) => {
    const end = ends[name] as (typeof ends)[string];
    const now = Date.now();
    const shop = await openShop(now - 10 * DAY);
    const other = await live(shop, 'buyer-who-stays', now - 10 * 60_000);
    await closeConversation(house, { kind: 'buyer', shop, id: other.buyer }, other.open.id, now - 10 * 60_000);
    const past = await live(shop, `buyer-${name}`, now, () => end.before(shop, now));
    expect(past.open.state).toBe(end.state);
    const stop = await work();
    try {
      if (name === 'robot') {
        const dead = async () => (await house.deliveries.deadLetters(shop, 0, 10)).deadLetters;
        await until(async () => (await dead()).length === 3);
        expect((await dead()).map(({ conversation }) => conversation)).toContain(past.open.id);
      }
      expect((await tracesOf(house.redis, past.words)).length).toBeGreaterThan(20);
      await eraseBuyer(house, shop, past.buyer, Date.now(), { kind: 'owner', id: 'owner' });
      await until(async () => (await beingErased(shop)) === 0);
    } finally {
      await stop();
    }
    await house.settled();
    expect(await tracesOf(house.redis, past.words)).toEqual([]);
    expect(await problemsIn(house.redis, shop)).toEqual([]);
    expect(house.buyers.get(shop, past.buyer)).toMatchObject({ profile: '0', conversation: '' });
    const fingerprint = createHash('sha256').update(`${shop}:${past.buyer}`).digest('hex');
    const where = (await tracesOf(house.redis, [fingerprint])).map((line) => line.split(' ')[2]);
    const { events, audit } = keysOfShop(shop);
    expect(where.sort()).toEqual([`${audit}:`, `${events}:`]);
    // … and nobody else has lost anything.
    const words = [...other.words].filter((word) => !word.startsWith('name-of') && !word.startsWith('order-of'));
    const found = await tracesOf(house.redis, words);
    for (const word of words) expect(found.filter((line) => line.startsWith(`${word} in`))).not.toEqual([]);
  });
});

/** A connection that does `most` commands and then none any more, as if the process had been killed. */
function mortal(redis: Connection, most: number): { readonly redis: Connection; did(): number; tick(): void } {
  let did = 0;
  const tick = () => {
    if (did >= most) throw new Error('killed');
    did++;
  };
  const proxied = new Proxy(redis, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        tick();
        return value.apply(target, args);
      };
    },
  });
  return { redis: proxied, did: () => did, tick };
}

describe('killed half way', () => {
  test('at any command, a worker goes on, and nothing is left', { timeout: 240_000 }, async () => {
    const now = Date.now();
    const shop = await openShop(now - 10 * DAY);
    const { events } = keysOfShop(shop);
    let killed = 0;
    for (let most = 1; ; most++) {
      const past = await live(shop, `mortal-${most}`, now);
      const [[event] = ['']] = await house.redis.xrevrange(events, '+', '-', 'COUNT', 1);
      const about = { shop, agent: 'hook', conversation: past.open.id, at: now };
      await house.deliveries.add([{ id: deliveryId(shop, event), type: 'message:created', seq: 2, ...about }]);
      const life = mortal(house.redis, most);
      const dying: House = {
        ...house,
        redis: life.redis,
        configs: createConfigs(life.redis),
        deliveries: {
          ...house.deliveries,
          forget(...args) {
            life.tick();
            return house.deliveries.forget(...args);
          },
        },
      };
      const outcome = await eraseBuyer(dying, shop, past.buyer, now, { kind: 'owner', id: 'owner' }).then(
        () => 'erased',
        (error) => String(error.message),
      );
      const begun = (await beingErased(shop)) > 0;
      if (outcome === 'killed') killed++;
      // Whoever began may still be at it: it is left alone for a while.
      await goOnErasing(house, shop, now + 1_000);
      expect((await beingErased(shop)) > 0).toBe(begun);
      await goOnErasing(house, shop, now + 15_000);
      expect(await beingErased(shop)).toBe(0);
      if (!begun && outcome === 'killed') {
        // Before anything was recorded nothing was done: whoever asked was not answered, and asks again.
        expect(await house.redis.exists(`${keysOfShop(shop).base}buyer:${past.buyer}`)).toBe(1);
        await eraseBuyer(house, shop, past.buyer, now);
      }
      await house.settled();
      expect(await tracesOf(house.redis, past.words, [keysOfShop(shop).base, '{fenliu-jobs}'])).toEqual([]);
      if (outcome === 'erased') break;
      expect(outcome).toBe('killed');
    }
    expect(killed).toBeGreaterThan(15);
    expect(await problemsIn(house.redis, shop)).toEqual([]);
    // Asked for once, said once, whoever did it.
    const fingerprints = (await erasedEntries(shop)).map(([, fields]) => fields[fields.indexOf('target') + 1]);
    expect(fingerprints).toEqual(Array.from({ length: killed + 1 }, (_, n) => fingerprintOf(shop, `mortal-${n + 1}`)));
  });
});

describe('a buyer who clicks while they are being erased', () => {
  test('is erased, or somebody new, and never half of both', async () => {
    const now = Date.now();
    const shop = await openShop(now - 10 * DAY);
    await here(shop, 'ben', now);
    const elsewhere = createTestHouse(own.url);
    try {
      for (let round = 0; round < 10; round++) {
        const buyer = `click-${round}`;
        const past = await live(shop, buyer, now);
        let clicks = 0;
        const erasing = eraseBuyer(house, shop, buyer, now);
        const clicking = (async () => {
          for (; clicks < 5 + round; clicks++)
            await open(elsewhere.house, shop, buyer, {}, now + 1).catch(() => undefined);
        })();
        const goingOn = goOnErasing(elsewhere.house, shop, now + 15_000);
        await Promise.all([erasing, clicking, goingOn]);
        while ((await beingErased(shop)) > 0) await goOnErasing(house, shop, now + 15_000);
        past.words.delete(buyer);
        expect(await tracesOf(house.redis, past.words, [keysOfShop(shop).base])).toEqual([]);
        const { scope } = await house.configs.fresh(shop);
        const record = await readBuyer(scope, buyer);
        const told = (await house.redis.xrange(scope.keys.events, '-', '+')).filter(([, fields]) =>
          fields.includes(buyer),
        );
        if (!record) expect(told).toEqual([]);
        else {
          const conversations = new Set(told.map(([, fields]) => fields[fields.indexOf('conversation') + 1]));
          expect(conversations).toEqual(new Set([record.newest]));
          expect(record).toMatchObject({ profile: '0', crowds: [] });
        }
        await house.settled();
        await elsewhere.house.settled();
        expect(await problemsIn(house.redis, shop)).toEqual([]);
      }
    } finally {
      await elsewhere.close();
    }
  });
});

describe('several nodes', () => {
  const keys = { secret: 'signs-the-sessions-of-tests', adminKey: 'admin-key-of-the-tests' };

  test('a buyer erased through one is remembered by none, and their windows are told and closed', async () => {
    const now = Date.now();
    const shop = await openShop(now);
    await here(shop, 'ben', now);
    const start = () =>
      createApplication({ redis: { url: own.url }, keys, log: createLog('silent', 'test'), shared: true });
    const [first, second] = [await start(), await start()];
    const [port, url] = [await first.listen(0), `http://127.0.0.1:${await second.listen(0)}`];
    const buyer = new BuyerClient({ url, token: await tokenForBuyer(house, shop, 'nomad', now) });
    try {
      await buyer.connect();
      const { conversation } = await buyer.open({});
      expect(second.house.buyers.get(shop, 'nomad')).toMatchObject({ conversation: conversation.id });
      const told = new Promise((resolve) =>
        buyer.on('chat:changed', ({ conversation: { state } }) => state === 'closed' && resolve(state)),
      );
      const sockets = () => second.io.of('/buyer').sockets.size;
      expect(sockets()).toBe(1);
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/shops/${shop}/buyers/nomad`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${keys.adminKey}` },
      });
      expect(await answer.json()).toEqual({ ok: true });
      await told;
      await until(() => sockets() === 0);
      await until(() => second.house.buyers.get(shop, 'nomad').conversation === '');
      expect(await tracesOf(house.redis, ['nomad', conversation.id], [keysOfShop(shop).base])).toEqual([]);
    } finally {
      buyer.disconnect();
      await first.close();
      await second.close();
    }
  });
});
