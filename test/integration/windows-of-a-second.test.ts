/**
 * What time brings about, in real time: windows of seconds, the real scheduler, and clients on sockets that wait to be
 * told. The same at virtual time, to the millisecond, is tested elsewhere.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentClient, BuyerClient, Conversation } from '../../client-sdk/index.ts';
import { createLog } from '../../server/log.ts';
import { connect } from '../../server/store/connect.ts';
import { createWorkers } from '../../workers/workers.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { startOwnRedis } from '../support/own-redis.ts';
import { until } from '../support/until.ts';

const QUICK = {
  // The reply is slow two turns of the scheduler before the contact cools: what is told first is answered in time.
  contactWindows: { hotMs: 3_000, warmMs: 5_000 },
  slowReplyMs: 1_000,
  idleCloseMs: 6_000,
  presenceGraceMs: 500,
  queue: { leaveAfterMs: 1_000 },
};

type Quick = {
  readonly dispatcher: Dispatcher;
  close(): Promise<void>;
};

/** One application and the workers beside it, as `npm start` puts them together, with a shop of short windows. */
async function startQuick(): Promise<Quick> {
  const redis = await startOwnRedis();
  const dispatcher = await createDispatcher(redis.url);
  const onError = (error: Error) => console.error('redis', error.message);
  const connections = [connect({ url: redis.url }, onError), connect({ url: redis.url }, onError)] as const;
  const { house } = dispatcher.application;
  const workers = await createWorkers({ connections, house, log: createLog('silent', 'test') });
  await dispatcher.call('PATCH', 'settings', QUICK);
  return {
    dispatcher,
    async close() {
      await workers.close();
      for (const connection of connections) connection.disconnect();
      await dispatcher.close();
      await redis.stop();
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the data are whatever the test expects them to be
type Told = { readonly event: string; readonly data: any };

/** Everything of these events that a client is told from now on, in order. */
function heard(client: { on(name: never, listener: never): unknown }, events: readonly string[]): Told[] {
  const told: Told[] = [];
  for (const event of events) client.on(event as never, ((data: unknown) => told.push({ event, data })) as never);
  return told;
}

describe('a buyer who writes, and one who only looks in', () => {
  let quick: Quick;
  let dispatcher: Dispatcher;
  let anna: AgentClient;
  let annaHears: Told[];
  const buyers: Record<string, BuyerClient> = {};
  const hears: Record<string, Told[]> = {};
  const opened: Record<string, Conversation> = {};
  const idOf = (buyer: string) => opened[buyer]?.id ?? '';

  const windows = ['contact:cooled', 'contact:expired'];
  /** What anna was told of the contact with a buyer, by event. */
  const ofContact = (buyer: string) =>
    annaHears.flatMap(({ event, data }) => (windows.includes(event) && data.buyer === buyer ? [event] : []));
  const released = (buyer: string) =>
    annaHears.filter(({ event, data }) => event === 'conversation:released' && data.conversation.id === idOf(buyer));
  const closed = (buyer: string) =>
    (hears[buyer] ?? []).filter(
      ({ data }) => data.conversation.id === idOf(buyer) && data.conversation.state === 'closed',
    );

  beforeAll(async () => {
    quick = await startQuick();
    dispatcher = quick.dispatcher;
    await dispatcher.agent('anna', { name: 'Anna' });
    await dispatcher.group('service', { name: 'Service', members: [{ agent: 'anna', level: 1 }] });
    anna = await dispatcher.connectAgent('anna');
    annaHears = heard(anna, [...windows, 'reply:slow', 'conversation:released']);
    await anna.setPresence('online');
    for (const name of ['writer', 'looker']) {
      const client = await dispatcher.connectBuyer(name);
      buyers[name] = client;
      hears[name] = heard(client, ['chat:changed']);
      opened[name] = (await client.open()).conversation;
      expect(opened[name]?.agent).toBe('anna');
    }
  });

  afterAll(() => quick?.close());

  it('the agent who lets a buyer wait is reminded, with the conversation and since when it waits', async () => {
    const message = await buyers.writer?.send(idOf('writer'), 'Is anybody there?');
    await until(() => annaHears.some(({ event }) => event === 'reply:slow'));
    const reminder = annaHears.find(({ event }) => event === 'reply:slow');
    expect(reminder?.data).toEqual({ conversations: [{ conversation: idOf('writer'), waitingSince: message?.at }] });
  });

  it('the contact cools after the answer and then expires, and the agent is told so once each', async () => {
    const reply = buyers.writer && dispatcher.next(buyers.writer, 'message:created');
    await anna.send(idOf('writer'), 'I am.');
    expect((await reply)?.message.body).toEqual({ type: 'text', text: 'I am.' });
    // On a machine that was held up, the contact may have cooled before the answer warmed it up again.
    const before = ofContact('writer').length;
    await until(() => ofContact('writer').length >= before + 2);
    expect(ofContact('writer').slice(before)).toEqual(windows);
  });

  it('a contact that nobody speaks to cools and expires as well', async () => {
    await until(() => ofContact('looker').length >= 2);
    expect(ofContact('looker')).toEqual(windows);
  });

  it.each(['looker', 'writer'])(
    'the conversation of the %s, in which nothing is said, is closed, and both sides are told',
    async (buyer) => {
      await until(() => released(buyer).length > 0 && closed(buyer).length > 0);
      expect(released(buyer)[0]?.data).toMatchObject({ conversation: { state: 'closed' }, cause: 'idle' });
      expect(await dispatcher.get(`conversations/${idOf(buyer)}`)).toMatchObject({ state: 'closed' });
      await expect(buyers[buyer]?.send(idOf(buyer), 'One more thing')).rejects.toMatchObject({ code: 'conflict' });
    },
  );

  it('nothing of it was told twice, also not by all the turns the scheduler has taken since', async () => {
    // A third buyer is let wait: by the time anna is reminded of them, every job has come by again.
    const turns = annaHears.length;
    const third = await dispatcher.connectBuyer('third');
    const { conversation } = await third.open();
    await third.send(conversation.id, 'And me?');
    await until(() => annaHears.slice(turns).some(({ event }) => event === 'reply:slow'));
    expect(annaHears.slice(turns).find(({ event }) => event === 'reply:slow')?.data.conversations).toEqual([
      expect.objectContaining({ conversation: conversation.id }),
    ]);
    for (const buyer of ['writer', 'looker']) {
      expect(ofContact(buyer).slice(-2)).toEqual(windows);
      expect(released(buyer)).toHaveLength(1);
      expect(closed(buyer)).toHaveLength(1);
    }
    expect(ofContact('looker')).toHaveLength(2);
  });
});

describe('a buyer in the queue, and an agent whose connection is lost', () => {
  let quick: Quick;
  beforeAll(async () => {
    quick = await startQuick();
  });
  afterAll(() => quick?.close());

  it('who has waited as long as the shop lets them leaves a message instead, which the next to come is given', async () => {
    const { dispatcher } = quick;
    await dispatcher.agent('ben', { name: 'Ben', capacity: 1 });
    await dispatcher.agent('sue', { name: 'Sue', role: 'supervisor' });
    const members = ['ben', 'sue'].map((agent) => ({ agent, level: 1 }));
    await dispatcher.group('second', { name: 'Second', members });
    const ben = await dispatcher.connectAgent('ben');
    await ben.setPresence('online');
    const [one, two] = [await dispatcher.connectBuyer('one'), await dispatcher.connectBuyer('two')];
    const held = (await one.open()).conversation;
    expect(held.agent).toBe('ben');
    const twoHears = heard(two, ['chat:changed']);
    expect((await two.open()).conversation.state).toBe('queued');
    await until(() => twoHears.some(({ data }) => data.conversation.state === 'pooled'));

    const sue = await dispatcher.connectAgent('sue');
    const sueHears = heard(sue, ['presence:changed', 'conversation:assigned']);
    const given = (buyer: string, cause: string) =>
      sueHears.some(
        ({ event, data }) =>
          event === 'conversation:assigned' && data.conversation.buyer === buyer && data.cause === cause,
      );
    await sue.setPresence('online');
    await until(() => given('two', 'pool'));

    // Ben owes a reply when his connection breaks: after the grace, and not before he is offline, it is Sue's.
    await one.send(held.id, 'Are you there?');
    ben.disconnect();
    await until(() => given('one', 'agent-offline'));
    const left = sueHears.findIndex(({ event, data }) => event === 'presence:changed' && data.agent === 'ben');
    expect(sueHears[left]?.data).toEqual({ agent: 'ben', presence: 'offline', cause: 'lost-connection' });
    expect(sueHears.findIndex(({ data }) => data.cause === 'agent-offline')).toBeGreaterThan(left);
  });
});
