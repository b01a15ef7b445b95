/** Who chose to be online, and is hung up all the same: for too many conversations, and by a rule that changes. */
import { describe, expect, it } from 'vitest';
import type { Presence, SettingsPatch } from '../../client-sdk/contract/index.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { close, takeFromPool, transfer } from '../../server/store/moves.ts';
import { changePresence, type PresenceCommand } from '../../server/store/presence.ts';
import type { ShopSpec } from '../support/shop.ts';
import { event, gist, NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();
const place = (buyer: string) => ({ conversation: `c-${buyer}`, buyer });

const run = async (stage: Stage, command: PresenceCommand) => changePresence(await stage.scope(), command, NOON);
const choose = (stage: Stage, presence: Presence) =>
  run(stage, { change: 'choose', agent: 'A', presence, cause: 'chose' });
/** A has left `x` without a reply since noon. */
const silent = { change: 'silent', agent: 'A', conversation: 'c-x', since: NOON } as const;
const end = async (stage: Stage, buyer: string) =>
  close(await stage.scope(), place(buyer), { kind: 'buyer', id: buyer }, NOON);
const give = async (stage: Stage, buyer: string, to: string) =>
  transfer(await stage.scope(), {
    now: NOON,
    place: place(buyer),
    by: '',
    to: { kind: 'agent', id: to },
    windows: { hotMs: HOUR, warmMs: HOUR },
    request: `${buyer}-to-${to}`,
  });
const patch = (stage: Stage, settings: SettingsPatch) => patchSettings(stage.house, stage.shop, settings, NOON);
const presenceOf = (stage: Stage, agent = 'A') => stage.live(`${agent}:presence`);

/** Entries of A's log, from the first: `<presence>:<cause>`. */
const log = async (stage: Stage) =>
  (await stage.members('shifts'))
    .filter((entry) => entry.startsWith('A:'))
    .map((entry) => entry.split(':').slice(3, 5).join(':'));
const hungUp = (agent = 'A') => ({ agent, presence: 'hung-up', cause: 'auto-hang-up' });
const resumed = (agent = 'A') => ({ agent, presence: 'online', cause: 'auto-resume' });

describe('an agent with too many conversations', () => {
  const atTwo = { autoHangUp: { atActive: 2 } };
  async function limited(spec: Partial<ShopSpec> = {}): Promise<Stage> {
    const stage = await stageOf({ settings: atTwo, agents: { A: {}, B: {} }, ...spec });
    await stage.be('online', 'A');
    return stage;
  }

  it('is hung up with exactly so many, and resumes with fewer', async () => {
    const stage = await limited();
    expect(await stage.open('x')).toMatchObject({ presences: [] });
    const full = await stage.effect(async () => {
      expect(await stage.open('y')).toMatchObject({ conversation: { agent: 'A' }, presences: [hungUp()] });
    });
    expect(full).toMatchObject({
      live: { 'A:active': '2', 'A:presence': 'hung-up', online: '0', shifts: '2' },
      'ready:*': null,
    });
    expect(full.events).toEqual([
      event('presence', hungUp()),
      expect.objectContaining({ type: 'assigned', agent: 'A' }),
    ]);
    const less = await stage.effect(async () =>
      expect(await end(stage, 'x')).toMatchObject({ presences: [resumed()] }),
    );
    expect(less).toMatchObject({
      live: { 'A:active': '1', 'A:presence': 'online', online: '1', shifts: '3' },
      'ready:*': ['A'],
    });
    expect(await log(stage)).toEqual(['online:connected', 'hung-up:auto-hang-up', 'online:auto-resume']);
  });

  it('gets no further buyer of the shop, who goes where they would go with nobody on duty', async () => {
    const stage = await limited();
    for (const buyer of ['x', 'y']) await stage.open(buyer);
    expect(gist(await stage.open('z'))).toBe('pool - nobody-on-duty');
    expect(gist(await stage.open('x'))).toBe('agent A hot-contact'); // but keeps their own
  });

  it('resumes only below the limit, also from above it', async () => {
    const stage = await limited();
    for (const buyer of ['x', 'y']) await stage.open(buyer);
    await stage.open('z'); // into the pool
    const windows = { hotMs: HOUR, warmMs: HOUR };
    expect(await takeFromPool(await stage.scope(), place('z'), 'A', windows, NOON)).toMatchObject({ presences: [] });
    expect(await end(stage, 'x')).toMatchObject({ presences: [] });
    expect(await presenceOf(stage)).toBe('hung-up');
    expect(await end(stage, 'y')).toMatchObject({ presences: [resumed()] });
  });

  it('is hung up and resumes by a transfer too, both in one', async () => {
    const stage = await limited();
    for (const buyer of ['x', 'y']) await stage.open(buyer);
    await stage.be('online', 'B');
    await stage.open('z');
    expect(await give(stage, 'x', 'B')).toMatchObject({ kind: 'moved', presences: [resumed('A'), hungUp('B')] });
    expect(await stage.members('ready:*')).toEqual(['A']);
    expect(await stage.live('online')).toBe('1');
  });

  it('has a capacity beside it: whichever is reached first counts, and both may be', async () => {
    const stage = await stageOf({
      settings: atTwo,
      agents: { A: { capacity: 1 }, B: { capacity: 2 }, C: { capacity: 3 } },
      groups: { a: { members: { A: 1 } }, b: { members: { B: 1 } }, c: { members: { C: 1 } } },
    });
    await stage.be('online', 'A', 'B', 'C');
    for (let i = 0; i < 5; i++) await stage.open(`b${i}`, { plan: 'group shop 1 *  full pool   ' });
    const held = (await stage.members('held')).map((member) => member.split(':')[0]);
    expect(held.sort()).toEqual(['A', 'B', 'B', 'C', 'C']);
    expect(await Promise.all(['A', 'B', 'C'].map((id) => presenceOf(stage, id)))).toEqual([
      'online',
      'hung-up',
      'hung-up',
    ]);
    for (const group of ['a', 'b', 'c', '*']) expect(await stage.members(`ready:${group}`)).toEqual([]);
    for (const member of await stage.members('held')) {
      const [, id = ''] = member.split(':');
      await end(stage, id.slice('c-'.length));
    }
    expect(await stage.live('online')).toBe('3');
    expect(await stage.members('ready:*')).toHaveLength(3);
  });

  it('is neither a robot nor a proxy', async () => {
    const stage = await limited({
      settings: { autoHangUp: { atActive: 1 }, nightShift: { proxy: 'P' } },
      agents: { A: {}, P: {}, R: { kind: 'robot' } },
    });
    await stage.be('online', 'P', 'R');
    for (const id of ['P', 'R']) {
      await stage.open(`for-${id}`);
      expect(await give(stage, `for-${id}`, id)).toMatchObject({ presences: [resumed('A')] });
      expect(await presenceOf(stage, id)).toBe('online');
    }
  });

  it('who chooses to be hung up does not resume by having fewer; who chooses to be online then waits for it', async () => {
    const stage = await limited();
    for (const buyer of ['x', 'y', 'w']) await stage.open(buyer);
    expect(await choose(stage, 'hung-up')).toMatchObject({ presences: [] });
    await end(stage, 'x');
    expect(await presenceOf(stage)).toBe('hung-up');
    await choose(stage, 'online');
    expect(await presenceOf(stage)).toBe('online');
    await stage.open('z');
    expect(await choose(stage, 'online')).toMatchObject({ chosen: 'online', effective: 'hung-up', presences: [] });
  });

  it('comes online as hung up, and goes offline as everybody does', async () => {
    const stage = await limited();
    for (const buyer of ['x', 'y']) await stage.open(buyer);
    await stage.say('buyer', 'x');
    await stage.be('offline', 'A');
    expect(await presenceOf(stage)).toBe('offline');
    expect(await stage.members('todo')).toEqual(['c-x']);
    await stage.be('online', 'A');
    expect(await presenceOf(stage)).toBe('hung-up');
    expect(await stage.live('online')).toBe('0');
  });

  it('and who has left a buyer without a reply resumes when neither holds any more', async () => {
    const stage = await limited();
    for (const buyer of ['x', 'y']) await stage.open(buyer);
    await end(stage, 'y');
    await stage.say('buyer', 'x');
    await run(stage, silent);
    await stage.be('online', 'B');
    await stage.open('z');
    await give(stage, 'z', 'A');
    expect(await stage.say('holder', 'x')).toMatchObject({ presences: [] }); // still two
    expect(await stage.live('A:silent')).toBe('');
    expect(await end(stage, 'z')).toMatchObject({ presences: [resumed()] });
  });

  it('or the other way round', async () => {
    const stage = await limited();
    await stage.open('x');
    await stage.say('buyer', 'x');
    await run(stage, silent);
    await stage.open('z');
    await give(stage, 'z', 'A');
    expect(await end(stage, 'z')).toMatchObject({ presences: [] }); // the reply has not come
    expect(await stage.say('holder', 'x')).toMatchObject({ presences: [resumed()] });
  });
});

describe('another rule of automatic hang-up', () => {
  it('looks at everybody anew, at once', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {}, C: {}, D: {} } });
    await stage.be('online', 'A');
    for (const buyer of ['x', 'y']) await stage.open(buyer);
    await stage.be('online', 'B');
    await stage.be('hung-up', 'C');
    const effect = await stage.effect(() => patch(stage, { autoHangUp: { atActive: 2 } }));
    expect(effect).toMatchObject({
      live: { hangUpAt: '2', 'A:presence': 'hung-up', online: '1' },
      'ready:*': ['B'],
      events: [event('presence', hungUp()), expect.objectContaining({ type: 'configured' })],
    });
    const higher = await stage.effect(() => patch(stage, { autoHangUp: { atActive: 3 } }));
    expect(higher).toMatchObject({ live: { hangUpAt: '3', 'A:presence': 'online', online: '2' } });
    await patch(stage, { autoHangUp: { atActive: 1 } });
    const none = await stage.effect(() => patch(stage, { autoHangUp: { atActive: null } }));
    expect(none).toMatchObject({ live: { hangUpAt: '', 'A:presence': 'online' }, 'ready:*': ['A', 'B'] });
    expect(await Promise.all(['C', 'D'].map((id) => presenceOf(stage, id)))).toEqual(['hung-up', null]);
    expect(await log(stage)).toEqual([
      'online:connected',
      'hung-up:auto-hang-up',
      'online:auto-resume',
      'hung-up:auto-hang-up',
      'online:auto-resume',
    ]);
  });

  it('lets who was silent resume, but nobody who has chosen to be away', async () => {
    const stage = await stageOf({ settings: { autoHangUp: { afterNoReplyMs: HOUR } }, agents: { A: {}, B: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await run(stage, silent);
    await stage.be('hung-up', 'B');
    const effect = await stage.effect(() => patch(stage, { autoHangUp: { afterNoReplyMs: null } }));
    expect(effect).toMatchObject({ live: { 'A:presence': 'online', 'A:silent': '', online: '1' } });
    expect(await presenceOf(stage, 'B')).toBe('hung-up');
  });

  it('is not looked at by other settings', async () => {
    const stage = await stageOf({ settings: { autoHangUp: { afterNoReplyMs: HOUR } }, agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await run(stage, silent);
    await patch(stage, { busyThreshold: 1 });
    expect(await presenceOf(stage)).toBe('hung-up');
  });

  it('holds of who becomes the proxy, or is it no more', async () => {
    const stage = await stageOf({ settings: { autoHangUp: { atActive: 1 } }, agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    await stage.say('buyer', 'x');
    await patch(stage, { nightShift: { proxy: 'A' } });
    expect(await presenceOf(stage)).toBe('online'); // a proxy takes what is left with them
    await patch(stage, { nightShift: { proxy: null } });
    expect(await presenceOf(stage)).toBe('hung-up');
  });
});
