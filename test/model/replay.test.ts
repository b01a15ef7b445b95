/**
 * Random stories of one shop, each step checked three ways: the world that replays the shop's events comes to the same
 * state as the shop; every assignment is explained by its trace, fact by fact; and all keys agree with one another. A story
 * that fails is shrunk to the shortest that still does, and told step by step.
 */
import fc from 'fast-check';
import { afterAll, expect, inject, test } from 'vitest';
import type { Entry } from '../../client-sdk/contract/index.ts';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { getAssignment } from '../../server/services/board.ts';
import { keysOfShop, readyKey } from '../../server/store/keys.ts';
import { readConversations } from '../../server/store/read.ts';
import { readLook } from '../../server/store/replies.ts';
import { createTestHouse } from '../support/house.ts';
import { newShopId, openShop, removeShop } from '../support/shop.ts';
import { act } from './act.ts';
import { compare, nobodyForgotten } from './compare.ts';
import { explain } from './explain.ts';
import { forgetExpired, leftUndone, mayFallSilent } from './overdue.ts';
import { followsFrom, isOfItself, replayPresence, replaySilence } from './presence.ts';
import { learn, replay } from './replay.ts';
import { type Action, atWork, cast, plot, told } from './story.ts';
import { type Happening, personOf, type World } from './world.ts';

/** A Monday evening in Shanghai: the first night of a story is near. */
const EVENING = Date.UTC(2026, 0, 5, 12);
const { house, close } = createTestHouse(inject('redisUrl'));
afterAll(close);

type Story = {
  readonly world: World;
  /** The last event that was read. */
  last: string;
  readonly lines: string[];
};

async function begin(): Promise<Story> {
  const shop = newShopId('model');
  await openShop(house, shop, cast, EVENING);
  for (const id of atWork) {
    await connectAgent(house, shop, id, 'desk', 'node', EVENING);
    await choosePresence(house, shop, id, 'online', 'chose', EVENING);
  }
  await house.settled();
  const { config } = await house.configs.fresh(shop);
  const world: World = {
    now: EVENING,
    config,
    people: new Map(),
    talks: new Map(),
    newest: new Map(),
    contacts: new Map(),
    profiles: new Map(),
    lastPlace: 0,
    look: undefined,
    doing: { action: '', buyer: '' },
    passes: undefined,
  };
  for (const id of atWork) {
    Object.assign(personOf(world, id), { chosen: 'online', presence: 'online', sockets: new Set(['desk']) });
  }
  for (const [id, { crowds = [] }] of Object.entries(cast.buyers ?? {})) world.profiles.set(id, { crowds });
  const [[last] = ['-']] = await house.redis.xrevrange(keysOfShop(shop).events, '+', '-', 'COUNT', 1);
  return { world, last, lines: [] };
}

/** What has happened since the last time, in order. */
async function happenedSince(story: Story): Promise<Happening[]> {
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
async function catchUp(story: Story, happened: readonly Happening[]): Promise<void> {
  const { world } = story;
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
    if (happening.type === 'assigned') ofThemselves = await takeIn(story, happening, ofThemselves);
    else replay(world, happening, {});
    for (const change of ofThemselves) replayPresence(world, change);
    ofThemselves = [];
    world.passes = undefined;
  }
  fallSilent(ofThemselves);
}

/**
 * Explains an assignment and takes it in. Answers the changes of presence that follow from it: whoever was hung up just
 * before may also have been so for not replying, which the trace then tells.
 */
async function takeIn({ world, lines }: Story, happening: Happening, changes: Happening[]): Promise<Happening[]> {
  const { shop } = world.config;
  const { conversation: id = '', buyer = '', mode = 'open' } = happening;
  for (const [name, { lapsesAt, presence }] of world.people) {
    const ended = lapsesAt !== undefined && lapsesAt <= world.now;
    if (ended && presence !== 'offline') throw new Error(`the grace of ${name} has ended, and does not count`);
  }
  const assignment = await getAssignment(house, shop, 'program', `${id}.${happening.assignment}`);
  lines.push(...assignment.trace.map((item) => `        ${JSON.stringify(item).replaceAll('"', '')}`));
  expect(assignment).toMatchObject({ conversation: id, buyer, at: world.now, outcome: happening.outcome });
  const { scope } = await house.configs.get(shop);
  const [record] = await readConversations(scope, [id]);
  const entry: Entry = record?.entry ?? {};
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

async function readPasses(shop: string) {
  const { config, scope } = await house.configs.get(shop);
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

async function takeStep(story: Story, step: Action): Promise<void> {
  const { world } = story;
  world.now += 1;
  // Where somebody is offline already, the end of their grace changes nothing that would be an event.
  for (const person of world.people.values()) {
    if (person.presence === 'offline' && (person.lapsesAt ?? world.now) <= world.now) person.lapsesAt = undefined;
  }
  story.lines.push(`  ${told(step)}`);
  world.passes = await readPasses(world.config.shop);
  await act(house, world, step);
  await house.settled();
  const happened = await happenedSince(story);
  await catchUp(story, happened);
  if (step.do === 'wait') await afterAllJobs(story, happened);
  await compare(house, world);
  if (step.do === 'wait') await nobodyForgotten(house, world);
}

/** Every job has run: nothing is left that it should have done. */
async function afterAllJobs({ world }: Story, happened: readonly Happening[]): Promise<void> {
  expect(leftUndone(world, happened)).toEqual([]);
  forgetExpired(world);
  const { scope } = await house.configs.get(world.config.shop);
  world.look = await readLook(scope);
}

test('random stories: the shop, its events and its traces tell the same', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(plot, async (actions) => {
      const story = await begin();
      try {
        for (const step of actions) await takeStep(story, step);
      } catch (error) {
        const says = error instanceof Error ? error.message : String(error);
        throw new Error(`${says}\nafter\n${story.lines.join('\n')}`);
      } finally {
        await house.settled();
        await removeShop(house.redis, story.world.config.shop);
      }
    }),
    // On a busy machine fewer stories are told, rather than none to the end.
    { numRuns: 100, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
  );
});
