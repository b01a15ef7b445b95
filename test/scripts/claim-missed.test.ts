/** The claim for a buyer whose holder does not reply: they go to somebody else, and not back to who left them waiting. */
import { describe, expect, it } from 'vitest';
import { patchSettings } from '../../server/services/shops.ts';
import { writeProfile } from '../../server/store/buyers.ts';
import type { Claim, Claimed } from '../../server/store/claim.ts';
import { close, transfer } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import { type ShopSpec, socketOf } from '../support/shop.ts';
import { gist, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const windows = { hotMs: HOUR, warmMs: HOUR };
const stageOf = useStages();
const place = (buyer: string) => ({ conversation: `c-${buyer}`, buyer });

/** Runs the dispatcher for the reply that is owed now, a minute after noon unless said. */
const missed = (stage: Stage, what: Partial<Claim> = {}) => stage.again('missed', 'x', { now: NOON + 60_000, ...what });
const missedIn = async (stage: Stage) =>
  stage.redis.hget(`${(await stage.scope()).keys.base}conversation:c-x`, 'missed');
const traceOf = (claimed: Claimed) => (claimed.kind === 'assigned' ? claimed.assignment.trace : []);

/** A holds the conversation of `x`, who has waited since noon and 3 ms; the others have come since. */
async function waiting(others: readonly string[] = ['B'], spec: Partial<ShopSpec> = {}): Promise<Stage> {
  const agents = Object.fromEntries(['A', ...others].map((id) => [id, {}]));
  const stage = await stageOf({ agents, ...spec });
  await stage.be('online', 'A');
  await stage.open('x');
  await stage.say('buyer', 'x', NOON + 3);
  await stage.be('online', ...others);
  return stage;
}

describe('a reply that does not come', () => {
  it('moves the buyer to somebody else, who owes it from now on', async () => {
    const stage = await waiting();
    const now = NOON + 60_000;
    const effect = await stage.effect(() => missed(stage, { request: 'r', now }));
    expect(effect).toEqual({
      live: { 'A:active': '0', 'A:pending': '0', 'B:active': '1', 'B:pending': '1' },
      held: [['B:c-x', 0]],
      waits: [['B:c-x', 0]],
      owed: [['c-x', now]],
      hot: [
        ['x:A', NOON],
        ['x:B', now],
      ],
      'buyer:x': { contacts: `,B=${now},A=${NOON + 3},` },
      'conversation:c-x': {
        agent: 'B',
        assignment: 'r',
        overnight: '',
        missed: ',A,',
        lastAt: String(now),
        'a:r': expect.stringContaining(`${now}|agent|B||group|hot-contact:missed-it:A:59997;`),
      },
      events: [expect.objectContaining({ type: 'assigned', agent: 'B', from: 'A', mode: 'missed' })],
    });
    // The buyer has waited for a reply all along.
    expect(await stage.conversation('x')).toMatchObject({ waitingSince: NOON + 3 });
  });

  it('never moves them to who has missed it before, until nobody is left', async () => {
    const stage = await waiting(['B', 'C']);
    const holders = [];
    for (let i = 0; i < 2; i++) {
      expect((await missed(stage)).kind).toBe('assigned');
      holders.push((await stage.conversation('x')).agent);
    }
    expect(holders.sort()).toEqual(['B', 'C']);
    expect(await stage.unchanged(() => missed(stage))).toEqual({ kind: 'still', loads: [], presences: [] });
    // Who comes now has not.
    await stage.be('offline', 'A');
    await stage.be('online', 'A');
    expect(await stage.unchanged(() => missed(stage))).toMatchObject({ kind: 'still' });
  });

  it('and a reply that does begin the count anew', async () => {
    const stage = await waiting();
    await missed(stage);
    expect(await missedIn(stage)).toBe(',A,');
    await stage.say('holder', 'x', NOON + 60_001);
    expect(await missedIn(stage)).toBeNull();
    await stage.say('buyer', 'x', NOON + 60_002);
    // B is the latest contact, and has missed it now; A is one as well.
    expect(gist(await missed(stage, { now: NOON + HOUR }))).toBe('agent A warm-contact');
    expect(await missedIn(stage)).toBe(',B,');
  });

  it('a message of the buyer does not', async () => {
    const stage = await waiting();
    await missed(stage);
    const effect = await stage.effect(() => stage.say('buyer', 'x', NOON + 60_009));
    expect(effect).not.toHaveProperty('owed');
    expect(await missedIn(stage)).toBe(',A,');
    expect(await stage.unchanged(() => missed(stage))).toMatchObject({ kind: 'still' });
  });

  it('looks at names as a whole', async () => {
    const stage = await stageOf({ agents: { 'A-2': {}, A: {} } });
    await stage.be('online', 'A-2');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await stage.be('online', 'A');
    expect(gist(await missed(stage))).toBe('agent A group');
    expect(await missedIn(stage)).toBe(',A-2,');
  });
});

describe('who has missed it is passed over', () => {
  it('as a hot contact, wherever they are', async () => {
    const stage = await waiting();
    const [hot] = traceOf(await missed(stage));
    expect(hot).toEqual({ step: 'hot-contact', result: 'passed', why: 'missed-it', agent: 'A', ageMs: 59_997 });
  });

  it('as a warm contact', async () => {
    const stage = await waiting();
    const claimed = await missed(stage, { now: NOON + 30 * HOUR });
    expect(gist(claimed)).toBe('agent B group');
    expect(traceOf(claimed).slice(0, 5)).toMatchObject([
      { step: 'hot-contact', why: 'older-than-window', agent: 'A' },
      { step: 'night-shift' },
      { step: 'nobody-on-duty' },
      { step: 'warm-contact', result: 'passed', why: 'nobody-on-duty' },
      { step: 'exclusive-agent' },
    ]);
  });

  it('as a hung-up contact whose colleagues stand in for them: the colleagues do not, where they missed it too', async () => {
    const stage = await stageOf({
      agents: { A: {}, B: {}, C: {} },
      groups: { g: { members: { A: 1, B: 1 } }, h: { members: { C: 1 }, binds: { products: ['p'] } } },
    });
    await stage.be('online', 'B');
    await stage.open('x', { entry: { product: 'p' } });
    await stage.say('buyer', 'x');
    await stage.be('hung-up', 'A');
    await stage.be('online', 'C');
    await transfer(await stage.scope(), {
      now: NOON,
      place: place('x'),
      by: '',
      to: { kind: 'agent', id: 'A' },
      windows: { hotMs: HOUR, warmMs: 72 * HOUR },
      request: 't',
    });
    expect(gist(await missed(stage, { now: NOON + 30 * HOUR }))).toBe('agent B warm-contact');
    expect(gist(await missed(stage, { now: NOON + 60 * HOUR }))).toBe('agent C warm-contact');
  });

  it('as the buyer’s own agent', async () => {
    const stage = await stageOf({ settings: { exclusiveAgents: true }, agents: { A: {}, B: {} } });
    await writeProfile(await stage.scope(), 'x', { crowds: [], exclusiveAgent: 'A' }, NOON);
    await stage.be('online', 'A', 'B');
    expect(gist(await stage.open('x'))).toBe('agent A exclusive-agent');
    await stage.say('buyer', 'x');
    const claimed = await missed(stage, { now: NOON + 80 * HOUR });
    expect(gist(claimed)).toBe('agent B group');
    expect(traceOf(claimed)).toContainEqual(
      expect.objectContaining({ step: 'exclusive-agent', result: 'passed', why: 'not-on-duty', agent: 'A' }),
    );
  });

  it('in a group of which nobody else is on duty, and the shop is looked into', async () => {
    const stage = await waiting(['B'], { groups: { g: { members: { A: 5 } } } });
    const claimed = await missed(stage);
    expect(gist(claimed)).toBe('agent B widened');
    expect(traceOf(claimed)).toContainEqual({ step: 'group', result: 'passed', why: 'missed-it', narrowedBy: 'all' });
  });

  it('in each of several groups', async () => {
    const stage = await waiting(['B'], { groups: { g: { members: { A: 5 } }, h: { members: { A: 5 } } } });
    const claimed = await missed(stage);
    expect(gist(claimed)).toBe('agent B widened');
    expect(traceOf(claimed)).toContainEqual(expect.objectContaining({ step: 'group', why: 'missed-it' }));
  });

  it('and their turn is nobody’s loss: their pass stays', async () => {
    const stage = await waiting();
    const key = `${(await stage.scope()).keys.base}ready:*`;
    const before = await stage.redis.zscore(key, 'A');
    await missed(stage);
    expect(await stage.redis.zscore(key, 'A')).toBe(before);
  });
});

describe('it stays with who has it', () => {
  it.each<[string, Partial<ShopSpec>]>([
    ['who is alone', {}],
    ['rather than go to the pool', { settings: { whenFull: 'leave-message' } }],
    ['rather than go to the owner', { settings: { leaveMessage: { to: 'owner' } } }],
  ])('%s', async (_, spec) => {
    const stage = await waiting([], spec);
    expect(await stage.unchanged(() => missed(stage))).toEqual({ kind: 'still', loads: [], presences: [] });
    expect(await missedIn(stage)).toBeNull();
  });

  it('while somebody waits in the queue, who comes first', async () => {
    const stage = await waiting([], { agents: { A: { capacity: 1 }, B: {} } });
    await stage.open('first');
    expect(await stage.members('queue')).toEqual(['c-first']);
    await stage.be('online', 'B');
    expect(await stage.unchanged(() => missed(stage))).toMatchObject({ kind: 'still' });
    expect(gist(await stage.again('queue', 'first'))).toBe('agent B group');
    expect(gist(await missed(stage))).toBe('agent B group');
  });

  it('at night, rather than go to the proxy', async () => {
    const nightShift = { enabled: true, proxy: 'P', from: '00:00', until: '08:00' };
    const stage = await waiting(['P'], { settings: { nightShift } });
    const now = NOON + 36 * HOUR;
    expect(await stage.unchanged(() => missed(stage, { now }))).toMatchObject({ kind: 'still' });
  });

  it('but a grace that has ended counts all the same', async () => {
    const stage = await waiting();
    const gone = { change: 'disconnect', agent: 'B', socket: socketOf('B'), graceMs: 100 } as const;
    await changePresence(await stage.scope(), gone, NOON);
    const effect = await stage.effect(async () => {
      expect(await missed(stage, { now: NOON + 100 })).toMatchObject({
        kind: 'still',
        presences: [{ agent: 'B', presence: 'offline', cause: 'lost-connection' }],
      });
    });
    expect(effect).not.toHaveProperty('conversation:c-x');
  });
});

describe('is refused and changes nothing', () => {
  it.each<[string, (stage: Stage) => Promise<unknown>]>([
    ['a reply came', (stage) => stage.say('holder', 'x', NOON + 4)],
    [
      'a reply came, and another question',
      async (stage) => {
        await stage.say('holder', 'x', NOON + 4);
        await stage.say('buyer', 'x', NOON + 5);
      },
    ],
    [
      'somebody else has it, and owes it since then',
      async (stage) =>
        transfer(await stage.scope(), {
          now: NOON + 3,
          place: place('x'),
          by: 'A',
          to: { kind: 'agent', id: 'B' },
          windows,
          request: 't',
        }),
    ],
    ['it was moved on already', (stage) => missed(stage)],
    ['the buyer has clicked again', (stage) => stage.open('x', { now: NOON + 9 })],
    ['it is closed', async (stage) => close(await stage.scope(), place('x'), { kind: 'buyer', id: 'x' }, NOON)],
  ])('where %s', async (_, meanwhile) => {
    const stage = await waiting();
    const expected = `r1:A:${NOON + 3}`;
    expect((await stage.scores('owed'))['c-x']).toBe(NOON + 3);
    await meanwhile(stage);
    const late = { buyer: 'x', mode: 'missed' as const, conversation: 'c-x', expected };
    expect(await stage.unchanged(() => stage.claim(late))).toEqual({ kind: 'moved' });
  });

  it('nothing is owed, or since another time', async () => {
    const stage = await waiting();
    for (const since of ['', NOON + 2, NOON + 4]) {
      const wrong = { buyer: 'x', mode: 'missed' as const, expected: `r1:A:${since}` };
      expect(await stage.unchanged(() => stage.claim(wrong))).toEqual({ kind: 'moved' });
    }
    const right = { buyer: 'x', mode: 'missed' as const, expected: `r1:A:${NOON + 3}`, now: NOON + 9 };
    expect((await stage.claim(right)).kind).toBe('assigned');
  });

  it('a second time with the same request, which answers the same assignment', async () => {
    const stage = await waiting(['B', 'C']);
    const same = { buyer: 'x', mode: 'missed' as const, expected: `r1:A:${NOON + 3}`, request: 'again', now: NOON + 9 };
    expect((await stage.claim(same)).kind).toBe('assigned');
    expect(await stage.unchanged(() => stage.claim(same))).toEqual({ kind: 'repeat', assignment: 'c-x.again' });
    const several = await Promise.all(Array.from({ length: 4 }, () => missed(stage)));
    expect(several.map(({ kind }) => kind).sort()).toEqual(['assigned', 'moved', 'moved', 'moved']);
  });
});

it('a robot that does not answer is left too, for a person', async () => {
  const stage = await stageOf({
    settings: { robotFirst: { enabled: true, robot: 'R' } },
    agents: { A: {}, R: { kind: 'robot' } },
  });
  await stage.be('online', 'A', 'R');
  await stage.open('x');
  await stage.say('buyer', 'x');
  expect(await stage.scores('owed')).toEqual({ 'c-x': NOON });
  expect(gist(await missed(stage))).toBe('agent A group');
  expect(await missedIn(stage)).toBe(',R,');
});

it('whoever misses one while they have too many resumes by it', async () => {
  const stage = await waiting(['B']);
  await patchSettings(stage.house, stage.shop, { autoHangUp: { atActive: 1 } }, NOON);
  expect(await missed(stage)).toMatchObject({
    presences: [
      { agent: 'A', presence: 'online', cause: 'auto-resume' },
      { agent: 'B', presence: 'hung-up', cause: 'auto-hang-up' },
    ],
  });
});
