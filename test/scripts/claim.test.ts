/** The claim as a buyer's click runs it. For the other modes see claim-again.test.ts. */
import { describe, expect, it } from 'vitest';
import { writeProfile } from '../../server/store/buyers.ts';
import { type Claim, claim } from '../../server/store/claim.ts';
import { close, transfer } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import { readAssignmentById } from '../../server/store/read.ts';
import { socketOf } from '../support/shop.ts';
import { event, gist, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const place = (buyer: string) => ({ conversation: `c-${buyer}`, buyer });

describe('an open', () => {
  it('goes to whose turn it is, and records all of it at once', async () => {
    const stage = await stageOf({ agents: { A: { capacity: 1 } }, groups: { g: { members: { A: 2 } } } });
    await stage.be('online', 'A');
    const effect = await stage.effect(() => stage.open('x', { request: 'r', entry: { product: 'p' } }));
    expect(effect).toEqual({
      live: { 'A:active': '1' },
      'ready:*': null,
      'ready:g': null,
      held: [['A:c-x', 0]],
      hot: [['x:A', NOON]],
      idle: [['c-x', NOON]],
      'buyer:x': { conversation: 'c-x', contacts: `,A=${NOON},`, request: 'c-x.r' },
      'conversation:c-x': {
        buyer: 'x',
        state: 'assigned',
        agent: 'A',
        group: 'g',
        via: 'agent',
        openedAt: String(NOON),
        entry: '{"product":"p"}',
        assignment: 'r',
        'a:r': expect.stringContaining(`${NOON}|agent|A|g|group|hot-contact:no-contact;`),
      },
      events: [
        event('assigned', {
          conversation: 'c-x',
          buyer: 'x',
          assignment: 'r',
          outcome: 'agent',
          agent: 'A',
        }),
      ],
    });
  });

  it('answers the assignment with its trace, the same as is read back', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} }, groups: { g: { members: { A: 2 } } } });
    await stage.be('online', 'B');
    const { assignment, conversation, from, loads } = await stage.open('x', { request: 'r' });
    expect({ conversation, from, loads }).toMatchObject({
      conversation: {
        id: 'c-x',
        shop: stage.shop,
        buyer: 'x',
        state: 'assigned',
        agent: 'B',
        overnight: false,
        lastSeq: 0,
        openedAt: NOON,
      },
      from: '',
      loads: [{ agent: 'B', pending: 0, active: 1 }],
    });
    expect(assignment).toEqual({
      id: 'c-x.r',
      conversation: 'c-x',
      buyer: 'x',
      at: NOON,
      outcome: 'agent',
      agent: 'B',
      step: 'widened',
      trace: [
        { step: 'hot-contact', result: 'passed', why: 'no-contact' },
        { step: 'night-shift', result: 'passed', why: 'not-enabled' },
        { step: 'nobody-on-duty', result: 'passed', why: 'someone-online', online: 1 },
        { step: 'warm-contact', result: 'passed', why: 'no-contact' },
        { step: 'exclusive-agent', result: 'passed', why: 'not-enabled' },
        { step: 'shop-robot', result: 'passed', why: 'not-enabled' },
        { step: 'group', result: 'passed', why: 'nobody-on-duty', narrowedBy: 'all' },
        {
          step: 'widened',
          result: 'won',
          why: 'next-in-turn',
          agent: 'B',
          pass: expect.any(Number),
          level: 1,
          pending: 0,
          narrowedBy: 'shop',
        },
      ],
    });
    expect(await readAssignmentById(await stage.scope(), 'c-x.r')).toEqual(assignment);
  });

  it('of somebody who is in a conversation is another assignment of it, and no more load', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    const effect = await stage.effect(() =>
      stage.open('x', { request: 'r', now: NOON + 5, entry: { intent: 'refund' } }),
    );
    expect(effect).toEqual({
      'buyer:x': { contacts: `,A=${NOON + 5},`, request: 'c-x.r' },
      'conversation:c-x': {
        assignment: 'r',
        entry: '{"intent":"refund"}',
        overnight: '',
        lastAt: String(NOON + 5),
        'a:r': `${NOON + 5}|agent|A||hot-contact|hot-contact:recent-and-present:A:5:online`,
      },
      events: [expect.objectContaining({ type: 'assigned', agent: 'A', from: 'A' })],
    });
  });

  it('after a close is a new conversation, which names the one before', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await close(await stage.scope(), place('x'), { kind: 'buyer', id: 'x' }, NOON);
    const effect = await stage.effect(() => stage.open('x', { conversation: 'second' }));
    expect(effect['conversation:second']).toMatchObject({ previous: 'c-x', state: 'assigned' });
    expect(effect['buyer:x']).toMatchObject({ conversation: 'second' });
    expect(effect).not.toHaveProperty('conversation:c-x');
  });

  it('sent again with the same request changes nothing and answers the same assignment', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x', { request: 'first' });
    const again = { buyer: 'x', request: 'first' };
    // As whoever had seen nothing of the first one would send it, and as whoever had.
    for (const seen of [{ expected: 'new', conversation: 'other' }, {}]) {
      expect(await stage.unchanged(() => stage.claim({ ...again, ...seen }))).toEqual({
        kind: 'repeat',
        assignment: 'c-x.first',
      });
    }
    await stage.open('x', { request: 'second' });
    expect(await stage.unchanged(() => stage.claim(again))).toEqual({ kind: 'repeat', assignment: 'c-x.first' });
  });

  it.each<[string, Partial<Claim>, string]>([
    ['a new conversation, where one is open', { expected: 'new', conversation: 'other' }, 'c-x'],
    ['another conversation than is open', { expected: 'current', conversation: 'other' }, 'c-x'],
    ['a profile that is none any more', { profile: '7' }, 'c-x'],
  ])('planned with %s is refused with what holds', async (_, stale, conversation) => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    const refused = await stage.unchanged(() => stage.claim({ buyer: 'x', ...stale }));
    expect(refused).toEqual({ kind: 'buyer', profile: '0', conversation });
  });

  it('planned with the profile before a change, or a conversation that is closed, is refused', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await close(await stage.scope(), place('x'), { kind: 'buyer', id: 'x' }, NOON);
    await writeProfile(await stage.scope(), 'x', { crowds: [] }, NOON);
    const old = await stage.unchanged(() => stage.claim({ buyer: 'x', profile: '0' }));
    expect(old).toEqual({ kind: 'buyer', profile: '1', conversation: '' });
    const gone = await stage.unchanged(() =>
      stage.claim({ buyer: 'x', expected: 'current', conversation: 'c-x', profile: '1' }),
    );
    expect(gone).toEqual({ kind: 'buyer', profile: '1', conversation: '' });
  });

  it('planned with another configuration is refused', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    const open: Claim = {
      now: NOON,
      mode: 'open',
      plan: 'full pool   ',
      buyer: 'x',
      profile: '0',
      conversation: 'c-x',
      request: 'r',
      expected: 'new',
      warmMs: HOUR,
      limit: '',
      entry: {},
    };
    await stage.refusesStale((stale) => claim(stale, open));
    // The same is good with the version that holds: it was refused for nothing else.
    expect(gist(await claim(await stage.scope(), open))).toBe('pool - full');
  });
});

describe('each way out of the chain', () => {
  const night = { enabled: true, proxy: 'P', from: '00:00', until: '08:00' };
  const midnight = NOON - 12 * HOUR;

  it('a robot holds it, and is no contact', async () => {
    const stage = await stageOf({
      settings: { robotFirst: { enabled: true, robot: 'R' } },
      agents: { A: {}, R: { kind: 'robot' } },
    });
    await stage.be('online', 'A', 'R');
    const effect = await stage.effect(() => stage.open('x'));
    expect(effect).toMatchObject({
      live: { 'R:active': '1' },
      held: [['R:c-x', 0]],
      'buyer:x': { contacts: '' },
      'conversation:c-x': { state: 'robot', agent: 'R', via: 'robot' },
    });
  });

  it('a robot that is full is passed over', async () => {
    const stage = await stageOf({
      settings: { robotFirst: { enabled: true, robot: 'R' } },
      agents: { A: {}, R: { kind: 'robot', capacity: 1 } },
    });
    await stage.be('online', 'A', 'R');
    expect(gist(await stage.open('x'))).toBe('robot R shop-robot');
    expect(gist(await stage.open('y'))).toBe('agent A group');
    expect(gist(await stage.open('x'))).toBe('robot R shop-robot');
  });

  it('the proxy holds it overnight, connected or not, and is no contact', async () => {
    const stage = await stageOf({ settings: { nightShift: night }, agents: { P: {} } });
    const effect = await stage.effect(() => stage.open('x', { now: midnight }));
    expect(effect).toMatchObject({
      live: { 'P:active': '1' },
      held: [['P:c-x', 0]],
      overnight: [['c-x', midnight]],
      'buyer:x': { contacts: '' },
      'conversation:c-x': { state: 'assigned', agent: 'P', via: 'proxy', overnight: String(midnight) },
    });
    const again = await stage.effect(() => stage.open('x', { now: midnight + 1 }));
    expect(Object.keys(again).sort()).toEqual(['buyer:x', 'conversation:c-x', 'events', 'live']);
  });

  it('the owner holds what is left with them', async () => {
    const stage = await stageOf({ settings: { leaveMessage: { to: 'owner' } }, agents: { O: { role: 'owner' } } });
    const effect = await stage.effect(() => stage.open('x'));
    expect(effect).toMatchObject({
      live: { 'O:active': '1' },
      held: [['O:c-x', 0]],
      'conversation:c-x': { state: 'assigned', agent: 'O', via: 'owner' },
    });
  });

  it('the pool and the queue hold by ticket, and nobody holds', async () => {
    const stage = await stageOf({ agents: { A: { capacity: 1 } } });
    const pooled = await stage.effect(() => stage.open('x'));
    expect(pooled).toMatchObject({
      held: [[':c-x', 0]],
      pool: [['c-x', NOON]],
      'conversation:c-x': { state: 'pooled', agent: '', via: 'pool' },
    });
    await stage.be('online', 'A');
    await stage.open('y');
    const queued = await stage.effect(() => stage.open('z'));
    expect(queued).toMatchObject({
      live: { queued: '1' },
      held: [
        [':c-x', 0],
        [':c-z', 0],
        ['A:c-y', 0],
      ],
      queue: [['c-z', NOON + 1]],
      'conversation:c-z': { state: 'queued', agent: '', via: 'queue' },
    });
    expect(queued).not.toHaveProperty('pool');
  });

  it('who waits and clicks again keeps the place; from the pool to the queue they get a new one', async () => {
    const stage = await stageOf({ agents: { A: { capacity: 1 } } });
    for (const buyer of ['x', 'y', 'x']) await stage.open(buyer);
    expect(await stage.members('pool')).toEqual(['c-x', 'c-y']);
    await stage.be('online', 'A');
    await stage.open('full');
    for (const buyer of ['z', 'x', 'z']) expect((await stage.open(buyer)).assignment.outcome).toBe('queue');
    expect(await stage.members('queue')).toEqual(['c-z', 'c-x']);
    expect(await stage.members('pool')).toEqual(['c-y']);
    expect(await stage.live('queued')).toBe('2');
  });

  it('takes a conversation that waits for a reply over with its pending', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.open('x');
    await stage.say('buyer', 'x');
    await stage.be('online', 'A');
    const effect = await stage.effect(() => stage.open('x'));
    expect(effect).toMatchObject({
      live: { 'A:active': '1', 'A:pending': '1' },
      held: [['A:c-x', 0]],
      waits: [['A:c-x', 0]],
      pool: null,
    });
  });
});

describe('the queue comes first', () => {
  /** A is full, y waits in the queue, then a place came free that no sweep has filled yet. */
  async function withFreePlace(): Promise<Stage> {
    const stage = await stageOf({ settings: { exclusiveAgents: true }, agents: { A: { capacity: 1 } } });
    await writeProfile(await stage.scope(), 'vip', { crowds: [], exclusiveAgent: 'A' }, NOON);
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.open('y');
    await close(await stage.scope(), place('x'), { kind: 'buyer', id: 'x' }, NOON);
    expect(await stage.members('ready:*')).toEqual(['A']);
    return stage;
  }

  it('before whoever clicks now, also one whose own agent it is', async () => {
    const stage = await withFreePlace();
    const late = await stage.open('late');
    expect(gist(late)).toBe('queue - full');
    expect(late.assignment.trace.slice(-2)).toEqual([
      { step: 'group', result: 'passed', why: 'others-wait-first', narrowedBy: 'shop' },
      { step: 'full', result: 'won', why: 'others-wait-first' },
    ]);
    expect(gist(await stage.open('vip'))).toBe('queue - full');
    expect(await stage.members('queue')).toEqual(['c-y', 'c-late', 'c-vip']);
    expect(gist(await stage.again('queue', 'y'))).toBe('agent A group');
  });

  it('and its first may click their way in, its second may not', async () => {
    const stage = await withFreePlace();
    await stage.open('z');
    expect(gist(await stage.open('z'))).toBe('queue - full');
    expect(gist(await stage.open('y'))).toBe('agent A group');
    expect(await stage.members('queue')).toEqual(['c-z']);
  });

  it('but not before a hot contact', async () => {
    const stage = await withFreePlace();
    expect(gist(await stage.open('x', { conversation: 'second' }))).toBe('agent A hot-contact');
  });
});

describe('recent contacts', () => {
  it('are kept latest first, each agent once, at most ten, within the warm window', async () => {
    const agents = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`a${n}`, {}]));
    const stage = await stageOf({ agents });
    await stage.be('hung-up', ...Object.keys(agents));
    await stage.open('x');
    const scope = await stage.scope();
    let now = NOON;
    for (const id of [...Object.keys(agents), 'a11', 'a5']) {
      now += 1_000;
      const to = { kind: 'agent' as const, id };
      await transfer(scope, {
        now,
        place: place('x'),
        by: '',
        to,
        windows: { hotMs: 24 * HOUR, warmMs: 72 * HOUR },
        request: `t${now}`,
      });
    }
    const contacts = async () =>
      (await stage.redis.hget(`${scope.keys.base}buyer:x`, 'contacts'))?.split(',').filter(Boolean) ?? [];
    const names = 'a5 a11 a10 a9 a8 a7 a6 a4 a3 a2'.split(' ');
    expect((await contacts()).map((item) => item.split('=')[0])).toEqual(names);
    // Nobody is told of the end of one that made room for another.
    expect((await stage.members('hot')).sort()).toEqual(names.map((id) => `x:${id}`).sort());
    // One who is exactly as old as the window stays; those older go.
    await stage.be('online', 'a11');
    const later = now + 71 * HOUR;
    expect(gist(await stage.open('x', { now: later, warmMs: 71 * HOUR }))).toBe('agent a11 warm-contact');
    expect(await contacts()).toEqual([`a11=${later}`, `a5=${now}`]);
  });
});

describe('a grace that has ended', () => {
  it('counts, whether or not a job has come by', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.say('buyer', 'x');
    const gone = { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 20_000 } as const;
    await changePresence(await stage.scope(), gone, NOON);
    const within = await stage.open('y', { now: NOON + 19_999 });
    expect(gist(within)).toBe('agent A group');
    expect(within.presences).toEqual([]);
    const after = await stage.open('z', { now: NOON + 20_000 });
    expect(gist(after)).toBe('pool - nobody-on-duty');
    expect(after.presences).toEqual([{ agent: 'A', presence: 'offline', cause: 'lost-connection' }]);
    expect(await stage.members('todo')).toEqual(['c-x']);
  });
});

describe('whose turn it is', () => {
  const passes = async (stage: Stage, group: string) => {
    const flat = await stage.redis.zrange(`${(await stage.scope()).keys.base}ready:${group}`, 0, '-1', 'WITHSCORES');
    return Object.fromEntries(flat.flatMap((id, i) => (i % 2 === 0 ? [[id, Number(flat[i + 1])]] : [])));
  };

  it('goes round by one part of the weight: 60,000 by the level, in the group that chose and in no other', async () => {
    const stage = await stageOf({
      agents: { A: {} },
      groups: { g: { members: { A: 5 }, binds: { products: ['p'] } }, h: { members: { A: 2 } } },
    });
    await stage.be('online', 'A');
    const before = { g: await passes(stage, 'g'), h: await passes(stage, 'h'), shop: await passes(stage, '*') };
    await stage.open('x', { entry: { product: 'p' } });
    expect(await passes(stage, 'g')).toEqual({ A: (before.g.A ?? 0) + 12_000 });
    expect(await passes(stage, 'h')).toEqual(before.h);
    expect(await passes(stage, '*')).toEqual(before.shop);
  });

  it('is not touched by contacts, robots and whoever comes on top', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    const before = await passes(stage, '*');
    await stage.open('x');
    await stage.open('x', { now: NOON + 48 * HOUR });
    expect(await passes(stage, '*')).toEqual(before);
  });

  it('comes later for the busy: by 1 + pending − threshold', async () => {
    const stage = await stageOf({ settings: { busyThreshold: 1 }, agents: { A: {} } });
    await stage.be('online', 'A');
    for (const buyer of ['x', 'y', 'z']) {
      await stage.open(buyer);
      await stage.say('buyer', buyer);
    }
    const before = (await passes(stage, '*')).A ?? 0;
    await stage.open('w');
    expect((await passes(stage, '*')).A).toBe(before + 3 * 60_000);
  });
});
