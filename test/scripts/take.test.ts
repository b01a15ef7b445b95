import { describe, expect, it } from 'vitest';
import { close, takeFromPool } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import type { Scope } from '../../server/store/scope.ts';
import { socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const place = { conversation: 'c-x', buyer: 'x' };
const take = (scope: Scope, agent: string, now = NOON) =>
  takeFromPool(scope, place, agent, { hotMs: 24 * HOUR, warmMs: 72 * HOUR }, now);

/** The conversation of x is in the pool; everybody is here. */
async function pooled(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: { capacity: 1 }, B: {}, C: {} } });
  await stage.open('x');
  await stage.be('online', 'A', 'B');
  return stage;
}

describe('taking from the pool', () => {
  it('gives the conversation to who takes it, with what waits, and makes a contact', async () => {
    const stage = await pooled();
    await stage.say('buyer', 'x');
    const effect = await stage.effect(async () => {
      expect(await take(await stage.scope(), 'A', NOON + 5)).toEqual({
        kind: 'moved',
        from: '',
        conversation: expect.objectContaining({ id: 'c-x', agent: 'A', state: 'assigned', waitingSince: NOON }),
        loads: [{ agent: 'A', pending: 1, active: 1 }],
        presences: [],
      });
    });
    expect(effect).toEqual({
      live: { 'A:active': '1', 'A:pending': '1' },
      'ready:*': ['B'],
      pool: null,
      held: [['A:c-x', 0]],
      waits: [['A:c-x', 0]],
      owed: [['c-x', NOON + 5]],
      hot: [['x:A', NOON + 5]],
      'conversation:c-x': { state: 'assigned', agent: 'A', via: 'agent', lastAt: String(NOON + 5) },
      'buyer:x': { contacts: `,A=${NOON + 5},` },
      events: [event('transferred', { conversation: 'c-x', agent: 'A', from: '', group: '' })],
    });
  });

  it('goes beyond a capacity, and for who is hung up: a person decided so', async () => {
    const stage = await pooled();
    await stage.open('x');
    await stage.be('offline', 'A', 'B');
    await stage.open('y');
    await stage.be('hung-up', 'A');
    const y = { conversation: 'c-y', buyer: 'y' };
    expect(await takeFromPool(await stage.scope(), y, 'A', { hotMs: HOUR, warmMs: HOUR }, NOON)).toMatchObject({
      kind: 'moved',
    });
  });

  it('succeeds for exactly one of several', async () => {
    const stage = await pooled();
    await stage.be('online', 'C');
    const scope = await stage.scope();
    const kinds = (await Promise.all(['A', 'B', 'C'].map((agent) => take(scope, agent)))).map(({ kind }) => kind);
    expect(kinds).toEqual(['moved', 'taken', 'taken']);
  });

  it('done again by the same changes nothing', async () => {
    const stage = await pooled();
    const scope = await stage.scope();
    await take(scope, 'A');
    const again = await stage.unchanged(() => take(scope, 'A'));
    expect(again).toMatchObject({ kind: 'repeat', conversation: { agent: 'A' } });
  });
});

describe('taking from the pool is refused and changes nothing', () => {
  it('what is not there', async () => {
    const stage = await pooled();
    const scope = await stage.scope();
    const nowhere = { conversation: 'nowhere', buyer: 'x' };
    expect(await stage.unchanged(() => takeFromPool(scope, nowhere, 'A', { hotMs: HOUR, warmMs: HOUR }, NOON))).toEqual(
      { kind: 'missing' },
    );
  });

  it.each(['C', 'nobody'])('by %s, who is not here', async (agent) => {
    const stage = await pooled();
    const scope = await stage.scope();
    expect(await stage.unchanged(() => take(scope, agent))).toEqual({ kind: 'away', loads: [], presences: [] });
  });

  it('what somebody else has, what is closed, and what is queued', async () => {
    const stage = await pooled();
    const scope = await stage.scope();
    await take(scope, 'A');
    expect(await stage.unchanged(() => take(scope, 'B'))).toEqual({ kind: 'taken' });
    await close(scope, place, { kind: 'agent', id: 'A' }, NOON);
    for (const agent of ['A', 'B']) expect(await stage.unchanged(() => take(scope, agent))).toEqual({ kind: 'taken' });

    const full = await stageOf({ agents: { A: { capacity: 1 } } });
    await full.be('online', 'A');
    await full.open('w');
    await full.open('x');
    const at = await full.scope();
    expect(await full.unchanged(() => take(at, 'A'))).toEqual({ kind: 'taken' });
  });

  it('with another configuration', async () => {
    const stage = await pooled();
    await stage.refusesStale((stale) => take(stale, 'A'));
  });
});

it('taking after the own grace has ended is refused, and the end is told', async () => {
  const stage = await pooled();
  const scope = await stage.scope();
  await changePresence(scope, { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 20_000 }, NOON);
  expect(await take(scope, 'A', NOON + 20_000)).toEqual({
    kind: 'away',
    loads: [],
    presences: [{ agent: 'A', presence: 'offline', cause: 'lost-connection' }],
  });
});
