/**
 * Random stories of one shop, each step checked three ways: the world that replays the shop's events comes to the same
 * state as the shop; every assignment is explained by its trace, fact by fact; and all keys agree with one another. A story
 * that fails is shrunk to the shortest that still does, and told step by step.
 */
import fc from 'fast-check';
import { afterAll, expect, inject, test } from 'vitest';
import type { Entry } from '../../client-sdk/contract/index.ts';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { getAssignment, live } from '../../server/services/board.ts';
import { readBuyer } from '../../server/store/buyers.ts';
import { buyerKey, keysOfShop, readyKey } from '../../server/store/keys.ts';
import { dueAgain, readConversations, waitingIn } from '../../server/store/read.ts';
import { problemsIn } from '../support/consistent.ts';
import { createTestHouse } from '../support/house.ts';
import { newShopId, openShop, removeShop } from '../support/shop.ts';
import { explain } from './explain.ts';
import { type Action, act, action, atWork, cast, told } from './story.ts';
import {
  activeOf,
  contactsOf,
  effective,
  type Happening,
  isOnDuty,
  onDutyIn,
  onlineOf,
  pendingOf,
  personOf,
  replay,
  type World,
} from './world.ts';

/** A Monday evening in Shanghai: the first night of a story is near. */
const EVENING = Date.UTC(2026, 0, 5, 12);
const { house, close } = createTestHouse(inject('redisUrl'));
afterAll(close);

type Story = { readonly world: World; last: string; readonly lines: string[] };

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
    queue: [],
    pool: [],
    passes: undefined,
  };
  for (const id of atWork) {
    world.people.set(id, { chosen: 'online', presence: 'online', sockets: new Set(['desk']), lapsesAt: undefined });
  }
  const [[last] = ['-']] = await house.redis.xrevrange(keysOfShop(shop).events, '+', '-', 'COUNT', 1);
  return { world, last, lines: [] };
}

/** What has happened since the last time, in order; each assignment is explained before it is taken in. */
async function catchUp(story: Story): Promise<void> {
  const { world } = story;
  const { shop } = world.config;
  const events = await house.redis.xrange(keysOfShop(shop).events, `(${story.last}`, '+');
  for (const [id, fields] of events) {
    story.last = id;
    const happening: Record<string, string> = {};
    for (let i = 0; i < fields.length; i += 2) happening[fields[i] ?? ''] = fields[i + 1] ?? '';
    story.lines.push(`      ${JSON.stringify(happening).replaceAll('"', '')}`);
    if (happening.type === 'configured') world.config = (await house.configs.fresh(shop)).config;
    if (happening.type === 'assigned') await takeIn(story, happening);
    else replay(world, happening, {});
    world.passes = undefined;
  }
}

async function takeIn({ world, lines }: Story, happening: Happening): Promise<void> {
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
  explain(world, { mode, buyer, talk: world.talks.get(id), entry }, assignment);
  replay(world, { ...happening, group: assignment.group ?? '', step: assignment.step }, entry);
}

/** The shop shows what the world has come to. */
async function compare({ world }: Story): Promise<void> {
  const { shop } = world.config;
  const { scope } = await house.configs.get(shop);
  for (const [id, person] of world.people) expect(person.presence, `presence of ${id}`).toBe(effective(person));

  const board = await live(house, shop, 'program', world.now);
  const ids = [...world.config.agents.keys()];
  const lapsed = (id: string) => (personOf(world, id).lapsesAt ?? Number.POSITIVE_INFINITY) <= world.now;
  expect(board.agents).toEqual(
    ids.map((id) => ({
      id,
      presence: lapsed(id) ? 'offline' : personOf(world, id).presence,
      connected: personOf(world, id).sockets.size > 0,
      pending: pendingOf(world, id),
      active: activeOf(world, id),
      onDuty: !lapsed(id) && isOnDuty(world, id),
    })),
  );
  expect(await waitingIn(scope, 'queue')).toEqual(world.queue);
  expect(await waitingIn(scope, 'pool')).toEqual(world.pool);

  const talks = [...world.talks.values()];
  const records = await readConversations(
    scope,
    talks.map(({ id }) => id),
  );
  for (const [i, talk] of talks.entries()) {
    const { agent, group, waitingSince, entry, ...same } = talk;
    const shown = records[i]?.conversation;
    expect(shown).toMatchObject(same);
    expect([shown?.agent ?? '', shown?.group ?? '', shown?.waitingSince]).toEqual([agent, group, waitingSince]);
    expect(records[i]?.entry).toEqual(entry);
  }
  for (const buyer of world.newest.keys()) {
    const newest = world.newest.get(buyer);
    const open = world.talks.get(newest ?? '')?.state === 'closed' ? '' : newest;
    expect(await readBuyer(scope, buyer)).toMatchObject({ newest, conversation: open });
    const kept = contactsOf(world, buyer).map(([id, at]) => `${id}=${at}`);
    expect(await house.redis.hget(buyerKey(scope.keys, buyer), 'contacts')).toBe(
      kept.length > 0 ? `,${kept.join(',')},` : '',
    );
  }
  expect(await problemsIn(house.redis, shop)).toEqual([]);
}

/** After a sweep nobody waits who could be helped. */
async function nobodyForgotten({ world }: Story): Promise<void> {
  const { settings, shop } = world.config;
  const { scope } = await house.configs.get(shop);
  expect(await dueAgain(scope, 10), 'due to be dispatched again').toEqual([]);
  const onDuty = [...onDutyIn(world, '*').keys()];
  if (world.queue.length > 0) {
    expect(onlineOf(world), 'online while some wait in the queue').toBeGreaterThan(0);
    expect(onDuty, 'on duty while some wait in the queue').toEqual([]);
  }
  if (world.pool.length > 0 && settings.leaveMessage.autoAssign) {
    const limit = Math.max(1, settings.handoverLimit ?? settings.busyThreshold);
    const free = onDuty.filter((id) => pendingOf(world, id) < limit);
    expect(free, 'free while some are in the pool').toEqual([]);
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
  story.world.now += 1;
  // Where somebody is offline already, the end of their grace changes nothing that would be an event.
  for (const person of story.world.people.values()) {
    if (person.presence === 'offline' && (person.lapsesAt ?? story.world.now) <= story.world.now)
      person.lapsesAt = undefined;
  }
  story.lines.push(`  ${told(step)}`);
  story.world.passes = await readPasses(story.world.config.shop);
  await act(house, story.world, step);
  await house.settled();
  await catchUp(story);
  await compare(story);
  if (step.do === 'wait') await nobodyForgotten(story);
}

test('random stories: the shop, its events and its traces tell the same', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 80, size: 'max' }), async (actions) => {
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
    { numRuns: 60, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
  );
});
