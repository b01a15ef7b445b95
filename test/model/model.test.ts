/**
 * Random lives of one shop: whatever happens, in whatever order, the invariants hold after every step, against a small model
 * in plain TypeScript and between the keys themselves. A failure is shrunk to the shortest story that still fails.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { getAssignment, listConversations, live } from '../../server/services/board.ts';
import { problemsIn } from '../support/consistent.ts';
import { unexplained } from '../support/explained.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { newShopId, openShop, removeShop } from '../support/shop.ts';
import { type Action, action, everybody, humans, observe, perform, type Stage } from './actions.ts';
import { board } from './shop-model.ts';

const START = Date.UTC(2026, 2, 2, 2);
const RUNS = 60;

const NODES = 3;
const step = fc.record({ node: fc.nat(NODES - 1), act: action });

/** Through which the shop is looked at, and those through which it is changed: each knows of it what it has read. */
let test: TestHouse;
let nodes: readonly TestHouse[];
beforeAll(() => {
  test = createTestHouse(inject('redisUrl'));
  nodes = Array.from({ length: NODES }, () => createTestHouse(inject('redisUrl')));
});
afterAll(() => Promise.all([test, ...nodes].map(({ close }) => close())));

async function newStage(): Promise<Stage> {
  const shop = newShopId('model');
  const capacities = { anna: 1, ben: 2, chen: 2, oscar: Number.POSITIVE_INFINITY, robo: 2 };
  await openShop(
    test.house,
    shop,
    {
      agents: {
        anna: { capacity: 1 },
        ben: { capacity: 2 },
        chen: { capacity: 2 },
        oscar: { role: 'owner' },
        robo: { kind: 'robot', capacity: 2 },
      },
      groups: {
        tea: { members: { anna: 5, ben: 2 }, binds: { products: ['tea'] } },
        hats: { members: { ben: 1 }, binds: { products: ['hats'] }, robot: 'robo' },
      },
    },
    START,
  );
  // Most lives begin with a shop at work; the owner is away.
  const atWork = { anna: 'online', ben: 'online', chen: 'hung-up', robo: 'online' } as const;
  for (const [id, presence] of Object.entries(atWork)) {
    await choosePresence(test.house, shop, id, presence, 'chose', START);
    await connectAgent(test.house, shop, id, 'socket', 'node', START);
  }
  let made = 0;
  return {
    house: test.house,
    shop,
    acknowledged: [],
    nextId: () => `m${++made}`,
    model: {
      now: START,
      rules: { whenFull: 'queue', leaveTo: 'pool', robotFirst: false },
      people: new Map(
        everybody.map((id) => [
          id,
          {
            kind: (humans as readonly string[]).includes(id) ? ('human' as const) : ('robot' as const),
            capacity: capacities[id],
            chosen: id === 'oscar' ? ('offline' as const) : atWork[id],
            connected: id !== 'oscar',
            lapsesAt: undefined,
          },
        ]),
      ),
      talks: new Map(),
      contacts: new Map(),
    },
  };
}

type Step = { readonly node: number; readonly act: Action };

async function liveOneStep(stage: Stage, { node, act }: Step): Promise<void> {
  const { house, shop, model } = stage;
  const there = nodes[node]?.house ?? house;
  model.now += 1;
  await perform({ ...stage, house: there }, act);
  await there.settled();
  const { conversations } = await listConversations(house, shop, 'program', { limit: 200 });
  observe(model, conversations);

  expect(await problemsIn(house.redis, shop)).toEqual([]);
  const shown = await live(house, shop, 'program', model.now);
  expect(shown.agents.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(board(model));
  const inState = (state: string) =>
    [...model.talks.values()]
      .filter((t) => t.state === state)
      .map((t) => t.id)
      .sort();
  expect(shown.queue.map((waiting) => waiting.conversation).sort()).toEqual(inState('queued'));
  expect(shown.pool.map((left) => left.conversation).sort()).toEqual(inState('pooled'));
  for (const conversation of conversations) {
    if (conversation.state === 'closed') continue;
    expect(conversation.waitingSince !== undefined).toBe(model.talks.get(conversation.buyer)?.waiting);
  }
}

const told = ({ node, act }: Step) => `on node ${node}: ${tale(act)}`;
const tale = (act: Action) =>
  Object.entries(act)
    .map(([key, value]) => (key === 'do' ? value : `${key}=${JSON.stringify(value)}`))
    .join(' ');

it(`the invariants hold after every step of up to ${RUNS} random lives`, { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
      const stage = await newStage();
      try {
        for (const [i, one] of steps.entries()) {
          await liveOneStep(stage, one).catch((error) => {
            const story = steps.slice(0, i + 1).map((a, n) => `  ${n + 1}. ${told(a)}`);
            throw new Error(`${error instanceof Error ? error.message : error}\nafter\n${story.join('\n')}`);
          });
        }
        for (const assignment of stage.acknowledged) {
          expect(unexplained(assignment)).toBeUndefined();
          expect(await getAssignment(stage.house, stage.shop, 'program', assignment.id)).toEqual(assignment);
        }
      } finally {
        await removeShop(test.house.redis, stage.shop);
      }
    }),
    // On a busy machine fewer lives are lived, rather than none to the end.
    { numRuns: RUNS, endOnFailure: false, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
  );
});
