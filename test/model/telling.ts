/**
 * A story as it is lived: what is done in it, what the shop's events say happened, and the world that takes them in, in the
 * order in which the shop told them. That order is the one in which it has taken what was done at the same moment.
 */
import { expect } from 'vitest';
import type { Assignment, Entry } from '../../client-sdk/contract/index.ts';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { getAssignment } from '../../server/services/board.ts';
import type { House } from '../../server/services/house.ts';
import { keysOfShop, readyKey } from '../../server/store/keys.ts';
import { readLook } from '../../server/store/replies.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { newShopId, openShop } from '../support/shop.ts';
import { act, entryOf } from './act.ts';
import { compare, nobodyForgotten } from './compare.ts';
import { explain } from './explain.ts';
import { forgetExpired, leftUndone, mayFallSilent } from './overdue.ts';
import { followsFrom, isOfItself, replayPresence, replaySilence } from './presence.ts';
import { learn, replay } from './replay.ts';
import { type Action, atWork, cast, presenceOf, type Step, told } from './story.ts';
import { type Happening, personOf, type World, worldOf } from './world.ts';

/** A Monday evening in Shanghai: the first night of a story is near. */
export const EVENING = Date.UTC(2026, 0, 5, 12);
export type Story = {
  /** Through which the shop is looked at. */
  readonly house: House;
  /** Those through which things are done; each knows of the shop what it has read. */
  readonly nodes: readonly House[];
  readonly world: World;
  /** The last event that was read. */
  last: string;
  readonly lines: string[];
};

const settled = ({ house, nodes }: Story) => Promise.all([house, ...nodes].map((one) => one.settled()));

/** The shop as every story begins. */
export async function begin(house: House, nodes: readonly House[]): Promise<Story> {
  const shop = newShopId('model');
  await openShop(house, shop, cast, EVENING);
  for (const id of atWork) {
    await connectAgent(house, shop, id, 'desk', 'node', EVENING);
    await choosePresence(house, shop, id, 'online', 'chose', EVENING);
  }
  await house.settled();
  const { config } = await house.configs.fresh(shop);
  const world = worldOf(config, EVENING);
  for (const id of atWork) {
    Object.assign(personOf(world, id), { chosen: 'online', presence: 'online', sockets: new Set(['desk']) });
  }
  for (const [id, { crowds = [] }] of Object.entries(cast.buyers ?? {})) world.profiles.set(id, { crowds });
  const [[last] = ['-']] = await house.redis.xrevrange(keysOfShop(shop).events, '+', '-', 'COUNT', 1);
  return { house, nodes, world, last, lines: [] };
}

/** What has happened since the last time, in order. */
async function happenedSince(story: Story): Promise<Happening[]> {
  const { house } = story;
  const { shop } = story.world.config;
  const events = await house.redis.xrange(keysOfShop(shop).events, `(${story.last}`, '+');
  return events.map(([id, fields]) => {
    story.last = id;
    const happening: Record<string, string> = {};
    for (let i = 0; i < fields.length; i += 2) happening[fields[i] ?? ''] = fields[i + 1] ?? '';
    story.lines.push(`      ${JSON.stringify(happening).replaceAll('"', '')}`);
    return happening;
  });
}

/**
 * Takes in what has happened; each assignment is explained before it is. A presence that changed of itself is told before
 * what it follows from, and is taken in after it.
 */
async function catchUp(story: Story, happened: readonly Happening[], actions: readonly Action[]): Promise<void> {
  const { world, house } = story;
  let ofThemselves: Happening[] = [];
  const fallSilent = (changes: readonly Happening[]) => {
    for (const change of changes) replaySilence(world, change);
  };
  for (const happening of happened) {
    if (isOfItself(happening)) {
      ofThemselves.push(happening);
      continue;
    }
    fallSilent(ofThemselves.filter((change) => !followsFrom(change, happening)));
    ofThemselves = ofThemselves.filter((change) => followsFrom(change, happening));
    if (happening.type === 'configured') learn(world, (await house.configs.fresh(world.config.shop)).config);
    if (happening.type === 'profile') learnProfile(world, happening, actions);
    if (happening.type === 'assigned') ofThemselves = await takeIn(story, happening, ofThemselves, actions);
    else replay(world, happening, {});
    for (const change of ofThemselves) replayPresence(world, change);
    ofThemselves = [];
    world.passes = undefined;
  }
  fallSilent(ofThemselves);
}

function learnProfile(world: World, { buyer = '' }: Happening, actions: readonly Action[]): void {
  for (const action of actions) {
    if (action.do !== 'profile' || action.buyer !== buyer) continue;
    world.profiles.set(buyer, { crowds: action.crowds, exclusiveAgent: action.exclusive || undefined });
  }
}

/** What the buyer of an assignment has brought along: with this click, or before. */
function entryFor(
  world: World,
  { conversation: id = '', buyer, mode = 'open' }: Happening,
  actions: readonly Action[],
): Entry {
  const click = actions.find((action) => action.do === 'open' && action.buyer === buyer);
  return mode === 'open' && click?.do === 'open' ? entryOf(click) : (world.talks.get(id)?.entry ?? {});
}

/**
 * Explains an assignment and takes it in. Answers the changes of presence that follow from it: whoever was hung up just
 * before may also have been so for not replying, which the trace then tells.
 */
async function takeIn(
  { world, lines, house }: Story,
  happening: Happening,
  changes: Happening[],
  actions: readonly Action[],
): Promise<Happening[]> {
  const { shop } = world.config;
  const { conversation: id = '', buyer = '', mode = 'open' } = happening;
  for (const [name, { lapsesAt, presence }] of world.people) {
    const ended = lapsesAt !== undefined && lapsesAt <= world.now;
    if (ended && presence !== 'offline') throw new Error(`the grace of ${name} has ended, and does not count`);
  }
  const assignment = await getAssignment(house, shop, 'program', `${id}.${happening.assignment}`);
  lines.push(...assignment.trace.map((item) => `        ${JSON.stringify(item).replaceAll('"', '')}`));
  expect(assignment).toMatchObject({ conversation: id, buyer, at: world.now, outcome: happening.outcome });
  const entry = entryFor(world, happening, actions);
  const run = { mode, buyer, talk: world.talks.get(id), entry };
  const silent = changes.filter(({ agent = '', cause }) => cause === 'auto-hang-up' && mayFallSilent(world, agent));
  const follow = silent.length > 0 && !explains(world, run, assignment);
  if (follow) for (const change of silent) replaySilence(world, change);
  explain(world, run, assignment);
  replay(world, { ...happening, group: assignment.group ?? '', step: assignment.step }, entry);
  return follow ? changes.filter((change) => !silent.includes(change)) : changes;
}

function explains(...what: Parameters<typeof explain>): boolean {
  try {
    explain(...what);
    return true;
  } catch {
    return false;
  }
}

async function readPasses(house: House, shop: string) {
  const { config, scope } = await house.configs.fresh(shop);
  const groups = ['*', ...config.groups.keys()];
  const sets = await Promise.all(
    groups.map((group) => house.redis.zrange(readyKey(scope.keys, group), '0', '-1', 'WITHSCORES')),
  );
  return new Map(
    groups.map((group, i) => {
      const flat = sets[i] ?? [];
      return [group, new Map(flat.flatMap((id, n) => (n % 2 === 0 ? [[id, Number(flat[n + 1])] as const] : [])))];
    }),
  );
}

/**
 * Does all of these at the same moment, or has every node do every job where it is time that goes by; then the world takes in
 * what has happened, and must be as the shop is.
 */
export async function takeSteps(story: Story, steps: readonly Step[]): Promise<void> {
  const { world, house, nodes } = story;
  const actions = steps.map(({ action }) => action);
  const waits = actions[0]?.do === 'wait' ? actions[0] : undefined;
  world.now += 1;
  // Where somebody is offline already, the end of their grace changes nothing that would be an event.
  for (const person of world.people.values()) {
    if (person.presence === 'offline' && (person.lapsesAt ?? world.now) <= world.now) person.lapsesAt = undefined;
  }
  world.now += waits?.ms ?? 0;
  story.lines.push(...steps.map((step) => `  ${told(step)}`));
  world.passes = await readPasses(house, world.config.shop);
  world.doing = actions.map((action) => ({
    action: action.do,
    buyer: 'buyer' in action ? action.buyer : '',
    agent: presenceOf(action),
  }));
  const opened: Assignment[] = [];
  await Promise.all(
    steps.map(({ node, action }) => act(nodes[node] ?? house, world, action, (assignment) => opened.push(assignment))),
  );
  await settled(story);
  // Who meets another at a line leaves it to them: the next turn sees what both have left.
  if (waits && steps.length > 1) await runShopJobs(house, world.config.shop, world.now);
  await settled(story);
  const happened = await happenedSince(story);
  await catchUp(story, happened, actions);
  const clicks = happened.filter(({ type, mode = 'open' }) => type === 'assigned' && mode === 'open');
  const assigned = clicks.map(({ conversation, assignment }) => `${conversation}.${assignment}`);
  expect(opened.map(({ id }) => id).sort(), 'clicks that were answered').toEqual(assigned.sort());
  if (waits) await afterAllJobs(story, happened);
  await compare(house, world);
  if (waits) await nobodyForgotten(house, world);
}

/** Every job has run: nothing is left that it should have done. */
async function afterAllJobs({ world, house }: Story, happened: readonly Happening[]): Promise<void> {
  expect(leftUndone(world, happened)).toEqual([]);
  forgetExpired(world);
  const { scope } = await house.configs.get(world.config.shop);
  world.look = await readLook(scope);
}
