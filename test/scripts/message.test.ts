/** The script that stores a message: who waits, who is a recent contact, and what is due to be dispatched again. */
import { describe, expect, it } from 'vitest';
import { readyKey } from '../../server/store/keys.ts';
import { type Draft, readMessages, storeMessage } from '../../server/store/message.ts';
import { close, transfer } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import { socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const place = { conversation: 'c-x', buyer: 'x' };

/** A message of buyer `x` to their own conversation, unless said. */
const draft = (what: Partial<Draft> = {}): Draft => ({
  id: 'm1',
  conversation: 'c-x',
  from: { kind: 'buyer', id: 'x' },
  body: { type: 'text', text: '你好 "|;"' },
  clientId: 'client',
  at: NOON,
  ...what,
});
const send = async (stage: Stage, what: Partial<Draft> = {}, warmMs = 72 * HOUR) =>
  storeMessage(await stage.scope(), 'x', draft(what), { hotMs: Math.min(24 * HOUR, warmMs), warmMs });

async function talking(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {}, B: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  return stage;
}

describe('a message of the buyer', () => {
  it('is stored, and makes the conversation wait', async () => {
    const stage = await talking();
    const effect = await stage.effect(() => send(stage, { at: NOON + 3 }));
    expect(effect).toEqual({
      live: { 'A:pending': '1' },
      waits: [['A:c-x', 0]],
      owed: [['c-x', NOON + 3]],
      'conversation:c-x': { lastSeq: '1', lastAt: String(NOON + 3), waitingSince: String(NOON + 3) },
      'messages:c-x': [JSON.stringify({ ...draft({ at: NOON + 3 }), seq: 1 })],
      'sent:c-x': { 'buyer:x:client': '1' },
      'buyer:x': { contacts: `,A=${NOON + 3},` },
      events: [event('message', { conversation: 'c-x', seq: '1', from: 'buyer', by: 'x' })],
    });
  });

  it('is answered with its place, the conversation and the load of who holds it', async () => {
    const stage = await talking();
    const stored = await send(stage);
    expect(stored).toEqual({
      kind: 'stored',
      message: { ...draft(), seq: 1 },
      conversation: await stage.conversation('x'),
      dispatchAgain: false,
      loads: [{ agent: 'A', pending: 1, active: 1 }],
      presences: [],
    });
    expect(await readMessages(await stage.scope(), 'c-x', 1, 9)).toEqual([{ ...draft(), seq: 1 }]);
  });

  it('counts once however many there are: pending is conversations', async () => {
    const stage = await talking();
    await send(stage);
    const second = await send(stage, { clientId: 'second', at: NOON + 9 });
    expect(second).toMatchObject({ message: { seq: 2 }, conversation: { waitingSince: NOON, lastSeq: 2 }, loads: [] });
    await stage.open('y');
    await stage.say('buyer', 'y');
    expect(await stage.live('A:pending')).toBe('2');
  });

  it.each(['queue', 'leave-message'] as const)(
    'waits for nobody in particular where nobody holds it (%s)',
    async (whenFull) => {
      const stage = await stageOf({ settings: { whenFull }, agents: { A: { capacity: 1 } } });
      await stage.be('online', 'A');
      await stage.open('y');
      await stage.open('x');
      const effect = await stage.effect(() => send(stage));
      expect(Object.keys(effect).sort()).toEqual(['conversation:c-x', 'events', 'messages:c-x', 'sent:c-x']);
      expect(effect['conversation:c-x']).toEqual({
        lastSeq: '1',
        lastAt: String(NOON),
        waitingSince: String(NOON),
      });
    },
  );
});

describe('a reply', () => {
  it('ends the waiting, and a second one changes nobody’s load', async () => {
    const stage = await talking();
    await send(stage);
    const from = { kind: 'agent', id: 'A' } as const;
    const effect = await stage.effect(() => send(stage, { from, id: 'm2', at: NOON + 5 }));
    expect(effect).toMatchObject({
      live: { 'A:pending': '0' },
      waits: null,
      owed: null,
      'conversation:c-x': { lastSeq: '2', lastAt: String(NOON + 5), waitingSince: null },
      'buyer:x': { contacts: `,A=${NOON + 5},` },
      'sent:c-x': { 'agent:A:client': '2' },
      events: [event('message', { conversation: 'c-x', seq: '2', from: 'agent', by: 'A' })],
    });
    expect(await send(stage, { from, clientId: 'more' })).toMatchObject({ kind: 'stored', loads: [] });
  });

  it('takes as much of the busyness back as the message brought', async () => {
    const stage = await stageOf({ settings: { busyThreshold: 1 }, agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    for (const buyer of ['w', 'x']) await stage.open(buyer);
    const ahead = async () => {
      const pass = await stage.redis.zscore(readyKey((await stage.scope()).keys, '*'), 'A');
      return Number(pass) - Number(await stage.live('@*:time'));
    };
    const rested = await ahead();
    expect(rested).toBeGreaterThan(0);
    await stage.say('buyer', 'w');
    expect(await ahead()).toBe(rested); // at the threshold, not over it
    await stage.say('buyer', 'x');
    expect(await ahead()).toBe(rested * 2);
    await stage.say('holder', 'w');
    expect(await ahead()).toBe(rested);
  });
});

describe('who is a recent contact', () => {
  it('whoever spoke with the buyer is the latest; one older than the warm window is forgotten', async () => {
    const stage = await talking();
    await stage.be('online', 'B');
    const to = { kind: 'agent', id: 'B' } as const;
    const move = { now: NOON + 1, place, by: 'A', to, windows: { hotMs: HOUR, warmMs: HOUR }, request: 't' };
    await transfer(await stage.scope(), move);
    const contacts = async () => stage.redis.hget(`${(await stage.scope()).keys.base}buyer:x`, 'contacts');
    await send(stage, { at: NOON + HOUR }, HOUR);
    expect(await contacts()).toBe(`,B=${NOON + HOUR},A=${NOON},`); // the end of the window is within it
    await send(stage, { at: NOON + HOUR + 1, clientId: 'later' }, HOUR);
    expect(await contacts()).toBe(`,B=${NOON + HOUR + 1},`);
  });

  it('stands in the line of the hot window, and is looked up there when it is refreshed', async () => {
    const stage = await talking();
    expect(await stage.scores('hot')).toEqual({ 'x:A': NOON });
    await send(stage, { at: NOON + 24 * HOUR });
    expect(await stage.scores('hot')).toEqual({ 'x:A': NOON });
    // Beyond the window it begins anew.
    await send(stage, { at: NOON + 48 * HOUR + 1, clientId: 'later' });
    expect(await stage.scores('hot')).toEqual({ 'x:A': NOON + 48 * HOUR + 1 });
  });

  it('never a robot', async () => {
    const stage = await stageOf({
      settings: { robotFirst: { enabled: true, robot: 'R' } },
      agents: { R: { kind: 'robot' }, A: {} },
    });
    await stage.be('online', 'R', 'A');
    await stage.open('x');
    const asked = await stage.effect(() => send(stage));
    const replied = await stage.effect(() => stage.say('holder', 'x'));
    expect(asked).toMatchObject({ live: { 'R:pending': '1' }, waits: [['R:c-x', 0]] });
    expect(replied).toMatchObject({ live: { 'R:pending': '0' }, waits: null });
    for (const effect of [asked, replied]) expect(effect).not.toHaveProperty('buyer:x');
  });

  it('never a proxy', async () => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
      agents: { P: {}, A: {} },
    });
    await stage.be('online', 'P');
    await stage.open('x', { now: NOON - 10 * HOUR });
    expect(await stage.effect(() => send(stage))).not.toHaveProperty('buyer:x');
    expect(await stage.effect(() => stage.say('holder', 'x'))).not.toHaveProperty('buyer:x');
  });
});

describe('a message to a holder who is away', () => {
  it('makes it due to be dispatched again, since the first one, and renews no contact', async () => {
    const stage = await talking();
    await stage.be('offline', 'A');
    const effect = await stage.effect(async () => {
      expect(await send(stage, { at: NOON + 7 })).toMatchObject({ kind: 'stored', dispatchAgain: true });
    });
    expect(effect).toMatchObject({ todo: [['c-x', NOON + 7]], waits: [['A:c-x', 0]], live: { 'A:pending': '1' } });
    expect(effect).not.toHaveProperty('buyer:x');
    const next = await stage.effect(() => send(stage, { at: NOON + 8, clientId: 'next' }));
    expect(next).not.toHaveProperty('todo');
  });

  it('finds a grace over at exactly its end, and not before', async () => {
    const stage = await talking();
    const gone = { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 100 } as const;
    await changePresence(await stage.scope(), gone, NOON);
    const before = await send(stage, { at: NOON + 99 });
    expect(before).toMatchObject({ dispatchAgain: false, presences: [] });
    const effect = await stage.effect(async () => {
      expect(await send(stage, { at: NOON + 100, clientId: 'second' })).toMatchObject({
        dispatchAgain: true,
        presences: [{ agent: 'A', presence: 'offline', cause: 'lost-connection' }],
      });
    });
    expect(effect).toMatchObject({
      live: { 'A:presence': 'offline', online: '0', lapse: '' },
      lapses: null,
      'ready:*': null,
      todo: [['c-x', NOON + 100]],
    });
  });

  it('stays with an owner it was left with until somebody is online', async () => {
    const stage = await stageOf({
      settings: { leaveMessage: { to: 'owner' } },
      agents: { O: { role: 'owner' }, A: {} },
    });
    await stage.open('x');
    expect(await send(stage)).toMatchObject({ kind: 'stored', dispatchAgain: false });
    expect(await stage.members('todo')).toEqual([]);
    await stage.be('online', 'A');
    expect(await send(stage, { clientId: 'second' })).toMatchObject({ dispatchAgain: true });
    expect(await stage.members('todo')).toEqual(['c-x']);
  });

  it('stays with the proxy of the night until the morning, whoever is online', async () => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
      agents: { P: {}, A: {} },
    });
    await stage.be('online', 'A');
    await stage.open('x', { now: NOON - 10 * HOUR });
    const effect = await stage.effect(async () => {
      expect(await send(stage)).toMatchObject({ dispatchAgain: false, conversation: { overnight: true } });
    });
    expect(effect).toMatchObject({ live: { 'P:pending': '1' }, waits: [['P:c-x', 0]] });
    expect(effect).not.toHaveProperty('todo');
  });
});

describe('the same client id', () => {
  it('of the same sender is the same message, also once it is closed', async () => {
    const stage = await talking();
    const first = await send(stage);
    const again = () => send(stage, { id: 'other', at: NOON + 50, body: { type: 'text', text: 'other' } });
    const message = first.kind === 'stored' ? first.message : undefined;
    expect(await stage.unchanged(again)).toEqual({ kind: 'repeat', message });
    await close(await stage.scope(), place, { kind: 'buyer', id: 'x' }, NOON);
    expect(await stage.unchanged(again)).toEqual({ kind: 'repeat', message });
  });

  it('of the buyer and of the agent is two messages, even if both are called the same', async () => {
    const stage = await stageOf({ agents: { x: {} } });
    await stage.be('online', 'x');
    await stage.open('x');
    expect(await send(stage)).toMatchObject({ kind: 'stored', message: { seq: 1 } });
    const reply = await send(stage, { id: 'm2', from: { kind: 'agent', id: 'x' } });
    expect(reply).toMatchObject({ kind: 'stored', message: { seq: 2, id: 'm2' } });
  });

  it('of a holder who has given it away since is the same message', async () => {
    const stage = await talking();
    await stage.be('online', 'B');
    const from = { kind: 'agent', id: 'A' } as const;
    await send(stage, { from });
    const to = { kind: 'agent', id: 'B' } as const;
    await transfer(await stage.scope(), {
      now: NOON,
      place,
      by: 'A',
      to,
      windows: { hotMs: HOUR, warmMs: HOUR },
      request: 't',
    });
    expect(await stage.unchanged(() => send(stage, { from }))).toMatchObject({ kind: 'repeat', message: { seq: 1 } });
    expect(await stage.unchanged(() => send(stage, { from, clientId: 'new' }))).toEqual({ kind: 'not-holder' });
  });
});

describe('is refused, and changes nothing', () => {
  it.each<[string, Partial<Draft>, string]>([
    ['to a conversation that is not there', { conversation: 'nowhere' }, 'missing'],
    ['of a buyer whose it is not', { from: { kind: 'buyer', id: 'y' } }, 'missing'],
    ['of an agent who does not hold it', { from: { kind: 'agent', id: 'B' } }, 'not-holder'],
  ])('%s', async (_, what, kind) => {
    const stage = await talking();
    expect(await stage.unchanged(() => send(stage, what))).toEqual({ kind });
  });

  it('to a conversation that is closed', async () => {
    const stage = await talking();
    await close(await stage.scope(), place, { kind: 'agent', id: 'A' }, NOON);
    for (const from of [draft().from, { kind: 'agent', id: 'A' } as const]) {
      expect(await stage.unchanged(() => send(stage, { from }))).toEqual({ kind: 'closed' });
    }
  });

  it('with another configuration', async () => {
    const stage = await talking();
    await stage.refusesStale((stale) => storeMessage(stale, 'x', draft(), { hotMs: HOUR, warmMs: HOUR }));
  });
});
