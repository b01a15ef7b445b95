/** The claim for a conversation that is there already: every mode but `open`. */
import { describe, expect, it } from 'vitest';
import type { SettingsPatch } from '../../client-sdk/contract/index.ts';
import type { Claim, ClaimMode } from '../../server/store/claim.ts';
import { close, takeFromPool, transfer } from '../../server/store/moves.ts';
import { gist, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const place = (buyer: string) => ({ conversation: `c-${buyer}`, buyer });

/** Everybody is here; the robot comes first, and has answered x. */
async function answeredByRobot(settings: SettingsPatch = {}): Promise<Stage> {
  const stage = await stageOf({
    settings: { robotFirst: { enabled: true, robot: 'R' }, ...settings },
    agents: { A: {}, R: { kind: 'robot' } },
  });
  await stage.be('online', 'A', 'R');
  await stage.open('x');
  await stage.say('buyer', 'x');
  await stage.say('holder', 'x');
  return stage;
}

describe('running the dispatcher again', () => {
  it('takes a conversation from a holder who left, with what waits', async () => {
    const stage = await stageOf({ agents: { A: {}, B: { capacity: 1 } } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await stage.be('offline', 'A');
    await stage.be('online', 'B');
    expect(await stage.members('todo')).toEqual(['c-x']);
    const effect = await stage.effect(() => stage.again('again', 'x', { request: 'r', now: NOON + 1 }));
    expect(effect).toEqual({
      live: { 'A:active': '0', 'A:pending': '0', 'B:active': '1', 'B:pending': '1' },
      held: [['B:c-x', 0]],
      waits: [['B:c-x', 0]],
      owed: [['c-x', NOON + 1]],
      todo: null,
      hot: [
        ['x:A', NOON],
        ['x:B', NOON + 1],
      ],
      'ready:*': null,
      'buyer:x': { contacts: `,B=${NOON + 1},A=${NOON},` },
      'conversation:c-x': {
        agent: 'B',
        assignment: 'r',
        overnight: '',
        lastAt: String(NOON + 1),
        'a:r': expect.stringContaining(`${NOON + 1}|agent|B||group|hot-contact:contact-offline:A:1;`),
      },
      events: [expect.objectContaining({ type: 'assigned', agent: 'B', from: 'A', mode: 'again' })],
    });
  });

  it('leaves it with a holder who is back', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A', 'B');
    await stage.open('x');
    const { agent = '' } = await stage.conversation('x');
    await stage.say('buyer', 'x');
    await stage.be('offline', agent);
    await stage.be('online', agent);
    const effect = await stage.effect(() => stage.again('again', 'x'));
    expect(effect).toHaveProperty('todo', null);
    expect(await stage.conversation('x')).toMatchObject({ agent, state: 'assigned' });
    for (const key of ['held', 'waits', 'live']) expect(effect).not.toHaveProperty(key);
  });

  it('puts it back into the pool when nobody is here', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await stage.be('offline', 'A');
    const effect = await stage.effect(() => stage.again('again', 'x'));
    expect(effect).toMatchObject({
      live: { 'A:active': '0', 'A:pending': '0' },
      held: [[':c-x', 0]],
      waits: null,
      owed: null,
      todo: null,
      pool: [['c-x', NOON]],
      'conversation:c-x': { state: 'pooled', agent: '' },
    });
  });

  it('hands a robot’s conversation to a human', async () => {
    const stage = await stageOf({
      settings: { robotFirst: { enabled: true, robot: 'R' } },
      agents: { A: {}, R: { kind: 'robot' } },
    });
    await stage.be('online', 'A', 'R');
    await stage.open('x');
    const effect = await stage.effect(() => stage.again('human', 'x'));
    expect(effect).toMatchObject({
      live: { 'R:active': '0', 'A:active': '1' },
      held: [['A:c-x', 0]],
      'buyer:x': { contacts: `,A=${NOON},` },
      'conversation:c-x': { state: 'assigned', agent: 'A', via: 'agent' },
    });
  });

  it('serves the first of the queue, and only the first', async () => {
    const stage = await stageOf({ agents: { A: { capacity: 1 }, B: { capacity: 1 } } });
    await stage.be('online', 'A');
    for (const buyer of ['x', 'y', 'z']) await stage.open(buyer);
    await stage.be('online', 'B');
    expect(await stage.unchanged(() => stage.again('queue', 'z'))).toEqual({ kind: 'moved' });
    const effect = await stage.effect(() => stage.again('queue', 'y'));
    expect(effect).toMatchObject({ live: { queued: '1', 'B:active': '1' }, queue: [['c-z', NOON + 1]] });
  });

  it('moves a proxy’s conversation out of the night, once', async () => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
      agents: { P: {}, A: {} },
    });
    await stage.open('x', { now: NOON - 12 * HOUR });
    await stage.be('online', 'A');
    const effect = await stage.effect(() => stage.again('morning', 'x', { limit: 4 }));
    expect(effect).toMatchObject({
      live: { 'P:active': '0', 'A:active': '1' },
      overnight: null,
      held: [['A:c-x', 0]],
      'conversation:c-x': { agent: 'A', via: 'agent' },
    });
    expect(await stage.conversation('x')).toMatchObject({ overnight: true });
  });

  it('leaves it with a proxy whose turn it is by day, out of the night all the same', async () => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
      agents: { P: {} },
      groups: { g: { members: { P: 1 } } },
    });
    await stage.open('x', { now: NOON - 12 * HOUR });
    await stage.be('online', 'P');
    const effect = await stage.effect(() => stage.again('morning', 'x', { limit: 4 }));
    expect(effect).toMatchObject({ overnight: null, 'conversation:c-x': { via: 'agent' } });
    expect(effect).not.toHaveProperty('held');
  });

  it('asked for by a robot that would get it back leaves it where it is, and tells nothing', async () => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'R', from: '00:00', until: '08:00' } },
      agents: { R: { kind: 'robot' } },
    });
    const night = NOON - 12 * HOUR;
    await stage.open('x', { now: night });
    await stage.say('buyer', 'x', night);
    await stage.say('holder', 'x', night);
    expect((await stage.unchanged(() => stage.again('human', 'x', { now: night }))).kind).toBe('still');
  });

  it('asked of a robot that is the proxy as well makes it wait for the morning', async () => {
    const stage = await answeredByRobot({
      nightShift: { enabled: true, proxy: 'R', from: '22:00', until: '08:00' },
    });
    const night = NOON + 10 * HOUR;
    const asked = await stage.again('human', 'x', { now: night });
    expect(asked).toMatchObject({ conversation: { agent: 'R', overnight: true }, assignment: { outcome: 'proxy' } });
    expect(await stage.members('overnight')).toEqual(['c-x']);
    const morning = await stage.again('morning', 'x', { now: NOON + 20 * HOUR, limit: 4 });
    expect(morning).toMatchObject({ conversation: { agent: 'A', waitingSince: NOON + 20 * HOUR } });
  });

  it('by a click while the robot is away is to wait for a person as well', async () => {
    const stage = await answeredByRobot();
    await stage.be('offline', 'R');
    const { conversation } = await stage.open('x', { now: NOON + 7 });
    expect(conversation).toMatchObject({ agent: 'A', waitingSince: NOON + 7 });
  });

  it('from a robot to a person is to wait for them, though the robot has answered; not where nothing was said', async () => {
    const stage = await answeredByRobot();
    const claimed = await stage.again('human', 'x', { now: NOON + 5 });
    expect(claimed).toMatchObject({ conversation: { agent: 'A', waitingSince: NOON + 5 } });
    expect(await stage.scores('owed')).toEqual({ 'c-x': NOON + 5 });
    await stage.open('y');
    expect(await stage.again('human', 'y')).toMatchObject({ conversation: { agent: 'A' } });
    expect(await stage.conversation('y')).not.toHaveProperty('waitingSince');
  });

  it('to the proxy is owed by nobody, and is by day by who keeps it', async () => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
      agents: { P: {} },
      groups: { g: { members: { P: 1 } } },
    });
    await stage.open('x', { now: NOON - 12 * HOUR });
    await stage.say('buyer', 'x', NOON - 12 * HOUR);
    expect(await stage.members('owed')).toEqual([]);
    await stage.be('online', 'P');
    await stage.again('morning', 'x', { limit: 4 });
    expect(await stage.scores('owed')).toEqual({ 'c-x': NOON });
  });

  it('with a limit takes nobody whose pending has reached it, also no hot or warm contact', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.open('y');
    await stage.say('buyer', 'x');
    await stage.be('online', 'B');
    expect(gist(await stage.again('human', 'y', { limit: 1 }))).toBe('agent B group');
    // Below it A would be the one, and has the conversation already.
    expect(gist(await stage.unchanged(() => stage.again('human', 'x', { limit: 2 })))).toBe('still');
  });

  it('with a limit looks into every group left before it widens', async () => {
    const stage = await stageOf({
      agents: { A: {}, B: {}, C: {} },
      groups: {
        g: { binds: { products: ['p'] }, members: { A: 5 } },
        h: { binds: { products: ['p'] }, members: { B: 1 } },
        i: { members: { C: 5 } },
      },
    });
    await stage.open('waits');
    await stage.say('buyer', 'waits');
    for (const buyer of ['x', 'y', 'z']) {
      await stage.open(buyer, { entry: { product: 'p' } });
      await stage.say('buyer', buyer);
    }
    await stage.be('online', 'A', 'B', 'C');
    const found = [];
    for (const buyer of ['x', 'y', 'z']) found.push(gist(await stage.again('pool', buyer, { limit: 1 })));
    expect(found.sort()).toEqual(['agent A group', 'agent B group', 'agent C widened']);
    expect(await stage.unchanged(() => stage.again('pool', 'waits', { limit: 1 }))).toMatchObject({ kind: 'still' });
  });

  it.each<[ClaimMode, (stage: Stage) => Promise<void>]>([
    [
      'queue',
      async (stage) => {
        await stage.be('online', 'A');
        await stage.open('busy');
      },
    ],
    ['pool', async () => {}],
    ['morning', async () => {}],
  ])('from the %s leaves everything as it is when there is no better place', async (mode, before) => {
    const stage = await stageOf({
      settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
      agents: { P: {}, A: { capacity: 1 } },
    });
    await before(stage);
    await stage.open('x', mode === 'morning' ? { now: NOON - 12 * HOUR } : {});
    expect(await stage.unchanged(() => stage.again(mode, 'x', { limit: 4 }))).toEqual({
      kind: 'still',
      loads: [],
      presences: [],
    });
  });

  it('from the pool stays there while everybody is at the limit, wherever who comes now would go', async () => {
    const stage = await stageOf({ agents: { O: { role: 'owner' }, A: {} } });
    for (const buyer of ['x', 'y']) {
      await stage.open(buyer);
      await stage.say('buyer', buyer);
    }
    await stage.be('online', 'A');
    await stage.again('pool', 'x', { limit: 1 });
    const plan = 'group shop 1 *  full owner O  ';
    expect(await stage.unchanged(() => stage.again('pool', 'y', { limit: 1, plan }))).toMatchObject({ kind: 'still' });
  });

  it('sent again with the same request changes nothing and answers the same assignment', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.open('x', { request: 'first' });
    await stage.be('online', 'A');
    const [was] = [await stage.conversation('x')];
    const same: Partial<Claim> & { buyer: string } = {
      buyer: 'x',
      mode: 'pool',
      request: 'second',
      expected: `first:${was.agent ?? ''}`,
    };
    expect((await stage.claim(same)).kind).toBe('assigned');
    expect(await stage.unchanged(() => stage.claim(same))).toEqual({ kind: 'repeat', assignment: 'c-x.second' });
  });

  describe.each<ClaimMode>(['again', 'human', 'queue', 'pool', 'morning'])('for %s', (mode) => {
    it('is refused when the conversation is not as it was seen', async () => {
      const stage = await stageOf({ agents: { A: {}, B: {} } });
      await stage.open('x', { request: 'r' });
      await stage.be('online', 'A');
      const seen = { buyer: 'x', mode, conversation: 'c-x' };
      const moved = async (expected: string) =>
        expect(await stage.unchanged(() => stage.claim({ ...seen, expected }))).toEqual({ kind: 'moved' });
      await moved('another:');
      await moved('r:B');
      // Taken by hand: the assignment is the same, the holder is not.
      await takeFromPool(await stage.scope(), place('x'), 'A', { hotMs: HOUR, warmMs: HOUR }, NOON);
      await moved('r:');
      await close(await stage.scope(), place('x'), { kind: 'agent', id: 'A' }, NOON);
      await moved('r:A');
      expect(await stage.unchanged(() => stage.claim({ ...seen, conversation: 'nowhere', expected: 'r:' }))).toEqual({
        kind: 'moved',
      });
    });
  });

  it('does not tear a transferred conversation from who has it now', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    await stage.open('x', { request: 'r' });
    await stage.be('online', 'B');
    await transfer(await stage.scope(), {
      now: NOON,
      place: place('x'),
      by: 'A',
      to: { kind: 'agent', id: 'B' },
      windows: { hotMs: HOUR, warmMs: HOUR },
      request: 't',
    });
    const late = { buyer: 'x', mode: 'again' as const, expected: 'r:A' };
    expect(await stage.unchanged(() => stage.claim(late))).toEqual({ kind: 'moved' });
  });
});

describe('several at once', () => {
  it('never share one last place', async () => {
    const stage = await stageOf({ agents: { A: { capacity: 1 }, B: { capacity: 2 } } });
    await stage.be('online', 'A', 'B');
    const buyers = Array.from({ length: 20 }, (_, n) => `n${n}`);
    const claimed = await Promise.all(buyers.map((buyer) => stage.open(buyer)));
    const outcomes = claimed.map(({ assignment }) => assignment.agent ?? assignment.outcome);
    expect(outcomes.filter((to) => to === 'A')).toHaveLength(1);
    expect(outcomes.filter((to) => to === 'B')).toHaveLength(2);
    expect(outcomes.filter((to) => to === 'queue')).toHaveLength(17);
  });

  it('move a conversation exactly once', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.open('x');
    await stage.be('online', 'A', 'B');
    const claimed = await Promise.all(Array.from({ length: 5 }, () => stage.again('pool', 'x')));
    expect(claimed.map(({ kind }) => kind).sort()).toEqual(['assigned', 'moved', 'moved', 'moved', 'moved']);
  });

  it('of one buyer open one conversation', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A', 'B');
    const clicks = Array.from({ length: 5 }, (_, n) =>
      stage.claim({ buyer: 'x', expected: 'new', conversation: `click-${n}` }),
    );
    const kinds = (await Promise.all(clicks)).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['assigned', 'buyer', 'buyer', 'buyer', 'buyer']);
    expect(await stage.members('held')).toHaveLength(1);
  });
});
