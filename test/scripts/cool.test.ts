/** The script that ends the windows of contacts. */
import { describe, expect, it } from 'vitest';
import { type ContactLine, coolContacts, dueContacts, type Windows } from '../../server/store/contacts.ts';
import { beginErasing, eraseNewest } from '../../server/store/erasing.ts';
import { close, transfer } from '../../server/store/moves.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const [HOT, WARM] = [24 * HOUR, 72 * HOUR];
const windows: Windows = { hotMs: HOT, warmMs: WARM };
const stageOf = useStages();

/** Ends the windows of these contacts, of all that are due unless said; answers them as `<buyer>:<agent>`. */
async function cool(stage: Stage, line: ContactLine, now: number, contacts?: readonly string[], w = windows) {
  const scope = await stage.scope();
  const found = contacts ?? (await dueContacts(scope, line, w, now, 1_000));
  return (await coolContacts(scope, line, found, w, now)).map(({ buyer, agent }) => `${buyer}:${agent}`);
}

/** The conversation of `x` goes from whoever has it to this agent, who becomes a contact. */
const give = async (stage: Stage, agent: string, now: number, w = windows) =>
  transfer(await stage.scope(), {
    now,
    place: { conversation: 'c-x', buyer: 'x' },
    by: '',
    to: { kind: 'agent', id: agent },
    windows: w,
    request: `to-${agent}-${now}`,
  });
const contactsOf = async (stage: Stage, buyer = 'x') =>
  stage.redis.hget(`${(await stage.scope()).keys.base}buyer:${buyer}`, 'contacts');

/** A is the contact of `x` since noon; B is there too. */
async function met(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {}, B: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  await stage.be('online', 'B');
  return stage;
}

describe('the hot window', () => {
  it('includes its last moment, and ends after it: the contact stands in the other line and stays a contact', async () => {
    const stage = await met();
    expect(await dueContacts(await stage.scope(), 'hot', windows, NOON + HOT, 10)).toEqual([]);
    expect(await stage.unchanged(() => cool(stage, 'hot', NOON + HOT, ['x:A']))).toEqual([]);
    const effect = await stage.effect(async () => {
      expect(await cool(stage, 'hot', NOON + HOT + 1)).toEqual(['x:A']);
    });
    expect(effect).toEqual({ hot: null, warm: [['x:A', NOON]] });
  });

  it('of a contact that was refreshed runs from then on: it is put back to its true time', async () => {
    const stage = await met();
    await stage.say('buyer', 'x', NOON + HOUR);
    expect(await stage.scores('hot')).toEqual({ 'x:A': NOON }); // looked up only when it is due
    const effect = await stage.effect(async () => expect(await cool(stage, 'hot', NOON + HOT + 1)).toEqual([]));
    expect(effect).toEqual({ hot: [['x:A', NOON + HOUR]] });
    expect(await stage.unchanged(() => cool(stage, 'hot', NOON + HOUR + HOT))).toEqual([]);
    expect(await cool(stage, 'hot', NOON + HOUR + HOT + 1)).toEqual(['x:A']);
    expect(await stage.scores('warm')).toEqual({ 'x:A': NOON + HOUR });
  });

  it('is looked up for exactly the agent named', async () => {
    const stage = await stageOf({ agents: { 'a-1.b': {}, 'a-1xb': {} } });
    await stage.be('online', 'a-1.b');
    await stage.open('x');
    await stage.be('online', 'a-1xb');
    for (const [i, agent] of ['a-1xb', 'a-1.b', 'a-1xb'].entries()) await give(stage, agent, NOON + HOUR * (i + 1));
    expect(await cool(stage, 'hot', NOON + HOT + HOUR + 1)).toEqual([]);
    expect(await stage.scores('hot')).toEqual({ 'x:a-1.b': NOON + 2 * HOUR, 'x:a-1xb': NOON + 3 * HOUR });
  });

  it('of a contact that has cooled begins anew when they speak again', async () => {
    const stage = await met();
    await cool(stage, 'hot', NOON + HOT + 1);
    const effect = await stage.effect(() => stage.say('buyer', 'x', NOON + 30 * HOUR));
    expect(effect).toMatchObject({ hot: [['x:A', NOON + 30 * HOUR]], warm: null });
    expect(await cool(stage, 'hot', NOON + 30 * HOUR + HOT + 1)).toEqual(['x:A']);
  });

  it('made longer makes a contact hot that had cooled', async () => {
    const stage = await met();
    await cool(stage, 'hot', NOON + HOT + 1);
    const longer = { hotMs: 48 * HOUR, warmMs: WARM };
    const effect = await stage.effect(async () =>
      expect(await cool(stage, 'warm', NOON + 48 * HOUR, ['x:A'], longer)).toEqual([]),
    );
    expect(effect).toEqual({ warm: null, hot: [['x:A', NOON]] });
  });
});

describe('the warm window', () => {
  it('includes its last moment, and ends after it: the contact is forgotten', async () => {
    const stage = await met();
    await cool(stage, 'hot', NOON + HOT + 1);
    expect(await dueContacts(await stage.scope(), 'warm', windows, NOON + WARM, 10)).toEqual([]);
    expect(await stage.unchanged(() => cool(stage, 'warm', NOON + WARM, ['x:A']))).toEqual([]);
    const effect = await stage.effect(async () => {
      expect(await cool(stage, 'warm', NOON + WARM + 1)).toEqual(['x:A']);
    });
    expect(effect).toEqual({ warm: null, 'buyer:x': { contacts: null } });
  });

  it('leaves the buyer’s other contacts, also those of nearly the same name', async () => {
    const stage = await stageOf({ agents: { 'a-1.b': {}, 'a-1xb': {}, 'xa-1.b': {}, b: {} } });
    await stage.be('online', 'a-1.b');
    await stage.open('x');
    await stage.be('online', 'a-1xb', 'xa-1.b', 'b');
    for (const agent of ['a-1xb', 'xa-1.b', 'b']) await give(stage, agent, NOON + HOUR);
    await cool(stage, 'hot', NOON + WARM);
    expect(await cool(stage, 'warm', NOON + WARM + 1)).toEqual(['x:a-1.b']);
    const at = NOON + HOUR;
    expect(await contactsOf(stage)).toBe(`,b=${at},xa-1.b=${at},a-1xb=${at},`);
    expect(await stage.members('warm')).toEqual(['x:a-1xb', 'x:b', 'x:xa-1.b']);
  });

  it('of a contact that was refreshed in that line runs from then on', async () => {
    const stage = await met();
    await cool(stage, 'hot', NOON + HOT + 1);
    // While the hot window was longer, what was said found the contact hot where it stood.
    const longer = { hotMs: 48 * HOUR, warmMs: WARM };
    await give(stage, 'B', NOON + 29 * HOUR, longer);
    await give(stage, 'A', NOON + 30 * HOUR, longer);
    expect(await stage.scores('warm')).toEqual({ 'x:A': NOON });
    const effect = await stage.effect(async () => expect(await cool(stage, 'warm', NOON + WARM + 1)).toEqual([]));
    expect(effect).toEqual({ warm: [['x:A', NOON + 30 * HOUR]] });
    expect(await contactsOf(stage)).toContain(`,A=${NOON + 30 * HOUR},`);
  });

  it('that has passed before anybody looked is the end of both, one after the other', async () => {
    const stage = await met();
    expect(await cool(stage, 'hot', NOON + WARM + 1)).toEqual(['x:A']);
    expect(await cool(stage, 'warm', NOON + WARM + 1)).toEqual(['x:A']);
    for (const line of ['hot', 'warm']) expect(await stage.members(line)).toEqual([]);
  });
});

describe('a contact that its buyer has forgotten already', () => {
  /** A was dropped when B came, as older than the warm window; nobody had looked before. */
  async function forgotten(): Promise<Stage> {
    const stage = await met();
    await give(stage, 'B', NOON + WARM + 1);
    expect(await contactsOf(stage)).toBe(`,B=${NOON + WARM + 1},`);
    return stage;
  }

  it('has the ends of its windows all the same, and nothing else is touched', async () => {
    const stage = await forgotten();
    const cooled = await stage.effect(async () => expect(await cool(stage, 'hot', NOON + WARM + 1)).toEqual(['x:A']));
    expect(cooled).toEqual({ hot: [['x:B', NOON + WARM + 1]], warm: [['x:A', NOON]] });
    const ended = await stage.effect(async () => expect(await cool(stage, 'warm', NOON + WARM + 1)).toEqual(['x:A']));
    expect(ended).toEqual({ warm: null });
  });

  it('and comes again stands in one line', async () => {
    const stage = await forgotten();
    await cool(stage, 'hot', NOON + WARM + 1);
    await give(stage, 'A', NOON + WARM + 2);
    expect(await stage.scores('hot')).toEqual({ 'x:A': NOON + WARM + 2, 'x:B': NOON + WARM + 1 });
    expect(await stage.scores('warm')).toEqual({});
  });

  it.each<[ContactLine, number]>([
    ['hot', 0],
    ['warm', 1],
  ])('and who is erased is no news: it leaves the %s line', async (line, sweeps) => {
    const stage = await forgotten();
    if (sweeps > 0) await cool(stage, 'hot', NOON + WARM + 1);
    const scope = await stage.scope();
    const place = { conversation: 'c-x', buyer: 'x' };
    await close(scope, place, { kind: 'buyer', id: 'x' }, NOON + WARM + 1);
    await beginErasing(scope, 'x', { by: { kind: 'admin' }, request: 'r' }, NOON + WARM + 1);
    await eraseNewest(scope, place, { fingerprint: 'f' }, NOON + WARM + 1);
    await eraseNewest(scope, { conversation: '', buyer: 'x' }, { fingerprint: 'f' }, NOON + WARM + 1);
    expect(await stage.members(line)).toEqual(['x:A']);
    const effect = await stage.effect(async () => expect(await cool(stage, line, NOON + WARM + 2)).toEqual([]));
    expect(effect).toEqual({ [line]: null });
  });
});

describe('several at once', () => {
  it('end in the order of their time, each in its own buyer', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A', 'B');
    const order = [];
    for (let i = 0; i < 40; i++) {
      // Neither the order of names nor of clicks.
      const minute = (i * 17) % 40;
      const { conversation } = await stage.open(`b${i}`, { now: NOON + minute * 60_000 });
      order[minute] = `b${i}:${conversation.agent}`;
    }
    await stage.say('buyer', 'b0', NOON + HOT);
    const [refreshed, ...others] = order;
    expect(await cool(stage, 'hot', NOON + HOT + 40 * 60_000)).toEqual(others);
    expect(await stage.members('hot')).toEqual([refreshed]);
    expect(await cool(stage, 'warm', NOON + WARM + 20 * 60_000)).toEqual(others.slice(0, 19));
    expect(await stage.members('warm')).toEqual(others.slice(19));
  });

  it('are found a few at a time, longest ago first', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    for (const [i, buyer] of ['z', 'y', 'x'].entries()) await stage.open(buyer, { now: NOON + i });
    const due = await dueContacts(await stage.scope(), 'hot', windows, NOON + HOT + 2, 10);
    expect(due).toEqual(['z:A', 'y:A']);
    expect(await dueContacts(await stage.scope(), 'hot', windows, NOON + HOT + 3, 2)).toEqual(['z:A', 'y:A']);
  });

  it.each<[ContactLine, number]>([
    ['hot', NOON + HOT + 1],
    ['warm', NOON + WARM + 1],
  ])('of which one is named twice, or comes again: it ends in the %s line once', async (line, now) => {
    const stage = await met();
    if (line === 'warm') await cool(stage, 'hot', NOON + HOT + 1);
    const sweeps = await Promise.all([1, 2, 3].map(() => cool(stage, line, now, ['x:A', 'x:A'])));
    expect(sweeps.flat()).toEqual(['x:A']);
    expect(await stage.unchanged(() => cool(stage, line, now, ['x:A', 'x:B', 'nobody:A']))).toEqual([]);
  });
});
