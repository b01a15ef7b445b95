/** The shop beside the world that replays its events. */
import { expect } from 'vitest';
import { live } from '../../server/services/board.ts';
import type { House } from '../../server/services/house.ts';
import { readBuyer } from '../../server/store/buyers.ts';
import { buyerKey } from '../../server/store/keys.ts';
import { dueAgain, readConversations, waitingIn } from '../../server/store/read.ts';
import { pagesOwed } from '../../server/store/replies.ts';
import { problemsIn } from '../support/consistent.ts';
import { effective } from './presence.ts';
import {
  activeOf,
  contactsOf,
  isOnDuty,
  onDutyIn,
  onlineOf,
  pendingOf,
  personOf,
  poolOf,
  queueOf,
  type World,
} from './world.ts';

/** The shop shows what the world has come to. */
export async function compare(house: House, world: World): Promise<void> {
  const { shop } = world.config;
  const { scope } = await house.configs.fresh(shop);
  for (const [id, person] of world.people) expect(person.presence, `presence of ${id}`).toBe(effective(world, id));

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
  expect(await waitingIn(scope, 'queue')).toEqual(queueOf(world));
  expect(await waitingIn(scope, 'pool')).toEqual(poolOf(world));

  const talks = [...world.talks.values()];
  const records = await readConversations(
    scope,
    talks.map(({ id }) => id),
  );
  for (const [i, talk] of talks.entries()) {
    const { id, buyer, state, overnight, lastSeq, agent, group, waitingSince, entry } = talk;
    const shown = records[i]?.conversation;
    expect(shown).toMatchObject({ id, buyer, state, overnight, lastSeq });
    expect([shown?.agent ?? '', shown?.group ?? '', shown?.waitingSince]).toEqual([agent, group, waitingSince]);
    expect(records[i]?.entry).toEqual(entry);
  }
  for (const buyer of world.newest.keys()) {
    const newest = world.newest.get(buyer);
    const open = world.talks.get(newest ?? '')?.state === 'closed' ? '' : newest;
    expect(await readBuyer(scope, buyer)).toMatchObject({ newest, conversation: open });
    const kept = contactsOf(world, buyer).map(([id, at]) => `${id}=${at}`);
    expect((await house.redis.hget(buyerKey(scope.keys, buyer), 'contacts')) ?? '').toBe(
      kept.length > 0 ? `,${kept.join(',')},` : '',
    );
  }
  const owed = talks.flatMap(({ id, owedSince }) => (owedSince === undefined ? [] : [[id, owedSince] as const]));
  const kept: (readonly [string, number])[] = [];
  for await (const page of pagesOwed(scope, { after: Number.NEGATIVE_INFINITY, until: world.now })) {
    kept.push(...page.map(({ conversation, since }) => [conversation, since] as const));
  }
  expect(new Map(kept), 'replies owed').toEqual(new Map(owed));
  expect(await problemsIn(house.redis, shop)).toEqual([]);
}

/** After every job has run nobody waits who could be helped. */
export async function nobodyForgotten(house: House, world: World): Promise<void> {
  const { settings, shop } = world.config;
  const { scope } = await house.configs.fresh(shop);
  expect(await dueAgain(scope, 10), 'due to be dispatched again').toEqual([]);
  const onDuty = [...onDutyIn(world, '*').keys()];
  if (queueOf(world).length > 0) {
    expect(onlineOf(world), 'online while some wait in the queue').toBeGreaterThan(0);
    expect(onDuty, 'on duty while some wait in the queue').toEqual([]);
  }
  if (poolOf(world).length > 0 && settings.leaveMessage.autoAssign) {
    const limit = Math.max(1, settings.handoverLimit ?? settings.busyThreshold);
    const free = onDuty.filter((id) => pendingOf(world, id) < limit);
    expect(free, 'free while some are in the pool').toEqual([]);
  }
}
