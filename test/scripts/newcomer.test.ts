/** The short way comes to exactly what the whole chain comes to: the same answer, and the same in every key. */
import { describe, expect, it } from 'vitest';
import { planFor } from '../../server/plan/plan.ts';
import { readBuyer, writeProfile } from '../../server/store/buyers.ts';
import { type Claim, claimByChain } from '../../server/store/claim.ts';
import { claimForNewcomer, newcomersPlan } from '../../server/store/newcomer.ts';
import { changePresence } from '../../server/store/presence.ts';
import type { ShopSpec } from '../support/shop.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();
const minutes = 60_000;

async function claimOf(stage: Stage, buyer: string, what: Partial<Claim> = {}): Promise<Claim> {
  const config = await stage.config();
  const entry = what.entry ?? {};
  return {
    now: NOON + minutes,
    mode: 'open',
    plan: planFor(config, { crowds: [] }, entry, NOON),
    buyer,
    profile: '0',
    conversation: `c-${buyer}`,
    request: `r-${buyer}`,
    expected: 'new',
    warmMs: config.settings.contactWindows.warmMs,
    limit: '',
    entry,
    ...what,
  };
}

async function shortWay(stage: Stage, claim: Claim) {
  const plan = newcomersPlan(claim.plan);
  return plan && claimForNewcomer(await stage.scope(), claim, plan);
}

/** Every key, without what is every shop's own: the ids of events and of changes, and its name. */
async function everything(stage: Stage): Promise<unknown> {
  const all = await stage.dump();
  const events = (all.events as [string, string[]][]).map(([, fields]) => fields);
  const { changes: _, ...live } = all.live as Record<string, string>;
  return withoutName(stage, { ...all, live, events });
}

const withoutName = (stage: Stage, value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(stage.shop, 'shop'));

const shops: [string, ShopSpec][] = [
  ['a limit that nobody reaches', { agents: { a: {}, b: {} }, settings: { autoHangUp: { atActive: 50 } } }],
  ['a shop without groups', { agents: { a: {}, b: {}, c: { capacity: 3 } } }],
  ['one group', { agents: { a: {}, b: {} }, groups: { g: { members: { a: 5, b: 2 } } } }],
  [
    'groups by product, one of which shares its people',
    {
      agents: { a: {}, b: {}, c: {} },
      groups: {
        'tea.1': { members: { a: 3, b: 1 }, binds: { products: ['tea'] } },
        'tea.10': { members: { b: 4, c: 1 }, binds: { products: ['hats'] } },
      },
    },
  ],
];

describe('a newcomer', () => {
  it.each(shops)('%s: the short way and the chain come to the same', async (_label, spec) => {
    const [short, whole] = [await stageOf(spec), await stageOf(spec)];
    for (const stage of [short, whole]) await stage.be('online', ...Object.keys(spec.agents));
    for (let i = 0; i < 6; i++) {
      const entry = i % 2 ? { product: 'hats' } : { product: 'tea', order: 'o1' };
      const mine = await shortWay(short, await claimOf(short, `b${i}`, { entry }));
      const theirs = await claimByChain(await whole.scope(), await claimOf(whole, `b${i}`, { entry }));
      const plain = newcomersPlan((await claimOf(short, 'x', { entry })).plan) !== undefined;
      if (!plain) {
        await claimByChain(await short.scope(), await claimOf(short, `b${i}`, { entry }));
        continue;
      }
      expect(withoutName(short, mine)).toEqual(withoutName(whole, theirs));
    }
    expect(await everything(short)).toEqual(await everything(whole));
    expect(await short.members('idle')).toHaveLength(6);
  });

  it('takes the short way until it would hang somebody up, and both come to the same', async () => {
    const spec = { agents: { a: {}, b: {}, c: { capacity: 1 } }, settings: { autoHangUp: { atActive: 2 } } };
    const [short, whole] = [await stageOf(spec), await stageOf(spec)];
    for (const stage of [short, whole]) await stage.be('online', ...Object.keys(spec.agents));
    let shortWays = 0;
    for (let i = 0; i < 6; i++) {
      const [mine, theirs] = [await claimOf(short, `b${i}`), await claimOf(whole, `b${i}`)];
      const taken = await shortWay(short, mine);
      if (taken) shortWays++;
      const claimed = taken ?? (await claimByChain(await short.scope(), mine));
      expect(withoutName(short, claimed)).toEqual(withoutName(whole, await claimByChain(await whole.scope(), theirs)));
    }
    expect(shortWays).toBe(2); // the first of a and of b; c is full at once, and the sixth waits
    expect(await everything(short)).toEqual(await everything(whole));
    expect(await Promise.all(['a', 'b', 'c'].map((id) => short.live(`${id}:presence`)))).toEqual([
      'hung-up',
      'hung-up',
      'online',
    ]);
  });

  it('stands in the lines of contacts and of what may become idle, of their own time', async () => {
    const stage = await stageOf({ agents: { a: {} }, settings: { autoHangUp: { atActive: 2 } } });
    await stage.be('online', 'a');
    const now = NOON + 7 * minutes;
    expect(await shortWay(stage, await claimOf(stage, 'x', { now }))).toMatchObject({ kind: 'assigned' });
    expect(await stage.scores('hot')).toEqual({ 'x:a': now });
    expect(await stage.scores('idle')).toEqual({ 'c-x': now });
  });

  it('who has a profile is planned by it, and refused with another', async () => {
    const stage = await stageOf({ agents: { a: {} } });
    await stage.be('online', 'a');
    await writeProfile(await stage.scope(), 'x', { crowds: ['vip'] }, NOON);
    const profile = (await readBuyer(await stage.scope(), 'x'))?.profile ?? '';
    expect(await stage.unchanged(async () => shortWay(stage, await claimOf(stage, 'x')))).toBeUndefined();
    expect(await shortWay(stage, await claimOf(stage, 'x', { profile }))).toMatchObject({ kind: 'assigned' });
  });
});

describe('what is unusual is left to the chain, untouched', () => {
  const one: ShopSpec = { agents: { a: { capacity: 2 }, b: { capacity: 1 } }, groups: { g: { members: { a: 1 } } } };
  const unusual: [string, ShopSpec, (stage: Stage) => Promise<unknown>][] = [
    ['nobody is online', one, async () => {}],
    ['nobody of the group is on duty', one, (stage) => stage.be('online', 'b')],
    [
      'the agent gets full',
      one,
      async (stage) => {
        await stage.be('online', 'a');
        await stage.open('first');
      },
    ],
    [
      'the agent is hung up by it',
      { agents: { a: {} }, settings: { autoHangUp: { atActive: 2 } } },
      async (stage) => {
        await stage.be('online', 'a');
        await stage.open('first');
      },
    ],
    [
      'somebody queues',
      { agents: { a: { capacity: 1 } } },
      async (stage) => {
        await stage.be('online', 'a');
        await stage.open('first');
        await stage.open('second');
      },
    ],
    [
      'the agent is busy',
      { agents: { a: {} }, settings: { busyThreshold: 0 } },
      async (stage) => {
        await stage.be('online', 'a');
        await stage.open('first');
        await stage.say('buyer', 'first');
      },
    ],
    [
      'a grace has ended',
      { agents: { a: {}, b: {} } },
      async (stage) => {
        await stage.be('online', 'a', 'b');
        const command = { change: 'disconnect', agent: 'b', socket: 'socket-b', graceMs: minutes } as const;
        await changePresence(await stage.scope(), command, NOON);
      },
    ],
    [
      'the group goes by sales',
      { agents: { a: {} }, groups: { g: { members: { a: 1 }, mode: 'conversion-first' } } },
      (stage) => stage.be('online', 'a'),
    ],
    [
      'the buyer is here already',
      { agents: { a: {} } },
      async (stage) => {
        await stage.be('online', 'a');
        await stage.open('x');
      },
    ],
  ];
  it.each(unusual)('%s', async (_label, spec, prepare) => {
    const stage = await stageOf(spec);
    await prepare(stage);
    expect(await stage.unchanged(async () => shortWay(stage, await claimOf(stage, 'x')))).toBeUndefined();
  });

  it.each<[string, ShopSpec]>([
    [
      'it is night',
      { agents: { p: {} }, settings: { nightShift: { enabled: true, proxy: 'p', from: '00:00', until: '00:00' } } },
    ],
    ['robot-first', { agents: { r: { kind: 'robot' } }, settings: { robotFirst: { enabled: true, robot: 'r' } } }],
    [
      'a robot in the group',
      { agents: { a: {}, r: { kind: 'robot' } }, groups: { g: { members: { a: 1 }, robot: 'r' } } },
    ],
    ['several groups left', { agents: { a: {} }, groups: { g: { members: { a: 1 } }, h: { members: { a: 1 } } } }],
  ])('no such plan: %s', async (_label, spec) => {
    const stage = await stageOf(spec);
    expect(newcomersPlan((await claimOf(stage, 'x')).plan)).toBeUndefined();
  });

  it('an old configuration is refused', async () => {
    const stage = await stageOf({ agents: { a: {} } });
    const claim = await claimOf(stage, 'x');
    const plan = newcomersPlan(claim.plan);
    if (!plan) throw new Error('the plan is not a newcomer’s');
    await stage.refusesStale((stale) => claimForNewcomer(stale, claim, plan));
  });
});
