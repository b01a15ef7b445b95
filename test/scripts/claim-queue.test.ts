/** The queue of the claim: who is served before whom, who leaves it, and how fast it moves. */
import { describe, expect, it } from 'vitest';
import type { SettingsPatch } from '../../client-sdk/contract/index.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { writeProfile } from '../../server/store/buyers.ts';
import type { Claim, ClaimMode } from '../../server/store/claim.ts';
import { close, takeFromPool } from '../../server/store/moves.ts';
import { queueLength, queuePlace, readPlaces, waitingSince } from '../../server/store/queue.ts';
import type { ShopSpec } from '../support/shop.ts';
import { event, gist, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const CLASS = 1e13;
const stageOf = useStages();
const place = (buyer: string) => ({ conversation: `c-${buyer}`, buyer });
const patch = (stage: Stage, settings: SettingsPatch) => patchSettings(stage.house, stage.shop, settings, NOON);
const end = async (stage: Stage, buyer: string, now = NOON) =>
  close(await stage.scope(), place(buyer), { kind: 'buyer', id: buyer }, now);
const crowds = async (stage: Stage, buyer: string, ...names: string[]) =>
  writeProfile(await stage.scope(), buyer, { crowds: names }, NOON);

/** A, who has one place, holds the conversation of `first`: whoever comes now waits. */
async function full(spec: Partial<ShopSpec> = {}): Promise<Stage> {
  const stage = await stageOf({ agents: { A: { capacity: 1 } }, ...spec });
  await stage.be('online', 'A');
  await stage.open('first');
  return stage;
}
/** Closes what A has, and takes the next out of the queue; answers who waits still. */
async function next(stage: Stage, now = NOON): Promise<string[]> {
  const [held = ''] = (await stage.members('held')).filter((member) => member.startsWith('A:'));
  await end(stage, held.slice('A:c-'.length), now);
  const [first = ''] = await stage.members('queue');
  const claimed = await stage.again('queue', first.slice('c-'.length), { now });
  if (claimed.kind !== 'assigned') throw new Error(`${first} came to: ${claimed.kind}`);
  return stage.members('queue');
}

describe('a place in the queue', () => {
  it('is the time of the click; of several at once, a moment later each', async () => {
    const stage = await full();
    for (const buyer of ['z', 'y', 'x']) await stage.open(buyer, { now: NOON + 5 });
    await stage.open('w', { now: NOON + 4 }); // another node's clock
    await stage.open('v', { now: NOON + HOUR });
    expect(await stage.scores('queue')).toEqual({
      'c-z': NOON + 5,
      'c-y': NOON + 6,
      'c-x': NOON + 7,
      'c-w': NOON + 8,
      'c-v': NOON + HOUR,
    });
    const scope = await stage.scope();
    expect(await waitingSince(scope, NOON + 6, 10)).toEqual(['c-z', 'c-y']);
    expect(await queuePlace(scope, 'c-x')).toEqual({ position: 3, served: [] });
    expect(await queuePlace(scope, 'c-first')).toMatchObject({ position: 0 });
  });

  it('is better for a crowd of a higher priority, whenever they come', async () => {
    const stage = await full({ settings: { queue: { priorities: { vip: 9, member: 1, guest: 0 } } } });
    await crowds(stage, 'm1', 'member', 'guest');
    await crowds(stage, 'm2', 'member');
    await crowds(stage, 'v1', 'member', 'vip');
    await crowds(stage, 'v2', 'vip');
    await crowds(stage, 'g', 'guest', 'other');
    const clicks = ['n', 'm1', 'v1', 'g', 'm2', 'v2'];
    for (const [i, buyer] of clicks.entries()) await stage.open(buyer, { now: NOON + i });
    expect(await stage.scores('queue')).toEqual({
      'c-v1': NOON + 2 - 9 * CLASS,
      'c-v2': NOON + 5 - 9 * CLASS,
      'c-m1': NOON + 1 - CLASS,
      'c-m2': NOON + 4 - CLASS,
      'c-n': NOON,
      'c-g': NOON + 3,
    });
    const order = ['c-v1', 'c-v2', 'c-m1', 'c-m2', 'c-n', 'c-g'];
    expect(await stage.members('queue')).toEqual(order);
    expect(await waitingSince(await stage.scope(), NOON + 3, 10)).toEqual(['c-n', 'c-g', 'c-m1', 'c-v1']);
    while (order.length > 0) {
      order.shift();
      expect(await next(stage)).toEqual(order);
    }
  });

  it('is kept by a click again, also among those of another priority: the class changes, the ticket does not', async () => {
    const stage = await full({ settings: { queue: { priorities: { vip: 1 } } } });
    await crowds(stage, 'v', 'vip');
    for (const [i, buyer] of ['x', 'y', 'v'].entries()) await stage.open(buyer, { now: NOON + i });
    expect(await stage.effect(() => stage.open('y', { now: NOON + 9 }))).not.toHaveProperty('queue');
    await crowds(stage, 'y', 'vip');
    const effect = await stage.effect(() => stage.open('y', { now: NOON + 10 }));
    expect(effect).toMatchObject({
      queue: [
        ['c-y', NOON + 1 - CLASS],
        ['c-v', NOON + 2 - CLASS],
        ['c-x', NOON],
      ],
    });
    expect(effect).not.toHaveProperty('live');
    await crowds(stage, 'v', 'nobody');
    await stage.open('v', { now: NOON + 11 });
    expect(await stage.scores('queue')).toEqual({ 'c-y': NOON + 1 - CLASS, 'c-x': NOON, 'c-v': NOON + 2 });
  });

  it('of another priority by another setting holds from the next click on', async () => {
    const stage = await full();
    await crowds(stage, 'v', 'vip');
    for (const buyer of ['x', 'v']) await stage.open(buyer);
    await patch(stage, { queue: { priorities: { vip: 2 } } });
    expect(await stage.members('queue')).toEqual(['c-x', 'c-v']);
    await stage.open('v');
    expect(await stage.members('queue')).toEqual(['c-v', 'c-x']);
  });

  it('first is served first: who clicks in before a better one is told to wait', async () => {
    const stage = await full({ settings: { queue: { priorities: { vip: 1 } } } });
    await crowds(stage, 'v', 'vip');
    await stage.open('x');
    await stage.open('v');
    await end(stage, 'first');
    expect(await stage.unchanged(() => stage.again('queue', 'x'))).toEqual({ kind: 'moved' });
    expect(gist(await stage.open('x'))).toBe('queue - full');
    expect(gist(await stage.open('v'))).toBe('agent A group');
  });
});

describe('leaving the queue', () => {
  it('is into the pool, with the same place among the messages left', async () => {
    const stage = await full({ settings: { queue: { priorities: { vip: 3 } } } });
    await crowds(stage, 'v', 'vip');
    await stage.open('v', { now: NOON + 1 });
    await stage.open('x', { now: NOON + 2 });
    await stage.be('offline', 'A');
    await stage.open('late', { now: NOON + HOUR });
    const effect = await stage.effect(() => stage.again('leave', 'v', { request: 'r', now: NOON + 2 * HOUR }));
    expect(effect).toEqual({
      live: { queued: '1' },
      queue: [['c-x', NOON + 2]],
      pool: [
        ['c-v', NOON + 1],
        ['c-late', NOON + HOUR],
      ],
      'conversation:c-v': {
        state: 'pooled',
        via: 'pool',
        assignment: 'r',
        'a:r': `${NOON + 2 * HOUR}|pool|||full|full:left-the-queue`,
        lastAt: String(NOON + 2 * HOUR),
        overnight: '',
      },
      events: [
        event('assigned', {
          conversation: 'c-v',
          buyer: 'v',
          assignment: 'r',
          outcome: 'pool',
          agent: '',
          from: '',
          mode: 'leave',
        }),
      ],
    });
  });

  it.each<[string, ShopSpec['settings'], string, string]>([
    ['the owner', { leaveMessage: { to: 'owner' } }, 'O', 'owner'],
    ['the proxy', { leaveMessage: { to: 'proxy' }, nightShift: { proxy: 'P' } }, 'P', 'proxy'],
  ])('is to %s where messages are left with them, full or not, and with what waits', async (_, settings, to, via) => {
    const stage = await full({
      settings: settings ?? {},
      agents: { A: { capacity: 1 }, O: { role: 'owner', capacity: 1 }, P: {} },
    });
    await stage.open('x', { now: NOON + 1 });
    if ((await stage.conversation('x')).state !== 'queued') throw new Error('x does not wait');
    await stage.say('buyer', 'x', NOON + 2);
    const effect = await stage.effect(() => stage.again('leave', 'x', { now: NOON + HOUR }));
    expect(effect).toMatchObject({
      live: { queued: '0', [`${to}:active`]: '1', [`${to}:pending`]: '1' },
      queue: null,
      waits: [[`${to}:c-x`, 0]],
      'conversation:c-x': { state: 'assigned', agent: to, via },
    });
    // Of a proxy nobody expects a reply in time.
    expect(await stage.scores('owed')).toEqual(to === 'O' ? { 'c-x': NOON + HOUR } : {});
    expect(effect).not.toHaveProperty('overnight');
  });

  it('says why: the wait came to the shop’s limit', async () => {
    const stage = await full();
    await stage.open('x');
    const claimed = await stage.again('leave', 'x', { plan: 'full pool  waited-too-long ' });
    expect(claimed).toMatchObject({
      assignment: { outcome: 'pool', step: 'full', trace: [{ step: 'full', result: 'won', why: 'waited-too-long' }] },
    });
  });

  it('and clicking again is a new place, behind all who wait', async () => {
    const stage = await full();
    for (const buyer of ['x', 'y']) await stage.open(buyer);
    await stage.again('leave', 'x');
    await stage.open('x');
    expect(await stage.members('queue')).toEqual(['c-y', 'c-x']);
    expect(await stage.members('pool')).toEqual([]);
  });

  it.each<[string, (stage: Stage) => Promise<unknown>]>([
    ['is served', async (stage) => next(stage)],
    ['has left already', (stage) => stage.again('leave', 'x')],
    [
      'has left, and was taken by hand',
      async (stage) => {
        await stage.again('leave', 'x');
        await takeFromPool(await stage.scope(), place('x'), 'A', { hotMs: HOUR, warmMs: HOUR }, NOON);
      },
    ],
    ['is closed', (stage) => end(stage, 'x')],
  ])('is refused, and changes nothing, for who %s', async (_, meanwhile) => {
    const stage = await full();
    await stage.open('x');
    await meanwhile(stage);
    expect(await stage.unchanged(() => stage.again('leave', 'x'))).toEqual({ kind: 'moved' });
  });

  it('again with the same request answers the same assignment', async () => {
    const stage = await full();
    await stage.open('x', { request: 'first' });
    const same: Partial<Claim> & { buyer: string } = { buyer: 'x', mode: 'leave', request: 'r', expected: 'first:' };
    expect((await stage.claim(same)).kind).toBe('assigned');
    expect(await stage.unchanged(() => stage.claim(same))).toEqual({ kind: 'repeat', assignment: 'c-x.r' });
  });
});

describe('with nobody on duty any more', () => {
  it.each<ClaimMode>(['open', 'queue'])(
    'a run of the dispatcher (%s) puts who waited into the pool at their place',
    async (mode) => {
      const stage = await full();
      for (const [i, buyer] of ['x', 'y'].entries()) await stage.open(buyer, { now: NOON + 1 + i });
      await stage.be('offline', 'A');
      await stage.open('late', { now: NOON + HOUR });
      const claimed = mode === 'open' ? await stage.open('x', { now: NOON + HOUR }) : await stage.again(mode, 'x');
      expect(gist(claimed)).toBe('pool - nobody-on-duty');
      expect(await stage.scores('pool')).toEqual({ 'c-x': NOON + 1, 'c-late': NOON + HOUR });
      expect(await stage.scores('queue')).toEqual({ 'c-y': NOON + 2 });
    },
  );
});

describe('how fast the queue moves', () => {
  it('is the times at which buyers of it were served, the latest last, at most twenty', async () => {
    const stage = await full();
    const buyers = Array.from({ length: 23 }, (_, i) => `b${i}`);
    for (const buyer of buyers) await stage.open(buyer);
    for (let i = 0; i < 22; i++) await next(stage, NOON + 1_000 * (i + 1));
    const times = Array.from({ length: 20 }, (_, i) => NOON + 1_000 * (i + 3));
    expect(await queueLength(await stage.scope())).toEqual({ length: 1, served: times });
    expect(await readPlaces(await stage.scope(), 1, 9)).toEqual([
      { conversation: 'c-b22', position: 1, told: undefined },
    ]);
    expect(await queuePlace(await stage.scope(), 'c-b22')).toEqual({ position: 1, served: times });
  });

  it('tells nothing of an earlier queue', async () => {
    const stage = await full();
    await stage.open('x');
    await next(stage, NOON + 1);
    expect(await stage.live('served')).toBe(`,${NOON + 1}`);
    await stage.open('y');
    expect(await stage.live('served')).toBe('');
    await stage.open('z');
    await next(stage, NOON + 2);
    expect(await stage.live('served')).toBe(`,${NOON + 2}`);
  });

  it('counts who clicks their way in, and nobody who leaves, closes, or was never in it', async () => {
    const stage = await full({ agents: { A: { capacity: 1 }, B: { capacity: 1 } } });
    await stage.be('online', 'B');
    await stage.open('other');
    for (const buyer of ['w', 'x', 'y', 'z']) await stage.open(buyer);
    await stage.again('leave', 'w');
    await end(stage, 'x');
    expect(await stage.live('served')).toBe('');
    await end(stage, 'first');
    await stage.open('y', { now: NOON + 7 });
    expect(await stage.live('served')).toBe(`,${NOON + 7}`);
    await stage.open('y', { now: NOON + 8 }); // has been served
    expect(await stage.live('served')).toBe(`,${NOON + 7}`);
  });
});
