/** The script of presence: what was chosen and which sockets there are become one effective presence. */
import { describe, expect, it } from 'vitest';
import type { Presence } from '../../client-sdk/contract/index.ts';
import { deleteAgent } from '../../server/services/shops.ts';
import { changePresence, type PresenceCommand } from '../../server/store/presence.ts';
import { socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const GRACE = 100;
const stageOf = useStages();

const run = async (stage: Stage, command: PresenceCommand, now = NOON) =>
  changePresence(await stage.scope(), command, now);
const choose = (presence: Presence, agent = 'A'): PresenceCommand => ({
  change: 'choose',
  agent,
  presence,
  cause: 'chose',
});
const connect = (socket = socketOf('A'), agent = 'A'): PresenceCommand => ({
  change: 'connect',
  agent,
  socket,
  node: 'node',
});
const disconnect = (graceMs: number, socket = socketOf('A'), agent = 'A'): PresenceCommand => ({
  change: 'disconnect',
  agent,
  socket,
  graceMs,
});
const lapse: PresenceCommand = { change: 'lapse' };

/** An entry of the log: its count goes over all agents of the shop. */
const shift = (agent: string, at: number, count: number, what: string, by = '') =>
  `${agent}:${at}:${String(count).padStart(10, '0')}:${what}:${by}`;

async function online(...agents: string[]): Promise<Stage> {
  const stage = await stageOf({
    agents: Object.fromEntries(agents.map((id) => [id, {}])),
    groups: { g: { members: { A: 3 } } },
  });
  await stage.be('online', ...agents);
  return stage;
}

describe('choosing and connecting', () => {
  it('what is chosen without a connection is kept, and has no effect yet', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    const effect = await stage.effect(async () => {
      expect(await run(stage, choose('online'))).toEqual({
        kind: 'done',
        chosen: 'online',
        effective: 'offline',
        loads: [],
        presences: [],
      });
    });
    expect(effect).toEqual({ live: { 'A:chosen': 'online' } });
  });

  it('the first connection makes it effective, in every group of the agent', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} }, groups: { g: { members: { A: 3 } }, h: { members: {} } } });
    await run(stage, choose('online'));
    const effect = await stage.effect(async () => {
      expect(await run(stage, connect())).toMatchObject({
        effective: 'online',
        presences: [{ agent: 'A', presence: 'online', cause: 'connected' }],
      });
    });
    expect(effect).toEqual({
      live: { 'A:sockets': '1', 'A:presence': 'online', online: '1', shifts: '1' },
      shifts: [[shift('A', NOON, 1, 'online:connected'), 0]],
      sockets: { [`A:${socketOf('A')}`]: 'node' },
      'ready:*': ['A'],
      'ready:g': ['A'],
      events: [event('presence', { agent: 'A', presence: 'online', cause: 'connected' })],
    });
    expect(await stage.live('@g:levels')).toBe('3');
  });

  it('who has chosen nothing is offline, connected or not', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    const effect = await stage.effect(() => run(stage, connect()));
    expect(effect).toEqual({ live: { 'A:sockets': '1' }, sockets: { [`A:${socketOf('A')}`]: 'node' } });
  });

  it('hanging up leaves the ready sets, and is not counted as online', async () => {
    const stage = await online('A');
    expect(await stage.effect(() => run(stage, choose('hung-up')))).toEqual({
      live: { 'A:chosen': 'hung-up', 'A:presence': 'hung-up', online: '0', shifts: '2' },
      shifts: [
        [shift('A', NOON, 1, 'online:connected'), 0],
        [shift('A', NOON, 2, 'hung-up:chose'), 0],
      ],
      'ready:*': null,
      'ready:g': null,
      events: [event('presence', { agent: 'A', presence: 'hung-up', cause: 'chose' })],
    });
    expect(await stage.live('@g:levels')).toBe('0');
  });

  it('a supervisor’s choice is told as such', async () => {
    const stage = await online('A');
    const effect = await stage.effect(async () => {
      const answer = await run(stage, { change: 'choose', agent: 'A', presence: 'offline', cause: 'supervisor' });
      expect(answer).toMatchObject({ presences: [{ agent: 'A', presence: 'offline', cause: 'supervisor' }] });
    });
    expect(effect.events).toEqual([event('presence', { agent: 'A', presence: 'offline', cause: 'supervisor' })]);
  });

  it('who is full is online and in no ready set', async () => {
    const stage = await stageOf({ agents: { A: { capacity: 1 } } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.be('hung-up', 'A');
    const effect = await stage.effect(() => run(stage, choose('online')));
    expect(effect).toMatchObject({ live: { 'A:presence': 'online', online: '1' } });
    expect(await stage.members('ready:*')).toEqual([]);
  });

  it('a proxy in no group, and a robot, are present without being on duty', async () => {
    const stage = await stageOf({
      settings: { nightShift: { proxy: 'P' } },
      agents: { P: {}, R: { kind: 'robot' } },
    });
    await stage.be('online', 'P', 'R');
    expect(await Promise.all(['P:presence', 'R:presence', 'online'].map(stage.live))).toEqual([
      'online',
      'online',
      null,
    ]);
    expect(await stage.members('ready:*')).toEqual([]);
  });
});

describe('several devices', () => {
  it('a second one changes nothing but the count, and neither does losing it', async () => {
    const stage = await online('A');
    const second = await stage.effect(() => run(stage, connect('phone')));
    expect(second).toEqual({ live: { 'A:sockets': '2' }, sockets: { 'A:phone': 'node' } });
    const lost = await stage.effect(() => run(stage, disconnect(0, 'phone')));
    expect(lost).toEqual({ live: { 'A:sockets': '1' }, sockets: { 'A:phone': null } });
  });

  it.each<[string, PresenceCommand]>([
    ['a socket that is known connects', connect()],
    ['a socket that is not known disconnects', disconnect(0, 'phone')],
    ['the same is chosen', choose('online')],
  ])('nothing at all changes where %s', async (_, command) => {
    const stage = await online('A');
    expect(await stage.unchanged(() => run(stage, command))).toEqual({
      kind: 'done',
      chosen: 'online',
      effective: 'online',
      loads: [],
      presences: [],
    });
  });
});

describe('a socket whose node has a new id', () => {
  const under = (node: string): PresenceCommand => ({ change: 'connect', agent: 'A', socket: socketOf('A'), node });
  const endUnder = (node: string): PresenceCommand => ({
    change: 'disconnect',
    agent: 'A',
    socket: socketOf('A'),
    graceMs: 0,
    node,
  });

  it('is moved to it, and counted once', async () => {
    const stage = await online('A');
    const moved = await stage.effect(async () => {
      expect(await run(stage, under('new'))).toMatchObject({ effective: 'online', presences: [] });
    });
    expect(moved).toEqual({ sockets: { [`A:${socketOf('A')}`]: 'new' } });
  });

  it('is not ended for the one before, but for the new one', async () => {
    const stage = await online('A');
    await run(stage, under('new'));
    expect(await stage.unchanged(() => run(stage, endUnder('node')))).toMatchObject({ effective: 'online' });
    expect(await run(stage, endUnder('new'))).toMatchObject({
      presences: [{ agent: 'A', presence: 'offline', cause: 'lost-connection' }],
    });
    expect(await stage.unchanged(() => run(stage, endUnder('new')))).toMatchObject({ presences: [] });
  });
});

describe('a lost connection', () => {
  it('leaves the agent as they are for the grace, and coming back within it shows nothing', async () => {
    const stage = await online('A');
    const gone = await stage.effect(() => run(stage, disconnect(GRACE)));
    expect(gone).toEqual({
      live: { 'A:sockets': '0', lapse: String(NOON + GRACE) },
      sockets: null,
      lapses: [['A', NOON + GRACE]],
    });
    const back = await stage.effect(() => run(stage, connect('other'), NOON + GRACE - 1));
    expect(back).toEqual({ live: { 'A:sockets': '1', lapse: '' }, sockets: { 'A:other': 'node' }, lapses: null });
    expect(await stage.unchanged(() => run(stage, lapse, NOON + GRACE))).toMatchObject({ presences: [] });
  });

  it('counts at exactly the end of the grace, and not before', async () => {
    const stage = await online('A');
    await run(stage, disconnect(GRACE));
    expect(await stage.unchanged(() => run(stage, lapse, NOON + GRACE - 1))).toMatchObject({ presences: [] });
    const effect = await stage.effect(() => run(stage, lapse, NOON + GRACE));
    expect(effect).toEqual({
      live: { 'A:presence': 'offline', online: '0', lapse: '', shifts: '2' },
      shifts: [
        [shift('A', NOON, 1, 'online:connected'), 0],
        [shift('A', NOON + GRACE, 2, 'offline:lost-connection'), 0],
      ],
      lapses: null,
      'ready:*': null,
      'ready:g': null,
      events: [event('presence', { agent: 'A', presence: 'offline', cause: 'lost-connection' })],
    });
    expect(await stage.unchanged(() => run(stage, lapse, NOON + GRACE))).toMatchObject({ presences: [] });
  });

  it('coming back at the end of the grace is going and coming', async () => {
    const stage = await online('A');
    await run(stage, disconnect(GRACE));
    const presences = [
      { agent: 'A', presence: 'offline', cause: 'lost-connection' },
      { agent: 'A', presence: 'online', cause: 'connected' },
    ];
    expect(await run(stage, connect(), NOON + GRACE)).toMatchObject({ effective: 'online', presences });
  });

  it('without a grace counts at once', async () => {
    const stage = await online('A');
    const effect = await stage.effect(() => run(stage, disconnect(0)));
    expect(effect).toMatchObject({ live: { 'A:presence': 'offline', 'A:sockets': '0', online: '0' }, sockets: null });
    expect(effect).not.toHaveProperty('lapses');
    expect(await stage.live('A:chosen')).toBe('online');
  });

  it('of who is offline anyway needs no grace', async () => {
    const stage = await online('A');
    await run(stage, choose('offline'));
    const effect = await stage.effect(() => run(stage, disconnect(GRACE)));
    expect(effect).toEqual({ live: { 'A:sockets': '0' }, sockets: null });
  });

  it('of two agents, the earlier counts first, and is found by whatever command comes by', async () => {
    const stage = await online('A', 'B', 'C');
    await run(stage, disconnect(GRACE * 2, socketOf('B'), 'B'));
    await run(stage, disconnect(GRACE));
    expect(await stage.live('lapse')).toBe(String(NOON + GRACE));
    const answer = await run(stage, choose('hung-up', 'C'), NOON + GRACE);
    expect(answer).toMatchObject({
      chosen: 'hung-up',
      presences: [
        { agent: 'A', presence: 'offline', cause: 'lost-connection' },
        { agent: 'C', presence: 'hung-up', cause: 'chose' },
      ],
    });
    expect(await stage.live('lapse')).toBe(String(NOON + GRACE * 2));
    expect(await run(stage, lapse, NOON + GRACE * 5)).toMatchObject({ presences: [{ agent: 'B' }] });
  });
});

describe('who leaves conversations behind', () => {
  it('those that wait are due to be dispatched again, since then; the others stay', async () => {
    const stage = await online('A');
    for (const buyer of ['x', 'y']) await stage.open(buyer);
    await stage.say('buyer', 'x');
    const effect = await stage.effect(() => run(stage, choose('offline'), NOON + 5));
    expect(effect).toMatchObject({ todo: [['c-x', NOON + 5]] });
    for (const key of ['held', 'waits', 'conversation:c-x']) expect(effect).not.toHaveProperty(key);
    await run(stage, choose('online'), NOON + 6);
    const again = await stage.effect(() => run(stage, choose('offline'), NOON + 7));
    expect(again).not.toHaveProperty('todo'); // due since the first time
  });

  it('an agent whose name begins like another’s is left alone', async () => {
    const stage = await stageOf({ agents: { A: {}, 'A-2': {} } });
    await stage.be('online', 'A-2');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await stage.be('online', 'A');
    expect(await stage.effect(() => run(stage, choose('offline')))).not.toHaveProperty('todo');
    expect(await stage.effect(() => run(stage, choose('offline', 'A-2')))).toMatchObject({ todo: [['c-x', NOON]] });
  });

  it('what came in overnight stays for the morning', async () => {
    const nightShift = { enabled: true, proxy: 'P', from: '00:00', until: '08:00' };
    const stage = await stageOf({ settings: { nightShift }, agents: { P: {} } });
    await stage.be('online', 'P');
    await stage.open('x', { now: NOON - 10 * HOUR });
    await stage.say('buyer', 'x', NOON - 10 * HOUR);
    const effect = await stage.effect(() => run(stage, choose('offline', 'P')));
    expect(effect).toMatchObject({ live: { 'P:presence': 'offline' } });
    expect(effect).not.toHaveProperty('todo');
  });
});

describe('is refused, and changes nothing', () => {
  it('an agent who is not there, also while somebody’s grace has ended', async () => {
    const stage = await online('A');
    await run(stage, disconnect(GRACE));
    for (const command of [choose('online', 'nobody'), connect('socket', 'nobody')]) {
      expect(await stage.unchanged(() => run(stage, command, NOON + GRACE))).toEqual({ kind: 'unknown' });
    }
  });

  it('an agent who is gone; but their sockets may still go', async () => {
    const stage = await online('A', 'B');
    await deleteAgent(stage.house, stage.shop, 'B', NOON);
    await stage.house.settled();
    for (const command of [choose('online', 'B'), connect('phone', 'B')]) {
      expect(await stage.unchanged(() => run(stage, command))).toEqual({ kind: 'unknown' });
    }
    const effect = await stage.effect(() => run(stage, disconnect(GRACE, socketOf('B'), 'B')));
    expect(effect).toEqual({ live: { 'B:sockets': '0' }, sockets: { [`B:${socketOf('B')}`]: null } });
  });

  it('with another configuration', async () => {
    const stage = await online('A');
    for (const command of [choose('hung-up'), connect('phone'), disconnect(0), lapse]) {
      await stage.refusesStale((stale) => changePresence(stale, command, NOON));
    }
  });
});
