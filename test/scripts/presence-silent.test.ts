/** Who chose to be online, and is hung up all the same, as they have left a buyer without a reply. */
import { describe, expect, it } from 'vitest';
import type { Presence } from '../../client-sdk/contract/index.ts';
import { close, transfer } from '../../server/store/moves.ts';
import { changePresence, type PresenceCommand } from '../../server/store/presence.ts';
import { socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const place = (buyer: string) => ({ conversation: `c-${buyer}`, buyer });

const run = async (stage: Stage, command: PresenceCommand, now = NOON) =>
  changePresence(await stage.scope(), command, now);
const choose = (stage: Stage, presence: Presence) =>
  run(stage, { change: 'choose', agent: 'A', presence, cause: 'chose' });
const silent = (since: number, agent = 'A', conversation = 'c-x'): PresenceCommand => ({
  change: 'silent',
  agent,
  conversation,
  since,
});
const end = async (stage: Stage, buyer: string) =>
  close(await stage.scope(), place(buyer), { kind: 'buyer', id: buyer }, NOON);
const presenceOf = (stage: Stage) => stage.live('A:presence');
const hungUp = { agent: 'A', presence: 'hung-up', cause: 'auto-hang-up' };

describe('an agent who leaves a buyer without a reply', () => {
  /** A holds the conversation of `x`, who has waited since noon and 3 ms. */
  async function waiting(): Promise<Stage> {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.say('buyer', 'x', NOON + 3);
    return stage;
  }

  it('is hung up, what they chose stays, and nothing is dispatched', async () => {
    const stage = await waiting();
    const effect = await stage.effect(async () => {
      expect(await run(stage, silent(NOON + 3), NOON + HOUR)).toEqual({
        kind: 'done',
        chosen: 'online',
        effective: 'hung-up',
        loads: [],
        presences: [hungUp],
      });
    });
    expect(effect).toEqual({
      live: { 'A:presence': 'hung-up', 'A:silent': '1', online: '0', shifts: '2' },
      'ready:*': null,
      shifts: [
        [`A:${NOON}:0000000001:online:connected:`, 0],
        [`A:${NOON + HOUR}:0000000002:hung-up:auto-hang-up:`, 0],
      ],
      events: [event('presence', hungUp)],
    });
    expect(await stage.unchanged(() => run(stage, silent(NOON + 3)))).toMatchObject({ presences: [] });
  });

  it.each<[string, PresenceCommand, (stage: Stage) => Promise<unknown>]>([
    ['it is owed since another time', silent(NOON + 2), async () => {}],
    ['they have replied', silent(NOON + 3), (stage) => stage.say('holder', 'x', NOON + 4)],
    [
      'they have replied, and the buyer has asked again',
      silent(NOON + 3),
      async (stage) => {
        await stage.say('holder', 'x', NOON + 4);
        await stage.say('buyer', 'x', NOON + 5);
      },
    ],
    ['it is somebody else’s', silent(NOON + 3, 'B'), (stage) => stage.be('online', 'B')],
    [
      'it has gone to somebody else in the same moment',
      silent(NOON + 3),
      async (stage) => {
        await stage.be('online', 'B');
        const windows = { hotMs: HOUR, warmMs: HOUR };
        const to = { kind: 'agent', id: 'B' } as const;
        await transfer(await stage.scope(), { now: NOON + 3, place: place('x'), by: 'A', to, windows, request: 't' });
        expect(await stage.scores('owed')).toEqual({ 'c-x': NOON + 3 });
      },
    ],
    ['it is closed', silent(NOON + 3), (stage) => end(stage, 'x')],
    ['the conversation was never there', silent(NOON + 3, 'A', 'nowhere'), async () => {}],
    ['they are hung up by choice', silent(NOON + 3), (stage) => choose(stage, 'hung-up')],
    ['they are offline', silent(NOON + 3), (stage) => stage.be('offline', 'A')],
  ])('is left as they are where %s', async (_, command, before) => {
    const stage = await waiting();
    await before(stage);
    expect(await stage.unchanged(() => run(stage, command, NOON + HOUR))).toMatchObject({ presences: [] });
  });

  it('is never a proxy, nor a robot', async () => {
    const stage = await stageOf({
      settings: { nightShift: { proxy: 'P' } },
      agents: { A: {}, P: {}, R: { kind: 'robot' } },
    });
    await stage.be('online', 'A', 'P', 'R');
    for (const [buyer, id] of [
      ['x', 'P'],
      ['y', 'R'],
    ] as const) {
      await stage.open(buyer);
      await stage.say('buyer', buyer);
      const to = { kind: 'agent', id } as const;
      const windows = { hotMs: HOUR, warmMs: HOUR };
      await transfer(await stage.scope(), { now: NOON + 1, place: place(buyer), by: '', to, windows, request: 't' });
      await stage.unchanged(() => run(stage, silent(NOON + 1, id, `c-${buyer}`)));
    }
    // Neither is hung up; but what was given to them, and not left with a proxy, may still be moved on.
    expect(await stage.scores('owed')).toEqual({ 'c-x': NOON + 1, 'c-y': NOON + 1 });
  });

  it('whose connection is lost meanwhile, and for good, is offline and not hung up', async () => {
    const stage = await waiting();
    await run(stage, { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 100 });
    const answer = await run(stage, silent(NOON + 3), NOON + 100);
    expect(answer).toMatchObject({ effective: 'offline', presences: [{ agent: 'A', presence: 'offline' }] });
    expect(await stage.live('A:silent')).toBeNull();
  });

  it('comes back by choosing to be online', async () => {
    const stage = await waiting();
    await run(stage, silent(NOON + 3));
    expect(await choose(stage, 'online')).toMatchObject({
      effective: 'online',
      presences: [{ agent: 'A', presence: 'online', cause: 'chose' }],
    });
    expect(await stage.members('ready:*')).toEqual(['A']);
    expect(await stage.unchanged(() => choose(stage, 'online'))).toMatchObject({ presences: [] });
  });

  it('stays hung up when they connect anew, until nobody waits for them', async () => {
    const stage = await waiting();
    await run(stage, silent(NOON + 3));
    await run(stage, { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 0 });
    expect(await presenceOf(stage)).toBe('offline');
    expect(await run(stage, { change: 'connect', agent: 'A', socket: 'other', node: 'node' })).toMatchObject({
      chosen: 'online',
      effective: 'hung-up',
    });
    await end(stage, 'x');
    expect(await presenceOf(stage)).toBe('online');
    expect(await stage.live('A:silent')).toBe('');
  });

  it('comes back online where the buyer went to somebody else while they were away', async () => {
    const stage = await waiting();
    await run(stage, silent(NOON + 3));
    await run(stage, { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 0 });
    await end(stage, 'x');
    expect(await run(stage, { change: 'connect', agent: 'A', socket: 'other', node: 'node' })).toMatchObject({
      effective: 'online',
    });
  });

  it('who chooses to be hung up stays so when they reply', async () => {
    const stage = await waiting();
    await run(stage, silent(NOON + 3));
    expect(await choose(stage, 'hung-up')).toMatchObject({ presences: [] });
    expect(await stage.say('holder', 'x')).toMatchObject({ presences: [] });
    expect(await presenceOf(stage)).toBe('hung-up');
  });

  it('is refused with another configuration', async () => {
    const stage = await waiting();
    await stage.refusesStale((stale) => changePresence(stale, silent(NOON + 3), NOON));
  });
});
