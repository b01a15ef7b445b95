/**
 * Random stories of one shop, each step checked three ways: the world that replays the shop's events comes to the same
 * state as the shop; every assignment is explained by its trace, fact by fact; and all keys agree with one another. A story
 * that fails is shrunk to the shortest that still does, and told step by step.
 *
 * What is done goes through several nodes, each of which knows of the shop what it has read; and where it is done at the
 * same moment, through several at once.
 */
import fc from 'fast-check';
import { test } from 'vitest';
import { removeShop } from '../support/shop.ts';
import { useNodes } from './nodes.ts';
import { plot, races, type Step } from './story.ts';
import { begin, takeSteps } from './telling.ts';

const { house, nodes } = useNodes();

async function tellStory(turns: readonly (readonly Step[])[]): Promise<void> {
  const story = await begin(house, nodes);
  try {
    for (const steps of turns) await takeSteps(story, steps);
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    throw new Error(`${says}\nafter\n${story.lines.join('\n')}`);
  } finally {
    await Promise.all(nodes.map((node) => node.settled()));
    await removeShop(house.redis, story.world.config.shop);
  }
}

/** On a busy machine fewer stories are told, rather than none to the end. */
const bounds = { numRuns: 100, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: false };

test('random stories: the shop, its events and its traces tell the same', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(plot, (steps) => tellStory(steps.map((step) => [step]))),
    bounds,
  );
});

test('the same where several nodes race one another', { timeout: 300_000 }, async () => {
  // What races goes another way each time: a shorter story may not fail, though it could.
  await fc.assert(fc.asyncProperty(races, tellStory), { ...bounds, endOnFailure: true });
});
