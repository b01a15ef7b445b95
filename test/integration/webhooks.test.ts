// A robot that is a URL: events out of the outbox, signed and sent by real workers to a real HTTP server, its answers said.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Message } from '../../client-sdk/contract/index.ts';
import { type BuyerClient, verifyWebhook } from '../../client-sdk/index.ts';
import { sweepGhosts } from '../../server/services/ghosts.ts';
import type { House, Tell } from '../../server/services/house.ts';
import { secretNames } from '../../server/services/secret-names.ts';
import { putAgent } from '../../server/services/shops.ts';
import { announceWebhook } from '../../server/services/webhook-attendance.ts';
import { type Delivery, deliver } from '../../server/services/webhook-delivery.ts';
import { relayEvents, webhookShops } from '../../server/services/webhook-events.ts';
import { createPost } from '../../server/services/webhook-post.ts';
import { readSecret } from '../../server/store/configure.ts';
import { connect } from '../../server/store/connect.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import { takeEvents } from '../../server/store/outbox.ts';
import type { WebhookOptions } from '../../workers/deliveries.ts';
import { createWorkers } from '../../workers/workers.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { createTestHouse, silentTell, testLog } from '../support/house.ts';
import { until } from '../support/until.ts';
import { type Received, type Receiver, startReceiver } from '../support/webhook-receiver.ts';

/** A database of its own: these workers must not work for other tests, nor others for these. */
const redisUrl = `${inject('redisUrl').replace(/\/\d*$/, '')}/7`;

const MINUTE = 60_000;

const started: { close(): Promise<void> }[] = [];
let dispatcher: Dispatcher;
let receiver: Receiver;
let house: House;
let secret = '';
let buyers = 0;

const robot = (webhook?: unknown) => ({ name: 'Robo', kind: 'robot', webhook });
const putRobot = async (webhook?: unknown, id = 'robo') =>
  (await dispatcher.call('PUT', `agents/${id}`, robot(webhook))) as { webhook?: object; webhookSecret?: string };

/** Workers of a process of their own, as far as Redis can tell. */
async function work(webhooks: WebhookOptions = {}, tell = silentTell): Promise<{ close(): Promise<void> }> {
  const own = createTestHouse(redisUrl, { tell });
  const connections = [0, 1].map(() => connect({ url: redisUrl }, () => {}));
  const [queue, worker] = connections;
  if (!queue || !worker) throw new Error('no connections');
  const workers = await createWorkers({
    connections: [queue, worker],
    house: own.house,
    log: testLog,
    webhooks: { privateAddresses: true, backoffMs: 1, ...webhooks },
  });
  let closed = false;
  const process = {
    async close() {
      if (closed) return;
      closed = true;
      await workers.close();
      await own.close();
      for (const connection of connections) connection.disconnect();
    },
  };
  started.push(process);
  return process;
}

async function newBuyer(): Promise<{ buyer: BuyerClient; conversation: string }> {
  const buyer = await dispatcher.connectBuyer(`buyer-${++buyers}`);
  const { conversation } = await buyer.open({});
  return { buyer, conversation: conversation.id };
}

const messagesOf = async (conversation: string): Promise<Message[]> =>
  (await dispatcher.get(`conversations/${conversation}/messages`)).messages;
const saidIn = async (conversation: string) => (await messagesOf(conversation)).map(({ body }) => body.text);
const liveRobot = async (id = 'robo') =>
  (await dispatcher.get('live')).agents.find((agent: { id: string }) => agent.id === id);
const about = (conversation: string) => (received: Received) => received.event.data.conversation.id === conversation;
const sentAbout = (conversation: string) => receiver.received.filter(about(conversation));
const deadLetters = async () => (await dispatcher.get('dead-letters')).deadLetters;

/** What was taken and not finished is as if it had been taken a minute ago. */
async function age(): Promise<number> {
  const { events } = keysOfShop(dispatcher.shop);
  const pending = (await house.redis.xpending(events, 'webhooks', '-', '+', 100)) as [string][];
  for (const [id] of pending) {
    await house.redis.call('XCLAIM', events, 'webhooks', 'workers', '0', id, 'IDLE', '60000', 'JUSTID');
  }
  return pending.length;
}
const unfinished = async () => Number((await house.redis.xpending(keysOfShop(dispatcher.shop).events, 'webhooks'))[0]);

beforeAll(async () => {
  dispatcher = await createDispatcher(redisUrl);
  house = dispatcher.application.house;
  receiver = await startReceiver();
  await dispatcher.agent('anna', { name: 'Anna' });
  secret = (await putRobot({ url: receiver.url })).webhookSecret ?? '';
  await dispatcher.call('PATCH', 'settings', { robotFirst: { enabled: true, robot: 'robo' } });
  const anna = await dispatcher.connectAgent('anna');
  await anna.setPresence('online');
});
beforeEach(() => {
  receiver.react = () => '';
  receiver.received.length = 0;
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.close()));
});
afterAll(async () => {
  await receiver.close();
  await dispatcher.close();
});

describe('deliveries', () => {
  test('are signed, and what is answered reaches the buyer once', async () => {
    await work();
    receiver.react = ({ event }) =>
      event.type === 'message:created'
        ? { messages: [{ text: `You said ${event.data.message.body.text}.` }] }
        : { messages: [{ text: 'Hello.' }, { text: 'How can I help?' }] };
    const { buyer, conversation } = await newBuyer();
    const heard: string[] = [];
    buyer.on('message:created', ({ message }) => heard.push(message.body.text));
    await until(() => sentAbout(conversation).length === 1);
    await until(async () => (await messagesOf(conversation)).length === 2);
    await buyer.send(conversation, 'tea');
    await until(async () => (await messagesOf(conversation)).length === 4);
    expect(await saidIn(conversation)).toEqual(['Hello.', 'How can I help?', 'tea', 'You said tea.']);
    expect((await messagesOf(conversation)).map(({ from }) => from.kind)).toEqual(['robot', 'robot', 'buyer', 'robot']);

    const [assigned, written] = sentAbout(conversation);
    expect(assigned?.event).toMatchObject({
      id: assigned?.id,
      type: 'conversation:assigned',
      shop: dispatcher.shop,
      agent: 'robo',
      data: { conversation: { state: 'robot' }, assignment: { conversation, outcome: 'robot', step: 'shop-robot' } },
    });
    expect(written?.event).toMatchObject({ type: 'message:created', data: { message: { seq: 3 } } });
    for (const item of [assigned, written]) {
      if (!item) throw new Error('not delivered');
      const check = { ...item, secret, now: Date.now() };
      expect(await verifyWebhook(check)).toBe(true);
      expect(await verifyWebhook({ ...check, body: item.body.replace('robo', 'bobo') })).toBe(false);
      expect(await verifyWebhook({ ...check, now: check.now + 600_000 })).toBe(false);
      expect(await verifyWebhook({ ...check, secret: 'another' })).toBe(false);
    }
  });

  test('may be answered with a hand-over to a human, who is told why', async () => {
    const told: unknown[] = [];
    const tell: Tell = {
      ...silentTell,
      agent: (_, agent, event, data) => {
        if (agent === 'anna' && event === 'conversation:assigned') told.push(data);
      },
    };
    await work({}, tell);
    receiver.react = ({ event }) =>
      event.type === 'message:created' ? { messages: [{ text: 'One moment.' }], handover: { reason: 'a refund' } } : '';
    const { buyer, conversation } = await newBuyer();
    await buyer.send(conversation, 'my money');
    await until(async () => (await dispatcher.get(`conversations/${conversation}`)).agent === 'anna');
    await until(() => told.length > 0);
    expect(told).toMatchObject([{ conversation: { id: conversation }, cause: 'robot-handover', note: 'a refund' }]);
    expect(await saidIn(conversation)).toEqual(['my money', 'One moment.']);
    expect(sentAbout(conversation).filter(({ event }) => event.type === 'message:created')).toHaveLength(1);
  });

  test('go to the proxy of the night too, whose hand-over waits for the morning', async () => {
    await work();
    receiver.react = ({ event }) =>
      event.type === 'message:created' ? { messages: [{ text: 'We open at eight.' }], handover: {} } : '';
    const allDay = { enabled: true, proxy: 'robo', from: '00:00', until: '00:00' };
    await dispatcher.call('PATCH', 'settings', { nightShift: allDay });
    const { buyer, conversation } = await newBuyer();
    await buyer.send(conversation, 'hello');
    await until(async () => (await messagesOf(conversation)).length === 2);
    expect(await saidIn(conversation)).toEqual(['hello', 'We open at eight.']);
    expect(sentAbout(conversation)[0]?.event.data).toMatchObject({ assignment: { outcome: 'proxy', agent: 'robo' } });
    expect((await dispatcher.get(`conversations/${conversation}`)).agent).toBe('robo');
    await dispatcher.call('PATCH', 'settings', { nightShift: { enabled: false } });
  });

  test('are tried again until they succeed, and answered once', async () => {
    await work();
    let failures = 0;
    receiver.react = () => (++failures <= 3 ? 503 : { messages: [{ text: 'At last.' }] });
    const { conversation } = await newBuyer();
    await until(async () => (await messagesOf(conversation)).length > 0);
    expect(new Set(sentAbout(conversation).map(({ id }) => id)).size).toBe(1);
    expect(sentAbout(conversation)).toHaveLength(4);
    expect(await saidIn(conversation)).toEqual(['At last.']);
  });

  test('that never succeed are dead letters, without what was said, and can be tried again', async () => {
    await work();
    receiver.react = () => 500;
    const { buyer, conversation } = await newBuyer();
    await buyer.send(conversation, 'a secret of mine');
    await until(async () => (await deadLetters()).length === 2);
    const dead = await deadLetters();
    expect(dead.map(({ type }: { type: string }) => type).sort()).toEqual(['conversation:assigned', 'message:created']);
    for (const letter of dead) {
      expect(letter).toMatchObject({ agent: 'robo', conversation, attempts: 8, error: 'answered 500' });
    }
    expect(JSON.stringify(dead)).not.toContain('secret');
    const page = await dispatcher.get('dead-letters?limit=1');
    const rest = await dispatcher.get(`dead-letters?limit=1&cursor=${page.next}`);
    expect([...page.deadLetters, ...rest.deadLetters]).toEqual(dead);
    await expect(dispatcher.get('dead-letters?cursor=x')).rejects.toThrow(/400/);

    receiver.react = ({ event }) => (event.type === 'message:created' ? { messages: [{ text: 'Sorry.' }] } : '');
    for (const { id } of dead) await dispatcher.call('POST', `dead-letters/${id}/retry`);
    await until(async () => (await deadLetters()).length === 0);
    await until(async () => (await messagesOf(conversation)).length === 2);
    // Once more changes nothing.
    for (const { id } of dead) await dispatcher.call('POST', `dead-letters/${id}/retry`);
    expect(await saidIn(conversation)).toEqual(['a secret of mine', 'Sorry.']);
    const { entries } = await dispatcher.get('audit?action=dead-letter:retried&by=api-key');
    expect(entries.map(({ target }: { target: string }) => target).sort()).toEqual(
      dead.map(({ id }: { id: string }) => id).sort(),
    );
    await expect(dispatcher.call('POST', 'dead-letters/nothing/retry')).rejects.toThrow(/404/);
  });

  test('go to no address of our own network, unless that is allowed', async () => {
    const strict = await work({ privateAddresses: false });
    const { conversation } = await newBuyer();
    await until(async () => (await deadLetters()).length === 1);
    expect(receiver.received).toEqual([]);
    const [letter] = await deadLetters();
    expect(letter).toMatchObject({ conversation, error: 'the host has an address that is not public' });
    await strict.close();
    await work();
    await dispatcher.call('POST', `dead-letters/${letter.id}/retry`);
    await until(() => sentAbout(conversation).length === 1);
    await until(async () => (await deadLetters()).length === 0);
  });

  test('are dropped once the robot does not hold the conversation any more', async () => {
    const { buyer, conversation } = await newBuyer();
    const { buyer: other, conversation: kept } = await newBuyer();
    await buyer.close(conversation);
    await other.send(kept, 'still here');
    await work();
    await until(() => sentAbout(kept).length === 2);
    expect(sentAbout(conversation)).toEqual([]);
  });
});

describe('nothing is lost, and nothing answered twice', () => {
  test('when a worker dies between reading an event and finishing it', async () => {
    receiver.react = () => ({ messages: [{ text: 'Hello.' }] });
    const { conversation } = await newBuyer();
    const taken = await takeEvents(house.redis, dispatcher.shop, { count: 1_000, staleMs: 1_000_000 });
    expect(taken?.length).toBeGreaterThan(0);
    expect(await age()).toBe(taken?.length);
    await work();
    await until(async () => (await messagesOf(conversation)).length === 1);
    await until(async () => (await unfinished()) === 0);
    expect(sentAbout(conversation)).toHaveLength(1);
  });

  test('when a worker dies after queueing a delivery, before it says so', async () => {
    receiver.react = () => ({ messages: [{ text: 'Hello.' }] });
    const { conversation } = await newBuyer();
    const dying = Object.create(house.redis, { xack: { value: () => Promise.reject(new Error('killed')) } });
    await expect(relayEvents({ ...house, redis: dying }, dispatcher.shop, Date.now())).rejects.toThrow('killed');
    await work();
    await until(async () => (await messagesOf(conversation)).length === 1);
    expect(await age()).toBeGreaterThan(0);
    await until(async () => (await unfinished()) === 0);
    // Another event behind them has been delivered: theirs would have been before it.
    const { conversation: later } = await newBuyer();
    await until(async () => (await messagesOf(later)).length === 1);
    expect(sentAbout(conversation)).toHaveLength(1);
    expect(await saidIn(conversation)).toEqual(['Hello.']);
  });

  test('when a worker dies after saying what was answered, and the receiver answers otherwise the next time', async () => {
    const { conversation } = await newBuyer();
    const id = `again-${conversation}`;
    const delivery: Delivery = {
      id,
      shop: dispatcher.shop,
      agent: 'robo',
      type: 'conversation:assigned',
      conversation,
      at: Date.now(),
    };
    const by = { post: createPost({ privateAddresses: true }), clock: Date.now };
    for (const text of ['Hello.', 'Good day.']) {
      receiver.react = () => ({ messages: [{ text }] });
      expect(await deliver(house, delivery, by)).toBe('delivered');
    }
    expect(sentAbout(conversation).map((received) => received.id)).toEqual([id, id]);
    expect(await saidIn(conversation)).toEqual(['Hello.']);
  });

  test('when two workers work beside each other', async () => {
    await Promise.all([work(), work()]);
    receiver.react = ({ event }) => ({ messages: [{ text: event.type }] });
    const opened = await Promise.all(Array.from({ length: 20 }, newBuyer));
    await Promise.all(opened.map(({ buyer, conversation }) => buyer.send(conversation, 'hello')));
    for (const { conversation } of opened) {
      await until(async () => (await messagesOf(conversation)).length === 3);
      expect(sentAbout(conversation)).toHaveLength(2);
      expect((await saidIn(conversation)).sort()).toEqual(['conversation:assigned', 'hello', 'message:created']);
    }
  });
});

describe('a robot with a webhook', () => {
  test('is connected and online without a socket, and no ghost', async () => {
    expect(await liveRobot()).toMatchObject({ connected: true, presence: 'online' });
    await sweepGhosts(house, Date.now());
    expect(await liveRobot()).toMatchObject({ connected: true, presence: 'online' });
  });

  test('keeps its secret with its URL, which all staff see, and its pause', async () => {
    expect(await putRobot({ url: receiver.url })).not.toHaveProperty('webhookSecret');
    expect(await putRobot()).toMatchObject({ webhook: { url: receiver.url } });
    expect(await dispatcher.get('agents/robo')).toEqual({
      id: 'robo',
      name: 'Robo',
      role: 'agent',
      kind: 'robot',
      webhook: { url: receiver.url },
    });
    await dispatcher.call('PUT', 'agents/robo/presence', { presence: 'hung-up' });
    await putRobot({ url: receiver.url });
    expect(await liveRobot()).toMatchObject({ connected: true, presence: 'hung-up' });
    const { conversation } = await newBuyer();
    expect((await dispatcher.get(`conversations/${conversation}`)).agent).toBe('anna');
    await dispatcher.call('PUT', 'agents/robo/presence', { presence: 'online' });
  });

  test('gets another secret with another URL, or when asked for', async () => {
    const before = await putRobot({ url: 'https://robots.invalid/a' }, 'other');
    const after = await putRobot({ url: 'https://robots.invalid/b' }, 'other');
    const { webhookSecret } = (await dispatcher.call('POST', 'agents/other/webhook-secret')) as typeof after;
    expect(new Set([before.webhookSecret, after.webhookSecret, webhookSecret]).size).toBe(3);
    expect(await readSecret(house.redis, dispatcher.shop, `${secretNames.webhook}other`)).toBe(webhookSecret);
    await expect(dispatcher.call('POST', 'agents/anna/webhook-secret')).rejects.toThrow(/409/);
    await expect(dispatcher.call('POST', 'agents/nobody/webhook-secret')).rejects.toThrow(/404/);
    await dispatcher.call('DELETE', 'agents/other');
  });

  test.each([
    ['without its webhook', async () => void (await putRobot(null, 'other'))],
    ['as a person', () => dispatcher.agent('other', { name: 'Olga' })],
    ['not at all', async () => void (await dispatcher.call('DELETE', 'agents/other'))],
  ])('goes on %s: disconnected, and the secret gone', async (_, change) => {
    await putRobot({ url: 'https://robots.invalid/a' }, 'other');
    expect(await liveRobot('other')).toMatchObject({ connected: true, presence: 'online' });
    await change();
    expect(await readSecret(house.redis, dispatcher.shop, `${secretNames.webhook}other`)).toBeNull();
    // A new account of the same name starts with nothing of the old one.
    await putRobot(undefined, 'other');
    expect(await liveRobot('other')).toMatchObject({ connected: false, presence: 'offline' });
    await dispatcher.call('DELETE', 'agents/other');
  });

  test('costs its shop nothing any more once the last one is gone', async () => {
    const { shop, call } = dispatcher;
    const { events } = keysOfShop(shop);
    expect(await webhookShops(house)).toContain(shop);
    await putRobot(null);
    expect(await liveRobot()).toMatchObject({ connected: false });
    // Until nothing that was announced can still come of it.
    await relayEvents(house, shop, Date.now() + MINUTE);
    expect(await webhookShops(house)).not.toContain(shop);
    expect(await house.redis.xinfo('GROUPS', events)).toEqual([]);
    await call('PUT', 'agents/robo', robot({ url: receiver.url }));
    expect(await webhookShops(house)).toContain(shop);
    expect(await house.redis.xinfo('GROUPS', events)).toHaveLength(1);
  });

  test('that was announced, and never set, is forgotten by the workers', async () => {
    const { shop } = dispatcher;
    await putRobot(null);
    await announceWebhook(house, shop, Date.now() - MINUTE);
    expect(await webhookShops(house)).toContain(shop);
    await work();
    await until(async () => !(await webhookShops(house)).includes(shop));
    await expect(announceWebhook(house, 'no-such-shop', Date.now())).rejects.toThrow('no shop');
    await putRobot({ url: receiver.url });
  });

  test('is set right by the workers where whoever set it got no further', async () => {
    const { shop } = dispatcher;
    await putRobot(null);
    // As configured, with nothing that follows from it: the node died.
    const dying = { ...house, configs: { ...house.configs, fresh: () => Promise.reject(new Error('killed')) } };
    const put = { name: 'Robo', role: 'agent', kind: 'robot', webhook: { url: receiver.url } } as const;
    await expect(putAgent(dying, shop, 'robo', put, Date.now())).rejects.toThrow('killed');
    expect(await liveRobot()).toMatchObject({ connected: false });
    await work();
    await until(async () => (await liveRobot()).presence === 'online');
  });

  test.each([
    [{ name: 'Olga', kind: 'human', webhook: { url: 'https://robots.invalid/' } }],
    [robot({ url: 'ftp://robots.invalid/' })],
    [robot({ url: 'robots.invalid' })],
    [robot({ url: 'https://me:password@robots.invalid/' })],
    [robot({ url: 'https://robots.invalid/', secret: 'mine' })],
  ])('must be one, at a plain URL: %j', async (put) => {
    await expect(dispatcher.call('PUT', 'agents/other', put)).rejects.toThrow(/400/);
  });
});
