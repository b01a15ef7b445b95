import { describe, expect, it } from 'vitest';
import { type Note, noteOn } from '../../server/store/message.ts';
import { close } from '../../server/store/moves.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();
const byBuyer: Note['by'] = { kind: 'buyer', id: 'x' };
const byA: Note['by'] = { kind: 'agent', id: 'A' };

const seen = async (stage: Stage, seq: number, by: Note['by'] = byBuyer, conversation = 'c-x') =>
  noteOn(await stage.scope(), { now: NOON, conversation, by, what: 'seen', seq });
const rated = async (stage: Stage, score: number, comment = '', by: Note['by'] = byBuyer) =>
  noteOn(await stage.scope(), { now: NOON, conversation: 'c-x', by, what: 'rated', score, comment });

/** A conversation of three messages that A holds. */
async function held(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {}, B: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  for (let n = 0; n < 3; n++) await stage.say('buyer', 'x');
  return stage;
}

describe('what has been seen', () => {
  it('is kept for each side alone, and is no event', async () => {
    const stage = await held();
    const effect = await stage.effect(async () => {
      expect(await seen(stage, 2)).toEqual({ kind: 'done', agent: 'A', buyer: 'x', changed: true, value: 2 });
      expect(await seen(stage, 1, byA)).toEqual({ kind: 'done', agent: 'A', buyer: 'x', changed: true, value: 1 });
    });
    expect(effect).toEqual({ 'conversation:c-x': { 'seen:buyer': '2', 'seen:agent': '1' } });
  });

  it('only grows', async () => {
    const stage = await held();
    await seen(stage, 2);
    expect(await stage.unchanged(() => seen(stage, 1))).toMatchObject({ kind: 'done', changed: false });
    expect(await stage.unchanged(() => seen(stage, 2))).toMatchObject({ kind: 'done', changed: false });
    expect(await seen(stage, 3)).toMatchObject({ changed: true, value: 3 });
  });

  it('is never beyond the last message', async () => {
    const stage = await held();
    expect(await seen(stage, Number.MAX_SAFE_INTEGER)).toMatchObject({ changed: true, value: 3 });
    expect(await stage.unchanged(() => seen(stage, 4))).toMatchObject({ changed: false, value: 3 });
  });

  it('of nothing is nothing', async () => {
    const stage = await held();
    expect(await stage.unchanged(() => seen(stage, 0))).toMatchObject({ kind: 'done', changed: false, value: 0 });
  });

  it('is refused for whoever it is not, and changes nothing', async () => {
    const stage = await held();
    expect(await stage.unchanged(() => seen(stage, 1, { kind: 'buyer', id: 'y' }))).toEqual({ kind: 'missing' });
    expect(await stage.unchanged(() => seen(stage, 1, { kind: 'agent', id: 'B' }))).toEqual({ kind: 'not-holder' });
    expect(await stage.unchanged(() => seen(stage, 1, byBuyer, 'nowhere'))).toEqual({ kind: 'missing' });
  });
});

describe('a rating', () => {
  it('is kept with its comment, and is an event without it', async () => {
    const stage = await held();
    const effect = await stage.effect(async () => {
      expect(await rated(stage, 5, '谢谢 "you"')).toMatchObject({ kind: 'done', changed: true, value: 5 });
    });
    expect(effect).toEqual({
      'conversation:c-x': { score: '5', comment: '谢谢 "you"' },
      events: [event('rated', { conversation: 'c-x', score: '5' })],
    });
  });

  it('may come after the close, and the last one counts', async () => {
    const stage = await held();
    await rated(stage, 5, 'good');
    await close(await stage.scope(), { conversation: 'c-x', buyer: 'x' }, byA as { kind: 'agent'; id: string }, NOON);
    const effect = await stage.effect(() => rated(stage, 1));
    expect(effect).toMatchObject({ 'conversation:c-x': { score: '1', comment: '' } });
  });

  it('that is sent again is one, and one event', async () => {
    const stage = await held();
    await rated(stage, 4, 'good');
    expect(await stage.unchanged(() => rated(stage, 4, 'good'))).toMatchObject({ kind: 'done', changed: false });
    expect(await rated(stage, 4, 'better')).toMatchObject({ changed: true });
  });

  it('of somebody else’s conversation is refused, and changes nothing', async () => {
    const stage = await held();
    expect(await stage.unchanged(() => rated(stage, 5, '', { kind: 'buyer', id: 'y' }))).toEqual({ kind: 'missing' });
  });
});
