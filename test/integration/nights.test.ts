/**
 * A year of nights at virtual time, in four zones, through the real scripts: who comes in by night goes to the proxy, and
 * to an agent from the first moment of the morning on, neither before nor later. When it is night is worked out on paper.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Assignment, Presence } from '../../client-sdk/contract/index.ts';
import type { AgentActor } from '../../server/services/actor.ts';
import { getAssignment, getConversation } from '../../server/services/board.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { closeConversation } from '../../server/services/moves.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { sweep } from '../../server/services/sweep.ts';
import { waitingIn } from '../../server/store/read.ts';
import { problemsIn } from '../support/consistent.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import {
  changesOf,
  type Night,
  nightAt,
  nightsOf,
  type Window,
  YEAR,
  type Zone,
  zoneNames,
} from '../support/nights.ts';
import { newShopId, openShop, removeShop, setPresences } from '../support/shop.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CREW = ['anna', 'ben'];

let tests: TestHouse;
let house: House;
const shops: string[] = [];
beforeAll(() => {
  tests = createTestHouse(inject('redisUrl'));
  house = tests.house;
});
afterAll(async () => {
  await house.settled();
  for (const shop of shops) await removeShop(house.redis, shop);
  await tests.close();
});

const everybody = (presence: Presence) => Object.fromEntries(CREW.map((agent) => [agent, presence]));

/** A shop whose night is this, its agents online; the proxy, a person, is not there. */
async function newShop(timezone: Zone, window: Window, now: number): Promise<string> {
  const shop = newShopId('night');
  shops.push(shop);
  await openShop(
    house,
    shop,
    {
      settings: { timezone, nightShift: { enabled: true, proxy: 'proxy', ...window } },
      agents: { anna: {}, ben: {}, proxy: {} },
      groups: { sales: { members: { anna: 2, ben: 1 } } },
    },
    now,
  );
  await setPresences(house, shop, everybody('online'), now);
  return shop;
}

async function comesIn(shop: string, now: number): Promise<{ id: string; assignment: Assignment }> {
  const { conversation, assignment } = await open(house, shop, `buyer-${randomUUID()}`, {}, now);
  await house.settled();
  return { id: conversation.id, assignment };
}

const holderOf = async (shop: string, id: string) => (await getConversation(house, shop, 'program', id)).agent;
const overnight = async (shop: string) => waitingIn((await house.configs.get(shop)).scope, 'overnight');

/** A sweep, as the workers make it every second; answers who holds a conversation after it. */
async function holderAfterSweep(shop: string, id: string, now: number) {
  await sweep(house, shop, now);
  return holderOf(shop, id);
}

async function closed(shop: string, id: string, now: number): Promise<void> {
  const boss: AgentActor = { kind: 'agent', shop, id: 'ben', role: 'supervisor' };
  await closeConversation(house, boss, id, now);
  await house.settled();
}

/** Whether a night is one of those that are lived through: every seventh day, and four days around each change. */
function isLived(zone: Zone, { begins, ends }: Night): boolean {
  const weekly = Math.floor((begins - YEAR.from) / DAY) % 7 === 0;
  const near = changesOf(zone).some((change) => begins < change + 2 * DAY && ends > change - 2 * DAY);
  return begins >= YEAR.from && ends <= YEAR.until && (weekly || near);
}

/** Lives through one night; answers what was not as it should be. The agents are there in the morning, or come later. */
async function livesThrough(shop: string, night: Night, comeLater: boolean): Promise<string[]> {
  const wrong: string[] = [];
  const say = (holds: boolean, what: string) => {
    if (!holds) wrong.push(`${new Date(night.begins).toISOString()}: ${what}`);
  };
  const last = night.ends - 1;
  const evening = await comesIn(shop, night.begins - 1);
  say(evening.assignment.outcome === 'agent', `just before it, to ${evening.assignment.outcome}`);
  const came = [];
  for (const now of [night.begins, (night.begins + night.ends) / 2, last]) came.push(await comesIn(shop, now));
  if (comeLater) await setPresences(house, shop, everybody('offline'), last);
  for (const { id, assignment } of came) {
    say(assignment.outcome === 'proxy' && assignment.step === 'night-shift', `to ${assignment.outcome}`);
    say((await holderAfterSweep(shop, id, last)) === 'proxy', 'handed over before its end');
  }
  let morning = night.ends;
  if (comeLater) {
    for (const { id } of came) {
      say((await holderAfterSweep(shop, id, morning)) === 'proxy', 'taken from the proxy while nobody was there');
    }
    morning += 5 * MINUTE;
    // Nobody sweeps: their coming does.
    await setPresences(house, shop, everybody('online'), morning);
  } else {
    await sweep(house, shop, morning);
  }
  for (const { id } of came) {
    const { agent, assignment } = await getConversation(house, shop, 'program', id);
    say(CREW.includes(agent ?? ''), `in the morning with ${agent}`);
    const step = assignment && (await getAssignment(house, shop, 'program', assignment)).step;
    say(step === 'group', `handed over by ${step}`);
  }
  const early = await comesIn(shop, morning);
  say(early.assignment.outcome === 'agent', `in the morning, to ${early.assignment.outcome}`);
  say((await overnight(shop)).length === 0, 'somebody was forgotten');
  for (const { id } of [evening, early, ...came]) await closed(shop, id, morning);
  return wrong;
}

const windows: readonly Window[] = [
  { from: '00:00', until: '08:00' },
  { from: '22:00', until: '07:00' },
  { from: '02:15', until: '02:45' },
];

describe.each(zoneNames.flatMap((zone) => windows.map((window) => ({ zone, ...window }))))(
  'a year of nights from $from until $until in $zone',
  ({ zone, from, until }) => {
    test('the proxy has each buyer of the night until it ends, and an agent from then on', async () => {
      const nights = nightsOf(zone, { from, until }).filter((night) => isLived(zone, night));
      expect(nights.length).toBeGreaterThan(50);
      const shop = await newShop(zone, { from, until }, YEAR.from);
      const wrong: string[] = [];
      for (const [turn, night] of nights.entries()) wrong.push(...(await livesThrough(shop, night, turn % 3 === 2)));
      expect(wrong).toEqual([]);
      expect(await problemsIn(house.redis, shop)).toEqual([]);
    });
  },
);

test.each(zoneNames)('a night from 09:30 until 09:30 in %s has no morning', async (zone) => {
  const shop = await newShop(zone, { from: '09:30', until: '09:30' }, YEAR.from);
  const { id, assignment } = await comesIn(shop, YEAR.from);
  expect(assignment.outcome).toBe('proxy');
  for (let now: number = YEAR.from; now < YEAR.until; now += 7 * DAY + HOUR) {
    expect(await holderAfterSweep(shop, id, now)).toBe('proxy');
  }
});

describe('a night whose zone is changed in the middle', () => {
  const window = { from: '22:00', until: '07:00' };
  const at = (iso: string) => Date.parse(iso);

  test.each([
    // It is 03:00, and after the change 06:00 already.
    { way: 'earlier', from: 'Asia/Shanghai', to: 'Australia/Lord_Howe', now: at('2026-01-10T19:00Z') },
    // It is 06:00, and after the change 03:00 again.
    { way: 'later', from: 'Australia/Lord_Howe', to: 'Asia/Shanghai', now: at('2026-01-10T19:00Z') },
    // It is 06:30, and after the change 00:30, in the night in which New York loses an hour.
    { way: 'later', from: 'Europe/Berlin', to: 'America/New_York', now: at('2026-03-08T05:30Z') },
  ] as const)('ends $way: from $from to $to', async ({ way, from, to, now }) => {
    const before = nightAt(nightsOf(from, window), now);
    const after = nightAt(nightsOf(to, window), now);
    expect(after.ends < before.ends).toBe(way === 'earlier');
    const shop = await newShop(from, window, now - HOUR);
    const { id } = await comesIn(shop, now - MINUTE);
    await patchSettings(house, shop, { timezone: to }, now);
    await house.settled();
    expect(await holderOf(shop, id)).toBe('proxy');
    expect((await comesIn(shop, now)).assignment.outcome).toBe('proxy');
    // Where the old zone's morning comes first, nobody takes it for this one's.
    expect(await holderAfterSweep(shop, id, Math.min(before.ends, after.ends - 1))).toBe('proxy');
    expect(await holderAfterSweep(shop, id, after.ends - 1)).toBe('proxy');
    expect(CREW).toContain(await holderAfterSweep(shop, id, after.ends));
    expect(await overnight(shop)).toEqual([]);
    expect(await problemsIn(house.redis, shop)).toEqual([]);
  });

  test('ends with the change where it is day in the new zone, and begins with it where it is night', async () => {
    const now = at('2026-01-10T19:00Z');
    const shop = await newShop('Asia/Shanghai', window, now - HOUR);
    const { id } = await comesIn(shop, now - MINUTE);
    // 20:00 in Berlin.
    await patchSettings(house, shop, { timezone: 'Europe/Berlin' }, now);
    await house.settled();
    expect(CREW).toContain(await holderOf(shop, id));
    expect((await comesIn(shop, now)).assignment.outcome).toBe('agent');
    await patchSettings(house, shop, { timezone: 'Asia/Shanghai' }, now);
    expect((await comesIn(shop, now)).assignment.outcome).toBe('proxy');
    // Who has an agent keeps them.
    expect(CREW).toContain(await holderAfterSweep(shop, id, now));
    expect(await problemsIn(house.redis, shop)).toEqual([]);
  });
});

describe('a night shift that is switched off in the middle of the night', () => {
  const now = Date.parse('2026-01-10T19:00Z');
  const window = { from: '22:00', until: '07:00' };
  const off = (shop: string) => patchSettings(house, shop, { nightShift: { enabled: false } }, now);

  test('is over: who is there is given what came in overnight, at once', async () => {
    const shop = await newShop('Asia/Shanghai', window, now - HOUR);
    const { id } = await comesIn(shop, now - MINUTE);
    await off(shop);
    await house.settled();
    expect(CREW).toContain(await holderOf(shop, id));
    expect((await comesIn(shop, now)).assignment.outcome).toBe('agent');
    expect(await problemsIn(house.redis, shop)).toEqual([]);
  });

  test('leaves it with the proxy while nobody is there; the first to come has it', async () => {
    const shop = await newShop('Asia/Shanghai', window, now - HOUR);
    const { id } = await comesIn(shop, now - MINUTE);
    await setPresences(house, shop, everybody('offline'), now);
    await off(shop);
    await house.settled();
    expect(await holderAfterSweep(shop, id, now)).toBe('proxy');
    await setPresences(house, shop, { ben: 'online' }, now + MINUTE);
    expect(await holderOf(shop, id)).toBe('ben');
    expect(await problemsIn(house.redis, shop)).toEqual([]);
  });

  test('switched on again in the same night, it goes on for whoever comes, and ends in the morning', async () => {
    const shop = await newShop('Asia/Shanghai', window, now - HOUR);
    await off(shop);
    await patchSettings(house, shop, { nightShift: { enabled: true } }, now + MINUTE);
    const { id, assignment } = await comesIn(shop, now + MINUTE);
    expect(assignment.outcome).toBe('proxy');
    const { ends } = nightAt(nightsOf('Asia/Shanghai', window), now);
    expect(await holderAfterSweep(shop, id, ends - 1)).toBe('proxy');
    expect(CREW).toContain(await holderAfterSweep(shop, id, ends));
  });
});
