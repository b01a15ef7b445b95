import { describe, expect, it } from 'vitest';
import { close, closeIdle } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import { idleSince } from '../../server/store/read.ts';
import type { Scope } from '../../server/store/scope.ts';
import { socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
type By = Parameters<typeof close>[2];
const place = { conversation: 'c-x', buyer: 'x' };
const buyer: By = { kind: 'buyer', id: 'x' };
const end = (scope: Scope, by: By = buyer, now = NOON) => close(scope, place, by, now);

/** A, who has one place, holds the conversation of x, which waits for a reply. */
async function held(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: { capacity: 1 }, B: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  await stage.say('buyer', 'x');
  return stage;
}

describe('closing', () => {
  it('frees the place and ends the wait; the contact stays', async () => {
    const stage = await held();
    const effect = await stage.effect(async () => {
      expect(await end(await stage.scope(), buyer, NOON + 5)).toMatchObject({
        kind: 'moved',
        from: 'A',
        conversation: {
          id: 'c-x',
          shop: stage.shop,
          buyer: 'x',
          state: 'closed',
          agent: 'A',
          overnight: false,
          lastSeq: 1,
          openedAt: NOON,
          closedAt: NOON + 5,
        },
        loads: [{ agent: 'A', pending: 0, active: 0 }],
        presences: [],
      });
    });
    expect(effect).toEqual({
      live: { 'A:active': '0', 'A:pending': '0' },
      'ready:*': ['A'],
      held: null,
      waits: null,
      owed: null,
      idle: null,
      closed: [['c-x', NOON + 5]],
      'conversation:c-x': { state: 'closed', closedAt: String(NOON + 5), waitingSince: null },
      'buyer:x': { closed: 'c-x' },
      events: [event('closed', { conversation: 'c-x', agent: 'A', by: 'buyer' })],
    });
  });

  it('is not earlier than what was said in it, though a slow node comes with an earlier time', async () => {
    const stage = await held();
    await stage.say('holder', 'x', NOON + 50);
    expect(await end(await stage.scope(), buyer, NOON)).toMatchObject({ conversation: { closedAt: NOON + 50 } });
    expect(await stage.scores('closed')).toEqual({ 'c-x': NOON + 50 });
  });

  it.each<[By]>([[{ kind: 'agent', id: 'A' }], [{ kind: 'supervisor', id: 'B' }]])('is done by %j', async (by) => {
    const stage = await held();
    const effect = await stage.effect(async () => end(await stage.scope(), by));
    expect(effect).toMatchObject({ events: [event('closed', { conversation: 'c-x', agent: 'A', by: by.kind })] });
  });

  it('takes out of the pool', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.open('x');
    const effect = await stage.effect(async () => end(await stage.scope()));
    expect(effect).toMatchObject({ pool: null, held: null, closed: [['c-x', NOON]] });
    expect(effect).not.toHaveProperty('live');
  });

  it('takes out of the queue', async () => {
    const stage = await held();
    for (const id of ['y', 'z']) await stage.open(id);
    const effect = await stage.effect(async () =>
      close(await stage.scope(), { conversation: 'c-y', buyer: 'y' }, { kind: 'buyer', id: 'y' }, NOON),
    );
    expect(effect).toMatchObject({ live: { queued: '1' }, queue: [['c-z', NOON + 1]] });
  });

  it('takes out of the night', async () => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
      agents: { P: {} },
    });
    await stage.open('x', { now: NOON - 12 * HOUR });
    const effect = await stage.effect(async () => end(await stage.scope()));
    expect(effect).toMatchObject({ overnight: null, live: { 'P:active': '0' } });
  });

  it('settles what was due to be dispatched again', async () => {
    const stage = await held();
    await stage.be('offline', 'A');
    expect(await stage.members('todo')).toEqual(['c-x']);
    const effect = await stage.effect(async () => end(await stage.scope()));
    expect(effect).toMatchObject({ todo: null, held: null, waits: null });
  });

  it('counts a grace that has ended', async () => {
    const stage = await held();
    const scope = await stage.scope();
    await changePresence(scope, { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 20_000 }, NOON);
    expect(await end(scope, buyer, NOON + 20_000)).toMatchObject({
      kind: 'moved',
      presences: [{ agent: 'A', presence: 'offline', cause: 'lost-connection' }],
    });
    expect(await stage.members('todo')).toEqual([]);
  });
});

describe('closing again', () => {
  it.each<[By]>([[buyer], [{ kind: 'agent', id: 'A' }], [{ kind: 'supervisor', id: 'B' }]])(
    'by %j answers the conversation as it is, and changes nothing',
    async (by) => {
      const stage = await held();
      const scope = await stage.scope();
      await end(scope);
      const again = await stage.unchanged(() => end(scope, by, NOON + HOUR));
      expect(again).toMatchObject({ kind: 'repeat', conversation: { state: 'closed', closedAt: NOON } });
    },
  );

  it('an earlier conversation leaves the one that is open alone', async () => {
    const stage = await held();
    const scope = await stage.scope();
    await end(scope);
    await stage.open('x', { conversation: 'second' });
    await stage.unchanged(() => end(scope));
    expect(await stage.conversation('x')).toMatchObject({ id: 'second', state: 'assigned' });
  });
});

describe('closing by time', () => {
  const IDLE = 24 * HOUR;
  const idle = async (stage: Stage, now: number, idleMs = IDLE) => closeIdle(await stage.scope(), place, idleMs, now);
  const idleSinceThen = (stage: Stage, before: number) => stage.scope().then((scope) => idleSince(scope, before, 10));

  it('ends a conversation in which nothing was said for so long: at exactly its end', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    expect(await idleSinceThen(stage, NOON - 1)).toEqual([]);
    expect(await idleSinceThen(stage, NOON)).toEqual(['c-x']);
    expect(await stage.unchanged(() => idle(stage, NOON + IDLE - 1))).toBeUndefined();
    const effect = await stage.effect(async () => {
      expect(await idle(stage, NOON + IDLE)).toMatchObject({
        from: 'A',
        conversation: { id: 'c-x', state: 'closed', closedAt: NOON + IDLE },
        loads: [{ agent: 'A', pending: 0, active: 0 }],
      });
    });
    expect(effect).toEqual({
      live: { 'A:active': '0' },
      held: null,
      idle: null,
      closed: [['c-x', NOON + IDLE]],
      'conversation:c-x': { state: 'closed', closedAt: String(NOON + IDLE) },
      'buyer:x': { closed: 'c-x' },
      events: [event('closed', { conversation: 'c-x', agent: 'A', by: 'time' })],
    });
    expect(await stage.unchanged(() => idle(stage, NOON + 2 * IDLE))).toBeUndefined();
  });

  it.each<[string, (stage: Stage) => Promise<unknown>]>([
    [
      'the buyer has written, and had their reply',
      async (stage) => {
        await stage.say('buyer', 'x', NOON + 1);
        await stage.say('holder', 'x', NOON + 5);
      },
    ],
    ['the holder has written', (stage) => stage.say('holder', 'x', NOON + 5)],
    ['the buyer has clicked again', (stage) => stage.open('x', { now: NOON + 5 })],
  ])('runs from when %s: it is put back to that time', async (_, meanwhile) => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await meanwhile(stage);
    expect(await stage.scores('idle')).toEqual({ 'c-x': NOON }); // looked up only when it is due
    const effect = await stage.effect(async () => expect(await idle(stage, NOON + IDLE)).toBeUndefined());
    expect(effect).toEqual({ idle: [['c-x', NOON + 5]] });
    expect(await stage.unchanged(() => idle(stage, NOON + IDLE + 4))).toBeUndefined();
    expect(await idle(stage, NOON + IDLE + 5)).toMatchObject({ conversation: { state: 'closed' } });
  });

  it.each(['a holder', 'nobody'])(
    'never ends one that waits for a reply, of %s: it is looked at again later',
    async (whom) => {
      const stage = await stageOf({ agents: { A: {} } });
      if (whom === 'a holder') await stage.be('online', 'A');
      await stage.open('x');
      await stage.say('buyer', 'x');
      const effect = await stage.effect(async () => expect(await idle(stage, NOON + 9 * IDLE)).toBeUndefined());
      const at = NOON + 9 * IDLE;
      expect(effect).toEqual({ idle: [['c-x', at]], 'conversation:c-x': { lastAt: String(at) } });
      expect(await idleSinceThen(stage, at - 1)).toEqual([]);
    },
  );

  it('is counted from no earlier time when a slow node comes with one', async () => {
    const stage = await held();
    await idle(stage, NOON + IDLE);
    const effect = await stage.effect(() => stage.say('holder', 'x', NOON + IDLE - 1_000));
    expect(effect).not.toHaveProperty('conversation:c-x.lastAt');
    expect(await idle(stage, NOON + 2 * IDLE - 1)).toBeUndefined();
    const closed = { conversation: { state: 'closed', closedAt: NOON + 2 * IDLE } };
    expect(await idle(stage, NOON + 2 * IDLE)).toMatchObject(closed);
  });

  it('ends one in the pool in which nothing was said', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.open('x');
    expect(await stage.effect(() => idle(stage, NOON + IDLE))).toMatchObject({ pool: null });
  });

  it('leaves who waits in the queue there, and gives them as much time again', async () => {
    const stage = await stageOf({ agents: { A: { capacity: 1 } } });
    await stage.be('online', 'A');
    await stage.open('first');
    await stage.open('x');
    expect(await idle(stage, NOON + IDLE)).toBeUndefined();
    expect(await stage.members('queue')).toEqual(['c-x']);
    expect(await stage.scores('idle')).toMatchObject({ 'c-x': NOON + IDLE });
  });

  it('forgets what is erased', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.open('x');
    const { keys } = await stage.scope();
    await stage.redis.zadd(keys.idle, NOON, 'erased');
    const gone = { conversation: 'erased', buyer: 'y' };
    const effect = await stage.effect(async () =>
      expect(await closeIdle(await stage.scope(), gone, IDLE, NOON + IDLE)).toBeUndefined(),
    );
    expect(effect).toEqual({ idle: [['c-x', NOON]] });
  });

  it('is refused with another configuration', async () => {
    const stage = await held();
    await stage.refusesStale((stale) => closeIdle(stale, place, IDLE, NOON + IDLE));
  });
});

describe('closing is refused and changes nothing', () => {
  it.each<[By, string]>([
    [{ kind: 'buyer', id: 'y' }, 'missing'],
    [{ kind: 'agent', id: 'B' }, 'not-holder'],
  ])('for %j', async (by, kind) => {
    const stage = await held();
    const scope = await stage.scope();
    expect(await stage.unchanged(() => end(scope, by))).toEqual({ kind });
    await end(scope);
    expect(await stage.unchanged(() => end(scope, by))).toEqual({ kind });
  });

  it('of what is not there', async () => {
    const stage = await held();
    const scope = await stage.scope();
    const nowhere = { conversation: 'nowhere', buyer: 'x' };
    expect(await stage.unchanged(() => close(scope, nowhere, buyer, NOON))).toEqual({ kind: 'missing' });
  });

  it('with another configuration', async () => {
    const stage = await held();
    await stage.refusesStale((stale) => end(stale));
  });
});
