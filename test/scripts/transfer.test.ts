/** The script that gives a conversation to a colleague, or to whoever's turn it is in a group. */
import { describe, expect, it } from 'vitest';
import { readyKey } from '../../server/store/keys.ts';
import { close, type Transfer, transfer } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import { socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const agent = (id: string) => ({ kind: 'agent', id }) as const;
const group = (id: string) => ({ kind: 'group', id }) as const;

/** A transfer of buyer `x` from A to B, unless said. */
const order = (what: Partial<Transfer> = {}): Transfer => ({
  now: NOON + 1,
  place: { conversation: 'c-x', buyer: 'x' },
  by: 'A',
  to: agent('B'),
  windows: { hotMs: HOUR, warmMs: HOUR },
  request: 'r',
  ...what,
});
const give = async (stage: Stage, what: Partial<Transfer> = {}) => transfer(await stage.scope(), order(what));

/** A holds the conversation of `x`, which waits; B, who has room for one, is there too. */
async function waiting(): Promise<Stage> {
  const stage = await stageOf({
    agents: { A: {}, B: { capacity: 1 }, C: {} },
    groups: { g: { members: { A: 1, B: 2 } }, h: { members: { C: 1 } } },
  });
  await stage.be('online', 'A');
  await stage.open('x');
  await stage.say('buyer', 'x');
  await stage.be('online', 'B');
  return stage;
}

it('a transfer from a robot that has answered is to wait for the person', async () => {
  const stage = await stageOf({
    settings: { robotFirst: { enabled: true, robot: 'R' } },
    agents: { A: {}, B: {}, R: { kind: 'robot' } },
  });
  await stage.be('online', 'B', 'R');
  await stage.open('x');
  await stage.say('buyer', 'x');
  await stage.say('holder', 'x');
  expect(await give(stage, { by: 'R' })).toMatchObject({
    conversation: { agent: 'B', waitingSince: NOON + 1 },
    loads: expect.arrayContaining([{ agent: 'B', pending: 1, active: 1 }]),
  });
});

describe('a transfer to a colleague', () => {
  it('moves the conversation, its place and what waits, and makes them a contact', async () => {
    const stage = await waiting();
    const effect = await stage.effect(async () => {
      expect(await give(stage)).toEqual({
        kind: 'moved',
        conversation: expect.objectContaining({ id: 'c-x', agent: 'B', state: 'assigned', waitingSince: NOON }),
        from: 'A',
        loads: expect.arrayContaining([
          { agent: 'A', pending: 0, active: 0 },
          { agent: 'B', pending: 1, active: 1 },
        ]),
        presences: [],
      });
    });
    expect(effect).toEqual({
      live: { 'A:active': '0', 'A:pending': '0', 'B:active': '1', 'B:pending': '1' },
      held: [['B:c-x', 0]],
      waits: [['B:c-x', 0]],
      owed: [['c-x', NOON + 1]],
      hot: [
        ['x:A', NOON],
        ['x:B', NOON + 1],
      ],
      'ready:*': ['A'],
      'ready:g': ['A'],
      'conversation:c-x': { agent: 'B', group: '', 'r:r': '1', lastAt: String(NOON + 1) },
      'buyer:x': { contacts: `,B=${NOON + 1},A=${NOON},` },
      events: [event('transferred', { conversation: 'c-x', agent: 'B', from: 'A', group: '' })],
    });
    expect(await stage.conversation('x')).not.toHaveProperty('group');
  });

  it('may exceed what they can take, and reaches who is hung up', async () => {
    const stage = await waiting();
    await stage.be('offline', 'A');
    await stage.open('y');
    expect(await stage.members('held')).toContain('B:c-y');
    await stage.be('hung-up', 'B');
    expect(await give(stage)).toMatchObject({ kind: 'moved' });
    expect(await stage.live('B:active')).toBe('2');
  });

  it('comes on top of their share: nobody’s pass is any higher', async () => {
    const stage = await waiting();
    await stage.be('online', 'C');
    const key = readyKey((await stage.scope()).keys, 'h');
    const before = await stage.redis.zscore(key, 'C');
    await give(stage, { to: agent('C') });
    expect(await stage.redis.zscore(key, 'C')).toBe(before);
  });

  it('takes it off the list of what is due to be dispatched again', async () => {
    const stage = await waiting();
    await stage.be('offline', 'A');
    expect(await stage.members('todo')).toEqual(['c-x']);
    expect(await stage.effect(() => give(stage))).toMatchObject({ todo: null, live: { 'B:pending': '1' } });
  });

  it('who is a robot holds it as a robot, and who is proxy as an agent; neither is a contact', async () => {
    const stage = await stageOf({
      settings: { nightShift: { proxy: 'P' } },
      agents: { A: {}, P: {}, R: { kind: 'robot', capacity: 1 } },
    });
    await stage.be('online', 'A', 'P', 'R');
    await stage.open('x');
    const lastAt = String(NOON + 1);
    const robot = await stage.effect(() => give(stage, { to: agent('R') }));
    expect(robot['conversation:c-x']).toEqual({ agent: 'R', state: 'robot', via: 'robot', 'r:r': '1', lastAt });
    const proxy = await stage.effect(() => give(stage, { by: 'R', to: agent('P'), request: 's' }));
    expect(proxy['conversation:c-x']).toEqual({ agent: 'P', state: 'assigned', via: 'agent', 'r:s': '1' });
    for (const effect of [robot, proxy]) expect(effect).not.toHaveProperty('buyer:x');
  });
});

describe('a transfer to a group', () => {
  it('goes to whose turn it is, but never to who holds it, and counts as their turn', async () => {
    const stage = await waiting();
    const key = readyKey((await stage.scope()).keys, 'g');
    // B would be served next but for A, who holds it and comes first.
    await stage.redis.zadd(key, 0, 'A', 5, 'B');
    const moved = await stage.effect(() => give(stage, { to: group('g') }));
    expect(moved).toMatchObject({
      'conversation:c-x': { agent: 'B', 'r:r': '1' },
      events: [event('transferred', { conversation: 'c-x', agent: 'B', from: 'A', group: 'g' })],
    });
    expect(await stage.conversation('x')).toMatchObject({ agent: 'B', group: 'g' });
    await stage.open('y');
    const time = Number(await stage.live('@g:time'));
    expect(Number(await stage.redis.zscore(key, 'A'))).toBeGreaterThan(time);
  });

  it('charges one stride of the level there', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {}, C: {} }, groups: { g: { members: { B: 2, C: 1 } } } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.be('online', 'B', 'C');
    const key = readyKey((await stage.scope()).keys, 'g');
    const passes = async () => (await Promise.all(['B', 'C'].map((id) => stage.redis.zscore(key, id)))).map(Number);
    const before = await passes();
    await give(stage, { to: group('g') });
    const taker = (await stage.conversation('x')).agent;
    const charged = (await passes()).map((pass, i) => pass - (before[i] ?? 0));
    expect(charged).toEqual(taker === 'B' ? [30_000, 0] : [0, 60_000]);
  });

  it('with nobody on duty but who holds it is refused', async () => {
    const stage = await waiting();
    await stage.be('offline', 'B');
    for (const to of [group('g'), group('h')]) {
      const refused = await stage.unchanged(() => give(stage, { to }));
      expect(refused).toEqual({ kind: 'nobody-on-duty', loads: [], presences: [] });
    }
  });
});

describe('a supervisor gives', () => {
  it.each(['queue', 'pool'] as const)('what nobody holds, out of the %s', async (line) => {
    const whenFull = line === 'queue' ? line : 'leave-message';
    const stage = await stageOf({ settings: { whenFull }, agents: { A: { capacity: 1 }, B: {} } });
    await stage.be('online', 'A');
    await stage.open('w');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await stage.be('hung-up', 'B');
    expect(await stage.members(line)).toEqual(['c-x']);
    const effect = await stage.effect(() => give(stage, { by: '' }));
    expect(effect).toMatchObject({
      [line]: null,
      live: { 'B:active': '1', 'B:pending': '1' },
      held: [
        ['A:c-w', 0],
        ['B:c-x', 0],
      ],
      waits: [['B:c-x', 0]],
      'conversation:c-x': { state: 'assigned', agent: 'B', via: 'agent' },
    });
    expect(await stage.live('queued')).toBe(line === 'queue' ? '0' : null);
  });

  it('what the proxy of the night holds: it does not wait for the morning any more', async () => {
    const nightShift = { enabled: true, proxy: 'P', from: '00:00', until: '08:00' };
    const stage = await stageOf({ settings: { nightShift }, agents: { P: {}, B: {} } });
    await stage.open('x', { now: NOON - 10 * HOUR });
    await stage.be('online', 'B');
    const effect = await stage.effect(() => give(stage, { by: '' }));
    expect(effect).toMatchObject({ overnight: null, 'conversation:c-x': { agent: 'B', via: 'agent' } });
    expect(await stage.conversation('x')).toMatchObject({ overnight: true }); // it did come in by night
  });
});

describe('changes nothing', () => {
  it('the same request again, also when it has moved on or is closed since', async () => {
    const stage = await waiting();
    await give(stage);
    expect(await stage.unchanged(() => give(stage))).toMatchObject({ kind: 'repeat', conversation: { agent: 'B' } });
    await give(stage, { by: 'B', to: agent('A'), request: 's' });
    expect(await stage.unchanged(() => give(stage))).toMatchObject({ kind: 'repeat', conversation: { agent: 'A' } });
    await close(await stage.scope(), order().place, { kind: 'agent', id: 'A' }, NOON);
    expect(await stage.unchanged(() => give(stage))).toMatchObject({
      kind: 'repeat',
      conversation: { state: 'closed' },
    });
  });

  it('to who holds it already, also while somebody’s grace has ended', async () => {
    const stage = await waiting();
    const gone = { change: 'disconnect', agent: 'B', socket: socketOf('B'), graceMs: 1 } as const;
    await changePresence(await stage.scope(), gone, NOON);
    const again = await stage.unchanged(() => give(stage, { to: agent('A') }));
    expect(again).toMatchObject({ kind: 'repeat', conversation: { agent: 'A' } });
  });

  it.each<[string, Partial<Transfer>, string]>([
    ['of a conversation that is not there', { place: { conversation: 'nowhere', buyer: 'x' } }, 'missing'],
    ['by who does not hold it', { by: 'B' }, 'not-holder'],
    ['to an agent who is offline', { to: agent('C') }, 'away'],
    ['to an agent who is not there', { to: agent('nobody') }, 'away'],
  ])('%s', async (_, what, kind) => {
    const stage = await waiting();
    expect(await stage.unchanged(() => give(stage, what))).toMatchObject({ kind });
  });

  it('to a robot that is hung up, or has no room: no person decides for it', async () => {
    const stage = await stageOf({ agents: { A: {}, R: { kind: 'robot', capacity: 1 } } });
    await stage.be('online', 'A');
    for (const buyer of ['w', 'x']) await stage.open(buyer);
    await stage.be('hung-up', 'R');
    expect(await stage.unchanged(() => give(stage, { to: agent('R') }))).toMatchObject({ kind: 'away' });
    await stage.be('online', 'R');
    const place = { conversation: 'c-w', buyer: 'w' };
    expect(await give(stage, { place, to: agent('R') })).toMatchObject({ kind: 'moved' });
    expect(await stage.unchanged(() => give(stage, { to: agent('R') }))).toMatchObject({ kind: 'away' });
  });

  it('once it is closed', async () => {
    const stage = await waiting();
    await close(await stage.scope(), order().place, { kind: 'buyer', id: 'x' }, NOON);
    expect(await stage.unchanged(() => give(stage))).toEqual({ kind: 'closed' });
  });

  it('with another configuration', async () => {
    const stage = await waiting();
    await stage.refusesStale((stale) => transfer(stale, order()));
  });
});

it('to who has just lost their connection for good is refused, and they are offline from then on', async () => {
  const stage = await waiting();
  const gone = { change: 'disconnect', agent: 'B', socket: socketOf('B'), graceMs: 1 } as const;
  await changePresence(await stage.scope(), gone, NOON);
  const effect = await stage.effect(async () => {
    expect(await give(stage)).toEqual({
      kind: 'away',
      loads: [],
      presences: [{ agent: 'B', presence: 'offline', cause: 'lost-connection' }],
    });
  });
  expect(effect).toMatchObject({ live: { 'B:presence': 'offline', lapse: '' }, lapses: null, 'ready:g': ['A'] });
  expect(effect).not.toHaveProperty('conversation:c-x');
});
