/**
 * The whole road, on real sockets: two agents and three buyers from the first click to coming back the next day.
 * The first thing to read; everything else is how.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { AgentClient, Assignment, BuyerClient, Conversation } from '../client-sdk/index.ts';
import { createDispatcher, type Dispatcher } from './support/dispatcher.ts';

describe('three buyers and two agents', () => {
  let dispatcher: Dispatcher;
  let anna: AgentClient;
  let ben: AgentClient;
  const buyers: Record<string, BuyerClient> = {};
  const opened: Record<string, Conversation> = {};

  beforeAll(async () => {
    dispatcher = await createDispatcher(inject('redis'));
    await dispatcher.agent('anna', { name: 'Anna' });
    await dispatcher.agent('ben', { name: 'Ben' });
    await dispatcher.group('service', {
      name: 'Service',
      members: [
        { agent: 'anna', level: 1 },
        { agent: 'ben', level: 1 },
      ],
    });
    for (const name of ['xia', 'yu', 'zoe']) buyers[name] = await dispatcher.connectBuyer(name);
  });
  afterAll(() => dispatcher.close());

  const buyer = (name: string) => buyers[name] as BuyerClient;
  const conversation = (name: string) => opened[name]?.id as string;

  it('a click while nobody is here is left in the pool, and says why', async () => {
    const { conversation: left, assignment } = await buyer('zoe').open();
    expect(left.state).toBe('pooled');
    expect(assignment).toMatchObject({ outcome: 'pool', step: 'nobody-on-duty' });
    expect(assignment.trace.at(-1)).toMatchObject({ result: 'won', why: 'nobody-online' });
    opened.zoe = left;
  });

  it('the first agent who comes on duty is given what was left', async () => {
    anna = await dispatcher.connectAgent('anna');
    const assigned = dispatcher.next(anna, 'conversation:assigned');
    expect(await anna.setPresence('online')).toBe('online');
    expect(await assigned).toMatchObject({ conversation: { id: conversation('zoe'), agent: 'anna' }, cause: 'pool' });
  });

  it('two agents of one level share the buyers who click', async () => {
    ben = await dispatcher.connectAgent('ben');
    await ben.setPresence('online');
    const told = [dispatcher.next(anna, 'conversation:assigned'), dispatcher.next(ben, 'conversation:assigned')];
    for (const name of ['xia', 'yu']) opened[name] = (await buyer(name).open({ product: 'tea' })).conversation;
    const holders = [opened.xia?.agent, opened.yu?.agent].sort();
    expect(holders).toEqual(['anna', 'ben']);
    const events = await Promise.all(told);
    for (const { conversation: given, assignment } of events) {
      expect(assignment).toMatchObject({ outcome: 'agent', agent: given.agent, group: 'service', step: 'group' });
    }
  });

  /** xia's agent, and the other one. */
  const holder = () => (opened.xia?.agent === 'anna' ? anna : ben);
  const other = () => (opened.xia?.agent === 'anna' ? ben : anna);
  const otherId = () => (opened.xia?.agent === 'anna' ? 'ben' : 'anna');

  it('a message waits for a reply, and the agent is told how many wait', async () => {
    const loads = dispatcher.next(holder(), 'load:changed');
    const arrives = dispatcher.next(holder(), 'message:created');
    const message = await buyer('xia').send(conversation('xia'), 'Is the green one fresh?');
    expect(message).toMatchObject({ seq: 1, from: { kind: 'buyer', id: 'xia' } });
    expect((await arrives).message).toEqual(message);
    expect((await loads).pending).toBe(1);
    const held = await holder().conversations();
    expect(held.find((c) => c.id === conversation('xia'))).toMatchObject({ pending: true, lastSeq: 1 });
  });

  it('the reply reaches the buyer, and nobody waits any more', async () => {
    const loads = dispatcher.next(holder(), 'load:changed');
    const arrives = dispatcher.next(buyer('xia'), 'message:created');
    await holder().send(conversation('xia'), 'Picked this spring.');
    expect((await arrives).message).toMatchObject({ seq: 2, body: { type: 'text', text: 'Picked this spring.' } });
    expect((await loads).pending).toBe(0);
  });

  it('an agent who hangs up gets no new buyers, but keeps those of the last day', async () => {
    await holder().setPresence('hung-up');
    const newcomer = await dispatcher.connectBuyer('newcomer');
    expect((await newcomer.open()).conversation.agent).toBe(otherId());
    const again = await buyer('xia').open();
    expect(again.assignment).toMatchObject({ agent: opened.xia?.agent, step: 'hot-contact' });
    expect(again.conversation.id).toBe(conversation('xia'));
  });

  it('a conversation goes to a colleague, with a note, and the buyer sees who it is', async () => {
    const [left, came] = [
      dispatcher.next(holder(), 'conversation:released'),
      dispatcher.next(other(), 'conversation:assigned'),
    ];
    const changed = dispatcher.next(buyer('xia'), 'chat:changed');
    await holder().transfer(conversation('xia'), { agent: otherId() }, 'wants a gift box');
    expect(await left).toMatchObject({ to: { agent: otherId() }, cause: 'transfer' });
    expect(await came).toMatchObject({ cause: 'transfer', note: 'wants a gift box' });
    expect((await changed).agent?.id).toBe(otherId());
  });

  it('closed by the agent, it ends for the buyer too', async () => {
    const changed = dispatcher.next(buyer('xia'), 'chat:changed');
    await other().close(conversation('xia'));
    expect((await changed).conversation.state).toBe('closed');
    await expect(buyer('xia').send(conversation('xia'), 'One more thing')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('back within the day, the buyer is with the agent they spoke with last', async () => {
    dispatcher.advance(23 * 3_600_000);
    const back = await buyer('xia').open();
    expect(back.assignment).toMatchObject({ agent: otherId(), step: 'hot-contact' });
    expect(back.conversation.id).not.toBe(conversation('xia'));
  });

  it('the owner can ask afterwards why: every decision is kept with its trace', async () => {
    const last = (await buyer('yu').open()).assignment;
    const stored: Assignment = await dispatcher.get(`assignments/${last.id}`);
    expect(stored).toMatchObject({ id: last.id, step: 'hot-contact', agent: opened.yu?.agent });
    expect(stored.trace.at(-1)).toMatchObject({ why: 'recent-and-present', agent: opened.yu?.agent });
  });

  it('a buyer who waits for a reply is brought to mind', async () => {
    const back = (await buyer('xia').open()).conversation.id;
    await buyer('xia').send(back, 'Do you still have it?');
    dispatcher.advance(100_000);
    const reminded = dispatcher.next(other(), 'reply:slow');
    await dispatcher.workersCome();
    expect((await reminded).conversations).toMatchObject([{ conversation: back }]);
    await other().send(back, 'We do.');
  });

  it('at night the proxy receives who comes, and in the morning an agent gets them with what was said', async () => {
    await dispatcher.agent('nina', { name: 'Nina' });
    // From midnight to midnight: it is night now, whenever this is read.
    const nightShift = { enabled: true, proxy: 'nina', from: '00:00', until: '00:00' };
    await dispatcher.call('PATCH', 'settings', { nightShift });
    const nina = await dispatcher.connectAgent('nina');
    const owl = await dispatcher.connectBuyer('owl');
    const { conversation: late, assignment } = await owl.open();
    expect(assignment).toMatchObject({ outcome: 'proxy', agent: 'nina', step: 'night-shift' });
    await owl.send(late.id, 'Anybody there?');
    await nina.send(late.id, 'We open in the morning.');

    const handed = dispatcher.next(other(), 'conversation:assigned');
    await dispatcher.call('PATCH', 'settings', { nightShift: { enabled: false } });
    expect(await handed).toMatchObject({
      cause: 'morning',
      conversation: { id: late.id, overnight: true },
      overnight: { proxy: 'nina', said: [{ body: { text: 'We open in the morning.' } }] },
    });
  });

  it('a day later contacts have cooled, and what nobody speaks in any more is closed', async () => {
    const [cooled, ended] = [
      dispatcher.next(other(), 'contact:cooled'),
      dispatcher.next(other(), 'conversation:released'),
    ];
    dispatcher.advance(24 * 3_600_000 + 1_000);
    await dispatcher.workersCome();
    expect(await cooled).toHaveProperty('buyer');
    expect(await ended).toMatchObject({ cause: 'idle' });
  });
});
