import { describe, expect, it } from 'vitest';
import { readBuyer } from '../../server/store/buyers.ts';
import { beginErasing, contactsOf, eraseNewest, readErasure } from '../../server/store/erasing.ts';
import { close } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import type { Scope } from '../../server/store/scope.ts';
import { socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const begin = async (stage: Stage, request = 'asked') =>
  beginErasing(await stage.scope(), 'x', { by: { kind: 'owner', id: 'O' }, request }, NOON);
const erase = async (scope: Scope, conversation: string, now = NOON) =>
  eraseNewest(
    scope,
    { conversation, buyer: 'x' },
    { fingerprint: 'print', contacts: conversation ? [] : await contactsOf(scope, 'x') },
    now,
  );

/** x has two closed conversations and an open one that waits, with a message each; y has one as well. */
async function three(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: { capacity: 2 } } });
  await stage.be('online', 'A');
  const scope = await stage.scope();
  for (const conversation of ['one', 'two', 'three']) {
    await stage.open('x', { conversation });
    await stage.say('buyer', 'x');
    if (conversation !== 'three') await close(scope, { conversation, buyer: 'x' }, { kind: 'buyer', id: 'x' }, NOON);
  }
  await stage.open('y');
  await stage.say('buyer', 'y');
  await begin(stage);
  return stage;
}

describe('erasing', () => {
  it('removes the newest conversation with its messages, and frees the place', async () => {
    const stage = await three();
    const effect = await stage.effect(async () => {
      expect(await erase(await stage.scope(), 'three')).toEqual({
        kind: 'moved',
        next: 'two',
        from: 'A',
        loads: [{ agent: 'A', pending: 1, active: 1 }],
        presences: [],
      });
    });
    expect(effect).toEqual({
      live: { 'A:active': '1', 'A:pending': '1' },
      'ready:*': ['A'],
      held: [['A:c-y', 0]],
      waits: [['A:c-y', 0]],
      owed: [['c-y', NOON]],
      idle: [['c-y', NOON]],
      'conversation:three': null,
      'messages:three': null,
      'sent:three': null,
      'buyer:x': { conversation: 'two' },
      'erasure:x': { 'c:three': '' },
    });
  });

  it('leaves nothing open: what was closed before it is the newest, and closed', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x', { conversation: 'only' });
    await begin(stage);
    const effect = await stage.effect(async () => erase(await stage.scope(), 'only'));
    expect(effect).toMatchObject({ 'buyer:x': { conversation: '', closed: '' } });
    expect(await stage.open('x', { conversation: 'next' })).toMatchObject({ conversation: { id: 'next' } });
  });

  it('goes on to the oldest, then removes the buyer, and touches nobody else', async () => {
    const stage = await three();
    const scope = await stage.scope();
    const steps = [];
    for (const conversation of ['three', 'two', 'one', '']) steps.push(await erase(scope, conversation));
    expect(steps).toMatchObject([
      { kind: 'moved', next: 'two', from: 'A' },
      { kind: 'moved', next: 'one', from: '' },
      { kind: 'moved', next: '', from: '' },
      { kind: 'erased' },
    ]);
    expect(await readBuyer(scope, 'x')).toBeUndefined();
    const left = Object.keys(await stage.dump());
    expect(left.filter((key) => /:(x|one|two|three)$/.test(key))).toEqual(['erasure:x']);
    expect(left).toEqual(expect.arrayContaining(['buyer:y', 'conversation:c-y', 'messages:c-y', 'sent:c-y']));
    expect(await stage.members('closed')).toEqual([]);
  });

  it('is an event and an entry of the audit log once the buyer is gone, and neither names them', async () => {
    const stage = await three();
    const scope = await stage.scope();
    for (const conversation of ['three', 'two', 'one']) await erase(scope, conversation);
    const effect = await stage.effect(() => erase(scope, ''));
    const [[lastEvent] = ['']] = await stage.redis.xrevrange(scope.keys.events, '+', '-', 'COUNT', 1);
    const [[lastAudit] = ['']] = await stage.redis.xrevrange(scope.keys.audit, '+', '-', 'COUNT', 1);
    expect(effect).toEqual({
      'buyer:x': null,
      hot: [['y:A', NOON]],
      events: [event('erased', { fingerprint: 'print' })],
      audit: [{ by: 'owner:O', action: 'buyer:erased', target: 'print', request: 'asked' }],
      'erasure:x': { state: 'traces', lastEvent, lastAudit, cursor: '' },
    });
    expect(await readErasure(scope, 'x')).toEqual({
      state: 'traces',
      lastEvent,
      lastAudit,
      conversations: new Set(['one', 'two', 'three']),
      events: [],
    });
  });

  it('takes contacts along that the buyer’s own list names no more', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    const { warmMs } = (await stage.config()).settings.contactWindows;
    const scope = await stage.scope();
    await close(scope, { conversation: 'c-x', buyer: 'x' }, { kind: 'buyer', id: 'x' }, NOON);
    await stage.be('offline', 'A');
    await stage.be('online', 'B');
    // Before anybody has swept: the list has forgotten A.
    await stage.open('x', { conversation: 'later', now: NOON + warmMs + 1 });
    await stage.open('x.y', { now: NOON + warmMs + 1 });
    expect(await stage.members('hot')).toEqual(expect.arrayContaining(['x:A', 'x:B', 'x.y:B']));
    await begin(stage);
    for (const conversation of ['later', 'c-x', '']) await erase(scope, conversation, NOON + warmMs + 2);
    expect([...(await stage.members('hot')), ...(await stage.members('warm'))]).toEqual(['x.y:B']);
  });

  it('of a buyer whom nobody asked to erase, or who has come back, does nothing', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    const scope = await stage.scope();
    expect(await stage.unchanged(() => erase(scope, 'c-x'))).toEqual({ kind: 'erased' });
    await begin(stage);
    for (const conversation of ['c-x', '']) await erase(scope, conversation);
    await stage.open('x', { conversation: 'new' });
    for (const conversation of ['new', '']) {
      expect(await stage.unchanged(() => erase(scope, conversation))).toEqual({ kind: 'erased' });
    }
    expect(await stage.conversation('x')).toMatchObject({ id: 'new', state: 'assigned' });
  });

  it('of what is not the newest any more says which is, and changes nothing', async () => {
    const stage = await three();
    const scope = await stage.scope();
    for (const conversation of ['', 'one', 'two', 'nowhere']) {
      expect(await stage.unchanged(() => erase(scope, conversation))).toEqual({ kind: 'next', conversation: 'three' });
    }
    await erase(scope, 'three');
    expect(await stage.unchanged(() => erase(scope, 'three'))).toEqual({ kind: 'next', conversation: 'two' });
  });

  it('stopped half way leaves a buyer who can come again', async () => {
    const stage = await three();
    await erase(await stage.scope(), 'three');
    const opened = await stage.open('x', { conversation: 'four' });
    expect(opened.conversation).toMatchObject({ id: 'four', state: 'assigned' });
    expect(await erase(await stage.scope(), 'two')).toEqual({ kind: 'next', conversation: 'four' });
    expect(await erase(await stage.scope(), 'four')).toMatchObject({ kind: 'moved', next: 'two' });
  });

  it('takes out of the pool', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.open('x');
    await begin(stage);
    expect(await stage.effect(async () => erase(await stage.scope(), 'c-x'))).toMatchObject({ pool: null, held: null });
  });

  it('takes out of the queue', async () => {
    const stage = await stageOf({ agents: { A: { capacity: 1 } } });
    await stage.be('online', 'A');
    await stage.open('y');
    await stage.open('x');
    await begin(stage);
    const effect = await stage.effect(async () => erase(await stage.scope(), 'c-x'));
    expect(effect).toMatchObject({ queue: null, live: { queued: '0' } });
  });

  it('takes out of the night', async () => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
      agents: { P: {} },
    });
    await stage.open('x', { now: NOON - 12 * HOUR });
    await begin(stage);
    const effect = await stage.effect(async () => erase(await stage.scope(), 'c-x'));
    expect(effect).toMatchObject({ overnight: null, live: { 'P:active': '0' } });
  });

  it('settles what was due, and counts a grace that has ended', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await begin(stage);
    const scope = await stage.scope();
    await changePresence(scope, { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 20_000 }, NOON);
    expect(await erase(scope, 'c-x', NOON + 20_000)).toMatchObject({
      presences: [{ agent: 'A', presence: 'offline', cause: 'lost-connection' }],
    });
    expect(await stage.members('todo')).toEqual([]);
  });

  it('with another configuration is refused, and changes nothing', async () => {
    const stage = await three();
    await stage.refusesStale((stale) => erase(stale, 'three'));
  });
});
