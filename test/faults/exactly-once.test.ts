/**
 * Three worker processes hand out a thousand conversations, and are killed again and again while they do: each
 * conversation is moved exactly once, in the order of the line, within the hand-over limit.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { live } from '../../server/services/board.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { putAgent } from '../../server/services/shops.ts';
import { say } from '../../server/services/talk.ts';
import { registerShop } from '../../server/store/configure.ts';
import { close } from '../../server/store/moves.ts';
import { beat } from '../../server/store/nodes.ts';
import { changePresence } from '../../server/store/presence.ts';
import { waitingIn } from '../../server/store/read.ts';
import { problemsIn } from '../support/consistent.ts';
import { openCrowd } from '../support/crowd.ts';
import { seeded } from '../support/draw.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { newShopId, removeShop } from '../support/shop.ts';
import { breath, until } from '../support/until.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

const HOUR = 3_600_000;
const BUYERS = 1_000;
const AGENTS = 50;
/** Pending of one agent: all agents together have room for exactly all buyers. */
const LIMIT = BUYERS / AGENTS;
const WORKERS = 3;
/** How many of a line are moved in a turn. */
const A_TURN = 500;
/** About how many are moved between two kills. */
const GAP = 120;
/** Starting a worker takes seconds on a busy machine, and it is done dozens of times. */
const PATIENCE_MS = 240_000;

let redis: OwnRedis;
let tests: TestHouse;
let house: House;
let shop: string;
const started: WorkerProcess[] = [];

beforeAll(async () => {
  redis = await startOwnRedis();
  tests = createTestHouse(redis.url);
  house = tests.house;
  // The node that the agents are connected to, as far as anybody can tell.
  await beat(house.redis, 'node', Date.now() + HOUR);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.kill()));
  await removeShop(house.redis, shop);
});
afterAll(async () => {
  await tests?.close();
  await redis?.stop();
});

const names = (count: number, name: string) => Array.from({ length: count }, (_, n) => `${name}${n}`);
const crew = names(AGENTS, 'a');
const sales = { sales: Object.fromEntries(crew.map((id, n) => [id, 1 + (n % 5)])) };

type Line = 'overnight' | 'pool' | 'queue';
const scope = async () => (await house.configs.get(shop)).scope;
const leftIn = async (line: Line) => house.redis.zcard((await scope()).keys[line]);

/** That many buyers click, and write where they are to wait for a reply. Nothing is left for this house to do then. */
async function comeIn(count: number, name: string, now: number, write: boolean): Promise<void> {
  await Promise.all(
    names(count, name).map(async (buyer) => {
      const { conversation } = await open(house, shop, buyer, {}, now);
      if (!write) return;
      const saying = { conversation: conversation.id, clientId: 'one', body: { type: 'text' as const, text: 'hello' } };
      await say(house, { kind: 'buyer', shop, id: buyer }, saying, now);
    }),
  );
  await house.settled();
}

/** Straight in the store: a service would have this house hand out what has to be left to the workers. */
async function choose(agents: readonly string[], presence: 'online' | 'offline', now: number): Promise<void> {
  const at = await scope();
  await Promise.all(
    agents.map((agent) => changePresence(at, { change: 'choose', agent, presence, cause: 'chose' }, now)),
  );
}

function startOne(): WorkerProcess {
  const worker = startWorker(redis.url);
  started.push(worker);
  return worker;
}

type Fire = {
  /** How often each of the three was killed while conversations were left. */
  readonly kills: number[];
  /** How often nobody was left to go on. */
  readonly all: number;
};

/**
 * Workers empty a line of `BUYERS`, and are killed whenever a drawn number of conversations has been moved since the last
 * time: in the middle of whatever they do then. The first time it is all of them, later all or the one who has worked for
 * longest; who is killed is started again.
 */
async function underFire(line: Line, seed: number, meanwhile: (moved: number) => Promise<void>): Promise<Fire> {
  const draw = seeded(seed);
  let workers = Array.from({ length: WORKERS }, (_, slot) => ({ slot, process: startOne() }));
  await until(() => workers.every(({ process }) => process.isWorking()));
  await registerShop(house.redis, shop);
  const kills = workers.map(() => 0);
  let all = 0;
  let next = 1 + Math.floor(draw() * GAP);
  for (;;) {
    const moved = BUYERS - (await leftIn(line));
    if (moved === BUYERS) {
      // Nobody changes anything while it is looked at.
      await Promise.all(workers.map(({ process }) => process.kill()));
      return { kills, all };
    }
    await meanwhile(moved);
    const working = workers.filter(({ process }) => process.isWorking());
    if (moved < next || working.length === 0) {
      await breath();
      continue;
    }
    const victims = all === 0 || draw() < 0.3 ? working : working.slice(0, 1);
    await Promise.all(victims.map(({ process }) => process.kill()));
    const left = await leftIn(line);
    if (left > 0) {
      for (const { slot } of victims) kills[slot] = (kills[slot] ?? 0) + 1;
      if (victims.length === working.length) all++;
    }
    const spared = workers.filter((worker) => !victims.includes(worker));
    workers = [...spared, ...victims.map(({ slot }) => ({ slot, process: startOne() }))];
    next = BUYERS - left + GAP / 2 + Math.floor(draw() * GAP);
  }
}

/** Events of the shop's stream, oldest first. */
async function events(): Promise<Record<string, string>[]> {
  const entries = await house.redis.xrange((await scope()).keys.events, '-', '+');
  return entries.map(([, fields]) =>
    Object.fromEntries(fields.flatMap((field, i) => (i % 2 === 0 ? [[field, fields[i + 1] ?? '']] : []))),
  );
}

/** Who stood in the line was moved from there exactly once, in the order of the line, to an agent, who has it still. */
async function expectMovedOnce(line: readonly string[], mode: string): Promise<void> {
  const moves = (await events()).filter((event) => event.mode !== undefined);
  expect(moves.filter((move) => move.mode !== mode)).toEqual([]);
  expect(moves.map(({ conversation }) => conversation)).toEqual(line);
  const given = new Map(moves.map(({ conversation, agent }) => [conversation, agent]));
  expect([...given.values()].filter((agent) => !crew.includes(agent ?? ''))).toEqual([]);
  const held = await house.redis.zrange((await scope()).keys.held, '0', '-1');
  const holders = new Map(held.map((member) => [member.slice(member.indexOf(':') + 1), member.split(':')[0]]));
  expect(line.map((id) => holders.get(id))).toEqual(line.map((id) => given.get(id)));
  expect(await problemsIn(house.redis, shop)).toEqual([]);
}

/** Kills that prove nothing would leave the test green. */
function expectRealFire(fire: Fire): void {
  expect(Math.min(...fire.kills)).toBeGreaterThan(0);
  expect(fire.all).toBeGreaterThan(0);
  expect(fire.kills.reduce((sum, kills) => sum + kills)).toBeGreaterThan(WORKERS + 2);
}

const boardAgents = async () =>
  (await live(house, shop, 'program', Date.now())).agents.filter(({ id }) => id !== 'proxy');

/** A shop whose night ended three hours ago, and what came in during it. */
async function openAfterNight(): Promise<void> {
  const now = Date.now();
  const clock = (at: number) => new Date(at).toISOString().slice(11, 16);
  shop = newShopId('morning');
  await openCrowd(house, shop, sales, now - 5 * HOUR, {
    settings: {
      timezone: 'UTC',
      handoverLimit: LIMIT,
      nightShift: { enabled: true, proxy: 'proxy', from: clock(now - 6 * HOUR), until: clock(now - 3 * HOUR) },
    },
  });
  await putAgent(house, shop, 'proxy', { name: 'Proxy', role: 'agent', kind: 'human' }, now - 5 * HOUR);
  await comeIn(BUYERS, 'buyer-', now - 4 * HOUR, true);
}

test('a thousand overnight conversations', { timeout: PATIENCE_MS }, async () => {
  await openAfterNight();
  const line = await waitingIn(await scope(), 'overnight');
  expect(line).toHaveLength(BUYERS);
  const fire = await underFire('overnight', 1, async () => undefined);
  expectRealFire(fire);
  await expectMovedOnce(line, 'morning');
  expect((await boardAgents()).map(({ pending }) => pending)).toEqual(crew.map(() => LIMIT));
});

test('a thousand left messages, while the agents come online', { timeout: PATIENCE_MS }, async () => {
  const now = Date.now();
  shop = newShopId('pool');
  await openCrowd(house, shop, sales, now, { settings: { handoverLimit: LIMIT } });
  await choose(crew, 'offline', now);
  await comeIn(BUYERS, 'buyer-', now, true);
  const line = await waitingIn(await scope(), 'pool');
  expect(line).toHaveLength(BUYERS);
  // Ten at a time, the next when these have all but a few of what they may have.
  let here = 0;
  const fire = await underFire('pool', 2, async (moved) => {
    while (here < AGENTS && moved >= here * LIMIT - 30) {
      await choose(crew.slice(here, here + 10), 'online', Date.now());
      here += 10;
    }
  });
  expectRealFire(fire);
  await expectMovedOnce(line, 'pool');
  expect((await boardAgents()).map(({ pending }) => pending)).toEqual(crew.map(() => LIMIT));
});

test('a thousand who wait in the queue, while places come free', { timeout: PATIENCE_MS }, async () => {
  const now = Date.now();
  shop = newShopId('queue');
  await openCrowd(house, shop, sales, now, { capacity: LIMIT });
  await comeIn(BUYERS, 'first-', now, false);
  const talks = (await house.redis.zrange((await scope()).keys.held, '0', '-1')).map(
    (member) => member.split(':')[1] ?? '',
  );
  await comeIn(BUYERS, 'second-', now, false);
  const line = await waitingIn(await scope(), 'queue');
  expect(line).toHaveLength(BUYERS);
  // Thirty end at a time, and more when nearly as many have been let in.
  const fire = await underFire('queue', 3, async (moved) => {
    const at = await scope();
    while (talks.length > 0 && moved >= BUYERS - talks.length - 10) {
      const ending = talks.splice(0, 30);
      await Promise.all(
        ending.map(async (id) => {
          const buyer = (await house.redis.hget(`${at.keys.base}conversation:${id}`, 'buyer')) ?? '';
          const closed = await close(at, { conversation: id, buyer }, { kind: 'supervisor', id: 'boss' }, Date.now());
          expect(closed.kind).toBe('moved');
        }),
      );
    }
  });
  expectRealFire(fire);
  await expectMovedOnce(line, 'queue');
  expect((await boardAgents()).map(({ active }) => active)).toEqual(crew.map(() => LIMIT));
});

test('a worker that is told to stop finishes the turn it has begun, and ends well', {
  timeout: PATIENCE_MS,
}, async () => {
  await openAfterNight();
  const line = await waitingIn(await scope(), 'overnight');
  await registerShop(house.redis, shop);
  const worker = startOne();
  await until(async () => (await leftIn('overnight')) < BUYERS);
  const code = worker.stop();
  expect(await leftIn('overnight')).toBeGreaterThan(0);
  expect(await code).toBe(0);
  expect((await leftIn('overnight')) % A_TURN).toBe(0);
  startOne();
  await until(async () => (await leftIn('overnight')) === 0);
  await expectMovedOnce(line, 'morning');
});
