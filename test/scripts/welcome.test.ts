/** The script that says the shop's welcome. */
import { describe, expect, it } from 'vitest';
import { beginErasing, eraseNewest } from '../../server/store/erasing.ts';
import { type Draft, readMessages, storeMessage, storeWelcome } from '../../server/store/message.ts';
import { close } from '../../server/store/moves.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const place = { conversation: 'c-x', buyer: 'x' };

const draft = (what: Partial<Draft> = {}): Draft => ({
  id: 'm1',
  conversation: 'c-x',
  from: { kind: 'system', id: 'shop' },
  body: { type: 'text', text: '欢迎 "|;" 100%' },
  clientId: 'welcome',
  at: NOON + 1,
  ...what,
});
const say = async (stage: Stage, what: Partial<Draft> = {}) => storeWelcome(await stage.scope(), draft(what));

async function opened(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  return stage;
}

describe('the welcome', () => {
  it('is a message of the shop, for which nobody waits and nobody is a contact', async () => {
    const stage = await opened();
    const message = { ...draft(), seq: 1 };
    const effect = await stage.effect(async () => expect(await say(stage)).toEqual(message));
    expect(effect).toEqual({
      'conversation:c-x': { lastSeq: '1', lastAt: String(NOON + 1) },
      'messages:c-x': [JSON.stringify(message)],
      'sent:c-x': { 'system:shop:welcome': '1' },
      events: [event('message', { conversation: 'c-x', seq: '1', from: 'system', by: 'shop' })],
    });
    expect(await readMessages(await stage.scope(), 'c-x', 1, 9)).toEqual([message]);
  });

  it('takes its place among what is said, and ends no waiting', async () => {
    const stage = await opened();
    const scope = await stage.scope();
    const windows = { hotMs: HOUR, warmMs: HOUR };
    // Called the same as the welcome is, and yet another message.
    const question = draft({ id: 'm0', from: { kind: 'buyer', id: 'x' }, at: NOON });
    await storeMessage(scope, 'x', question, windows);
    expect(await say(stage)).toMatchObject({ id: 'm1', seq: 2 });
    expect(await stage.conversation('x')).toMatchObject({ waitingSince: NOON, lastSeq: 2 });
    expect(await stage.live('A:pending')).toBe('1');
    const reply = draft({ id: 'm2', from: { kind: 'agent', id: 'A' }, at: NOON + 2 });
    expect(await storeMessage(scope, 'x', reply, windows)).toMatchObject({ kind: 'stored', message: { seq: 3 } });
    expect((await readMessages(scope, 'c-x', 1, 9)).map(({ id }) => id)).toEqual(['m0', 'm1', 'm2']);
  });

  it.each(['queue', 'pool'])('is said to who is left in the %s', async (line) => {
    const stage = await stageOf({ agents: { A: { capacity: 1 } } });
    if (line === 'queue') {
      await stage.be('online', 'A');
      await stage.open('first');
    }
    await stage.open('x');
    expect(await stage.members(line)).toEqual(['c-x']);
    expect(await say(stage)).toMatchObject({ seq: 1 });
  });
});

describe('the welcome is not said, and nothing changes', () => {
  it('a second time, also by several at once', async () => {
    const stage = await opened();
    const several = await Promise.all(['m1', 'm2', 'm3'].map((id) => say(stage, { id })));
    expect(several.filter(Boolean)).toHaveLength(1);
    expect(await stage.unchanged(() => say(stage, { id: 'm4', at: NOON + 9 }))).toBeUndefined();
  });

  it('in a conversation that follows another', async () => {
    const stage = await opened();
    await close(await stage.scope(), place, { kind: 'buyer', id: 'x' }, NOON);
    await stage.open('x', { conversation: 'second' });
    expect(await stage.unchanged(() => say(stage, { conversation: 'second' }))).toBeUndefined();
  });

  it('in one that is closed, erased, or was never there', async () => {
    const stage = await opened();
    const scope = await stage.scope();
    await close(scope, place, { kind: 'buyer', id: 'x' }, NOON);
    expect(await stage.unchanged(() => say(stage))).toBeUndefined();
    await beginErasing(scope, place.buyer, { by: { kind: 'admin' }, request: 'r' }, NOON);
    await eraseNewest(scope, place, { fingerprint: 'f' }, NOON);
    expect(await stage.unchanged(() => say(stage))).toBeUndefined();
    expect(await stage.unchanged(() => say(stage, { conversation: 'nowhere' }))).toBeUndefined();
  });
});
