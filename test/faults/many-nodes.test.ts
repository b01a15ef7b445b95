/**
 * Three server nodes and two workers are killed with SIGKILL every few seconds for a minute, while buyers and agents talk
 * over them. Whatever was acknowledged is there once, both ends were told it once and in order, and all agrees.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../server/store/connect.ts';
import type { Connection } from '../../server/store/script.ts';
import { seeded } from '../support/draw.ts';
import { type LastingRedis, startLastingRedis } from '../support/lasting-redis.ts';
import { comesToRest } from '../town/at-rest.ts';
import { type Installation, install, type Part } from '../town/installation.ts';
import { pause } from '../town/ledger.ts';
import { foundTown, type Town } from '../town/town.ts';

const SEED = 4;
const MINUTE = 60_000;
/** Between two blows: at least, and as much more by luck. */
const GAP_MS = [1_500, 2_500] as const;
/** Within this everybody speaks, and something is killed. */
const RUSH_MS = 30;
/** How long clients and workers may take to find everything again. */
const PATIENCE_MS = 60_000;

let redis: LastingRedis;
let connection: Connection;
let installation: Installation;
let town: Town;

beforeAll(async () => {
  redis = await startLastingRedis('everysec');
  connection = connect({ url: redis.url }, () => undefined);
  installation = await install(redis.url, 3, 2);
  town = await foundTown({ url: installation.url, seed: SEED, buyers: 20, agents: 6 });
});
afterAll(async () => {
  town?.leave();
  await installation?.stop();
  connection?.disconnect();
  await redis?.remove();
});

/**
 * Kills a part, now and then two, and starts what was killed; until the time is over. Answers how often each was, and how
 * many commands had been sent and not been answered then.
 */
async function underFire(draw: () => number): Promise<{ kills: Map<string, number>; underWay: number }> {
  let underWay = 0;
  const kills = new Map(installation.parts.map(({ name }): [string, number] => [name, 0]));
  const end = Date.now() + MINUTE;
  const down = new Set<Part>();
  const returning: Promise<void>[] = [];
  const blow = (part: Part) => {
    kills.set(part.name, (kills.get(part.name) ?? 0) + 1);
    down.add(part);
    returning.push(
      part
        .kill()
        .then(() => part.start())
        .then(() => void down.delete(part)),
    );
  };
  /** One of those that have been killed the least, if any is there. */
  const victim = () => {
    const up = installation.parts.filter((part) => !down.has(part));
    const least = Math.min(...up.map(({ name }) => kills.get(name) ?? 0));
    const due = up.filter(({ name }) => kills.get(name) === least);
    return due[Math.floor(draw() * due.length)];
  };
  while (Date.now() < end || Math.min(...kills.values()) === 0) {
    await pause(GAP_MS[0] + draw() * GAP_MS[1]);
    if (!victim()) continue;
    town.rush();
    await pause(draw() * RUSH_MS);
    underWay += town.ledger.underWay.size;
    for (const _ of draw() < 0.25 ? [1, 2] : [1]) {
      const part = victim();
      if (part) blow(part);
    }
  }
  await Promise.all(returning);
  return { kills, underWay };
}

test('nodes and workers are killed for a minute: nothing acknowledged is lost, nothing is told twice', {
  timeout: 5 * MINUTE,
}, async () => {
  town.live();
  const { kills, underWay } = await underFire(seeded(SEED));
  await town.settle();
  const problems = await comesToRest(town, connection, PATIENCE_MS);
  const { said, opened, told, replayed, reconnects, retries, refused } = town.ledger;
  const counts = [...kills].map(([name, count]) => `${name} ${count}`).join(', ');
  console.log(
    `many nodes: ${said.length} messages and ${opened.length} clicks acknowledged, ${told} messages told; ` +
      `${[...kills.values()].reduce((sum, count) => sum + count)} kills (${counts}) with ${underWay} commands under way; ${reconnects} reconnects, ` +
      `${replayed} messages replayed after one; ${retries} commands sent again, ${refused.length} refused`,
  );
  expect(problems.slice(0, 20)).toEqual([]);
  // Kills that prove nothing would leave the test green.
  expect(Math.min(reconnects, replayed, underWay)).toBeGreaterThan(0);
});
