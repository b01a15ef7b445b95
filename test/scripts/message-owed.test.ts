/** A message, and since when its reply is owed by whoever holds the conversation. */
import { describe, expect, it } from 'vitest';
import { transfer } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import { socketOf } from '../support/shop.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const place = { conversation: 'c-x', buyer: 'x' };

async function talking(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {}, B: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  return stage;
}

describe('a reply that is owed', () => {
  const owed = (stage: Stage) => stage.scores('owed');

  it('is owed since the first message that waits, until the reply', async () => {
    const stage = await talking();
    await stage.say('buyer', 'x', NOON + 3);
    expect(await stage.effect(() => stage.say('buyer', 'x', NOON + 5))).not.toHaveProperty('owed');
    expect(await owed(stage)).toEqual({ 'c-x': NOON + 3 });
    await stage.say('holder', 'x', NOON + 7);
    expect(await owed(stage)).toEqual({});
    await stage.say('buyer', 'x', NOON + 9);
    expect(await owed(stage)).toEqual({ 'c-x': NOON + 9 });
  });

  it('is owed by each holder since they have it, and by nobody where nobody holds it', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.open('x');
    await stage.say('buyer', 'x', NOON + 1);
    expect(await owed(stage)).toEqual({});
    await stage.be('online', 'A');
    await stage.again('pool', 'x', { now: NOON + 2 });
    expect(await owed(stage)).toEqual({ 'c-x': NOON + 2 });
    await stage.be('online', 'B');
    const windows = { hotMs: HOUR, warmMs: HOUR };
    const order = { place, by: 'A', to: { kind: 'agent', id: 'B' }, windows, request: 't' } as const;
    await transfer(await stage.scope(), { ...order, now: NOON + 3 });
    expect(await owed(stage)).toEqual({ 'c-x': NOON + 3 });
    await stage.be('offline', 'A', 'B');
    await stage.again('again', 'x', { now: NOON + 4 });
    expect(await owed(stage)).toEqual({});
    expect(await stage.conversation('x')).toMatchObject({ state: 'pooled', waitingSince: NOON + 1 });
  });

  it('is owed since the buyer waits at the earliest, though a move comes late with an earlier time', async () => {
    const stage = await talking();
    await stage.be('online', 'B');
    await stage.say('buyer', 'x', NOON + 5);
    const windows = { hotMs: HOUR, warmMs: HOUR };
    const order = { place, by: 'A', to: { kind: 'agent', id: 'B' }, windows, request: 't' } as const;
    await transfer(await stage.scope(), { ...order, now: NOON + 3 });
    expect(await owed(stage)).toEqual({ 'c-x': NOON + 5 });
  });

  it('is owed by a robot, and by no proxy', async () => {
    const stage = await stageOf({
      settings: {
        robotFirst: { enabled: true, robot: 'R' },
        nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' },
      },
      agents: { R: { kind: 'robot' }, P: {}, A: {} },
    });
    await stage.be('online', 'R', 'P', 'A');
    await stage.open('x');
    await stage.open('y', { now: NOON - 10 * HOUR });
    await stage.say('buyer', 'x');
    await stage.say('buyer', 'y');
    expect(await stage.members('waits')).toEqual(['P:c-y', 'R:c-x']);
    expect(await owed(stage)).toEqual({ 'c-x': NOON });
  });

  it('brings back who was hung up for another one, with any message of theirs', async () => {
    const stage = await talking();
    await stage.open('y');
    await stage.say('buyer', 'x');
    const silent = { change: 'silent', agent: 'A', conversation: 'c-x', since: NOON } as const;
    await changePresence(await stage.scope(), silent, NOON + 50);
    expect(await stage.live('A:presence')).toBe('hung-up');
    expect(await stage.say('buyer', 'y', NOON + 60)).toMatchObject({ presences: [] });
    const effect = await stage.effect(async () => {
      expect(await stage.say('holder', 'y', NOON + 70)).toMatchObject({
        presences: [{ agent: 'A', presence: 'online', cause: 'auto-resume' }],
      });
    });
    expect(effect).toMatchObject({
      live: { 'A:silent': '', 'A:presence': 'online', online: '1', shifts: '3' },
      'ready:*': ['A'],
      owed: [['c-x', NOON]],
    });
    expect(effect.events).toContainEqual(event('presence', { agent: 'A', presence: 'online', cause: 'auto-resume' }));
  });

  it('does not bring back who is offline by now', async () => {
    const stage = await talking();
    await stage.say('buyer', 'x');
    const silent = { change: 'silent', agent: 'A', conversation: 'c-x', since: NOON } as const;
    await changePresence(await stage.scope(), silent, NOON);
    const gone = { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 0 } as const;
    await changePresence(await stage.scope(), gone, NOON);
    expect(await stage.say('holder', 'x')).toMatchObject({ presences: [] });
    const back = { change: 'connect', agent: 'A', socket: socketOf('A'), node: 'node' } as const;
    expect(await changePresence(await stage.scope(), back, NOON)).toMatchObject({ effective: 'online' });
  });
});

it('a contact is never older than it was, though a slow node comes with an earlier time', async () => {
  const stage = await stageOf({ agents: { A: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  const before = await stage.dump();
  await stage.say('holder', 'x', NOON - 1_000);
  const contacts = (all: Record<string, unknown>) => (all['buyer:x'] as { contacts: string }).contacts;
  expect(contacts(before)).toBe(`,A=${NOON},`);
  expect(contacts(await stage.dump())).toBe(`,A=${NOON},`);
});
