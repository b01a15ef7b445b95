/** Plays one story against the services and scripts themselves, in a shop of its own, at the story's own time. */
import { isDeepStrictEqual } from 'node:util';
import type { Assignment, Entry } from '../../client-sdk/contract/index.ts';
import { agentActor, type BuyerActor } from '../../server/services/actor.ts';
import { live } from '../../server/services/board.ts';
import { getBuyer, putBuyer } from '../../server/services/buyers.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { closeConversation, handOver, transferConversation } from '../../server/services/moves.ts';
import { leaveQueue } from '../../server/services/queue.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { say } from '../../server/services/talk.ts';
import { readBuyer } from '../../server/store/buyers.ts';
import { readConversation } from '../../server/store/read.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { newShopId, openShop, removeShop, setPresences } from '../support/shop.ts';
import type { Story, StoryStep } from './story.ts';

/** What a step found otherwise than the story says. */
class Unexpected extends Error {}

const shown = (value: unknown) => JSON.stringify(value);

type Stage = { readonly house: House; readonly shop: string; readonly now: number };

/** The buyer's newest conversation. */
async function conversationOf({ house, shop }: Stage, buyer: string) {
  const { scope } = await house.configs.get(shop);
  const record = await readBuyer(scope, buyer);
  const newest = record?.newest ? await readConversation(scope, record.newest) : undefined;
  if (!newest) throw new Unexpected(`expected a conversation of ${buyer}, got none`);
  return newest.conversation;
}

function compare(expected: NonNullable<StoryStep['expect']>, assignment: Assignment): void {
  const { outcome, agent, group, step } = assignment;
  const got = { outcome, agent, group, step };
  const { agentIn, ...rest } = expected;
  const differs = Object.entries(rest).some(([key, value]) => got[key as keyof typeof got] !== value);
  if (differs || (agentIn && !(agent && agentIn.includes(agent)))) {
    throw new Unexpected(`expected ${shown(expected)}, got ${shown(got)}`);
  }
}

async function openMany(stage: Stage, opens: NonNullable<StoryStep['opens']>, counts: StoryStep['counts']) {
  const { count, prefix, ...entry } = opens;
  const got: Record<string, number> = {};
  for (const agent of Object.keys(counts ?? {})) got[agent] = 0;
  for (let n = 1; n <= count; n++) {
    const { assignment } = await open(stage.house, stage.shop, `${prefix}-${n}`, entryOf(entry), stage.now);
    await stage.house.settled();
    const to = assignment.agent ?? assignment.outcome;
    got[to] = (got[to] ?? 0) + 1;
  }
  for (const [agent, [least, most]] of Object.entries(counts ?? {})) {
    const n = got[agent] ?? 0;
    if (n < least || n > most) throw new Unexpected(`expected counts ${shown(counts)}, got ${shown(got)}`);
  }
}

async function speak(stage: Stage, { from, buyer }: NonNullable<StoryStep['say']>, clientId: string) {
  const { house, shop, now } = stage;
  const conversation = await conversationOf(stage, buyer);
  const { config } = await house.configs.get(shop);
  const actor =
    from === 'buyer' ? buyerActor(shop, buyer) : conversation.agent && agentActor(config, conversation.agent);
  if (!actor) throw new Unexpected(`expected somebody to hold the conversation of ${buyer}, got nobody`);
  const body = { type: 'text' as const, text: `${from} of ${buyer}` };
  await say(house, actor, { conversation: conversation.id, clientId, body }, now);
}

async function checkState(stage: Stage, expected: NonNullable<StoryStep['state']>): Promise<void> {
  const { house, shop, now } = stage;
  const board = await live(house, shop, 'program', now);
  const loads = (field: 'pending' | 'active' | 'presence', of: Readonly<Record<string, unknown>> | undefined) =>
    of && Object.fromEntries(Object.keys(of).map((id) => [id, board.agents.find((a) => a.id === id)?.[field]]));
  const holders: Record<string, string | null> = {};
  for (const buyer of Object.keys(expected.holder ?? {})) {
    const { agent, state } = await conversationOf(stage, buyer);
    holders[buyer] = state === 'closed' ? null : (agent ?? null);
  }
  const got = {
    pending: loads('pending', expected.pending),
    active: loads('active', expected.active),
    presence: loads('presence', expected.presence),
    holder: expected.holder && holders,
    queue: expected.queue && board.queue.map(({ buyer }) => buyer),
    pool: expected.pool && board.pool.map(({ buyer }) => buyer),
  };
  for (const [key, value] of Object.entries(expected)) {
    const found = got[key as keyof typeof got];
    if (!isDeepStrictEqual(found, value)) {
      throw new Unexpected(`expected ${key} ${shown(value)}, got ${shown(found)}`);
    }
  }
}

async function patchBuyer({ house, shop, now }: Stage, patch: NonNullable<StoryStep['buyer']>): Promise<void> {
  const { scope } = await house.configs.get(shop);
  const { id, ...changes } = patch;
  const before = (await readBuyer(scope, id)) ? await getBuyer(house, shop, id) : { crowds: [] };
  const { name, crowds, exclusiveAgent } = { ...before, ...changes };
  await putBuyer(house, shop, id, { name, crowds: crowds ?? [], exclusiveAgent }, now);
}

const buyerActor = (shop: string, id: string): BuyerActor => ({ kind: 'buyer', shop, id });
const supervisor = (shop: string) => ({
  kind: 'agent' as const,
  shop,
  id: 'a-supervisor',
  role: 'supervisor' as const,
});

/** Without the fields that are there but undefined. */
const entryOf = (fields: { [K in keyof Entry]: Entry[K] | undefined }) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Entry;

async function perform(stage: Stage, step: StoryStep, index: number): Promise<void> {
  const { house, shop, now } = stage;
  if (step.presence) await setPresences(house, shop, step.presence, now);
  else if (step.open) {
    const { buyer, ...entry } = step.open;
    const { assignment } = await open(house, shop, buyer, entryOf(entry), now);
    compare(step.expect ?? {}, assignment);
  } else if (step.opens) await openMany(stage, step.opens, step.counts);
  else if (step.say) await speak(stage, step.say, `step-${index}`);
  else if (step.human) {
    const { id } = await conversationOf(stage, step.human.buyer);
    const { assignment } = await handOver(house, buyerActor(shop, step.human.buyer), id, now);
    compare(step.expect ?? {}, assignment);
  } else if (step.close) {
    const { id } = await conversationOf(stage, step.close.buyer);
    await closeConversation(house, buyerActor(shop, step.close.buyer), id, now);
  } else if (step.leave) {
    const { id } = await conversationOf(stage, step.leave.buyer);
    await leaveQueue(house, buyerActor(shop, step.leave.buyer), id, now);
  } else if (step.transfer) {
    const { id } = await conversationOf(stage, step.transfer.buyer);
    await transferConversation(house, supervisor(shop), id, step.transfer.to, now);
  } else if (step.settings) await patchSettings(house, shop, step.settings, now);
  else if (step.buyer) await patchBuyer(stage, step.buyer);
  else if (step.tick) await runShopJobs(house, shop, now);
  else if (step.state) await checkState(stage, step.state);
}

/** Plays a story. Answers nothing if it holds, else the step at which it does not, and how. */
export async function play(house: House, story: Story): Promise<string | undefined> {
  const shop = newShopId('case');
  let now = 0;
  let where = 'the shop';
  try {
    for (const [i, step] of story.steps.entries()) {
      const next = 'ms' in step.at ? step.at.ms : now + step.at.afterMs;
      if (i === 0) await openShop(house, shop, { ...story.shop, buyers: story.buyers }, next);
      where = `step ${i + 1}`;
      if (next < now) throw new Unexpected('expected time to go on, got a step before the last one');
      now = next;
      await perform({ house, shop, now }, step, i + 1);
      await house.settled();
    }
    return undefined;
  } catch (error) {
    // What the services refuse makes a story fail like what they answer otherwise; where is worth more than a stack.
    return `${where}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await house.settled();
    await removeShop(house.redis, shop);
  }
}
