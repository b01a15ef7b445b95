/**
 * Random stories in which some nodes are slow, or their clocks are behind: what they do comes with an earlier time than
 * what was done before it. Nothing then stands for longer than it should, and no two keys disagree.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { problemsIn } from '../support/consistent.ts';
import { dump, newShopId, openShop, removeShop } from '../support/shop.ts';
import { act } from './act.ts';
import { useNodes } from './nodes.ts';
import { atWork, cast, races, type Step, told } from './story.ts';
import { EVENING } from './telling.ts';
import { type Talk, type World, worldOf } from './world.ts';

/** A command is given up after ten seconds; clocks of a house are expected to agree within seconds. */
const LATEST_MS = 15_000;

const { house, nodes } = useNodes();

/** The shop as it is: who holds what, to be told what to do next. */
async function worldAsIs(shop: string, now: number): Promise<World> {
  const { config } = await house.configs.fresh(shop);
  const world = worldOf(config, now);
  for (const [key, value] of Object.entries(await dump(house.redis, shop))) {
    const [kind, id = ''] = key.split(':');
    const { state, agent = '', conversation } = value as Record<string, string>;
    if (kind === 'conversation') world.talks.set(id, { id, state, agent } as Talk);
    if (kind === 'buyer' && conversation) world.newest.set(id, conversation);
  }
  return world;
}

async function takeTurn(shop: string, steps: readonly Step[], lateMs: readonly number[], now: number): Promise<void> {
  const world = await worldAsIs(shop, now);
  await Promise.all(
    steps.map(({ node, action }, i) => {
      const late = lateMs[i % lateMs.length] ?? 0;
      return act(nodes[node] ?? house, { ...world, now: now - late }, action, () => undefined);
    }),
  );
  await Promise.all([house.settled(), ...nodes.map((node) => node.settled())]);
  const problems = await problemsIn(house.redis, shop);
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

async function tellStory(turns: readonly (readonly Step[])[], late: readonly (readonly number[])[]): Promise<void> {
  const shop = newShopId('late');
  const lines: string[] = [];
  let now = EVENING;
  await openShop(house, shop, cast, now);
  try {
    for (const id of atWork) {
      await connectAgent(house, shop, id, 'desk', 'node', now);
      await choosePresence(house, shop, id, 'online', 'chose', now);
    }
    for (const [turn, steps] of turns.entries()) {
      const lateMs = late[turn % late.length] ?? [0];
      const [first] = steps;
      now += 1 + (first?.action.do === 'wait' ? first.action.ms : 0);
      lines.push(...steps.map((step, i) => `${told(step)}, ${lateMs[i % lateMs.length]} ms late`));
      await takeTurn(shop, steps, lateMs, now);
    }
    storiesTold += 1;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\nafter\n${lines.join('\n')}`);
  } finally {
    await Promise.all(nodes.map((node) => node.settled()));
    await removeShop(house.redis, shop);
  }
}

const lateMs = fc.array(fc.oneof(fc.constant(0), fc.nat(LATEST_MS)), { minLength: 1, maxLength: 3 });

let storiesTold = 0;

test('what comes with an earlier time sets nothing back', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(races, fc.array(lateMs, { minLength: 1, maxLength: 10 }), tellStory),
    // On a busy machine fewer stories are told, rather than none to the end. What races goes another way each time.
    { numRuns: 60, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false, endOnFailure: true },
  );
  expect(storiesTold).toBeGreaterThan(2);
});
