/**
 * Redis is killed with SIGKILL again and again while buyers and agents talk over two nodes, and started again with what is
 * in its append-only file: nothing that was acknowledged is lost, and the workers' schedules go on.
 */
import { afterEach, expect, test } from 'vitest';
import { openQueue } from '../../server/services/job-queues.ts';
import { connect } from '../../server/store/connect.ts';
import type { Connection } from '../../server/store/script.ts';
import { jobs } from '../../workers/jobs.ts';
import { seeded } from '../support/draw.ts';
import { type LastingRedis, startLastingRedis } from '../support/lasting-redis.ts';
import { until } from '../support/until.ts';
import { comesToRest } from '../town/at-rest.ts';
import { install } from '../town/installation.ts';
import { pause } from '../town/ledger.ts';
import { foundTown, type Town } from '../town/town.ts';

const SEED = 6;
const KILLS = 4;
/** Between two kills: at least, and as much more by luck. */
const GAP_MS = [1_500, 1_500] as const;
/** Within this everybody speaks, and Redis is killed. */
const RUSH_MS = 30;
/** For how long Redis is away at most. */
const AWAY_MS = 1_500;
/** How long clients and workers may take to find everything again. */
const PATIENCE_MS = 60_000;

const undone: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of undone.splice(0).reverse()) await undo();
});

/** Answers how many commands had been sent and not been answered when Redis was killed, over all kills. */
async function underFire(town: Town, redis: LastingRedis, draw: () => number): Promise<number> {
  let underWay = 0;
  for (let kills = 0; kills < KILLS; kills++) {
    await pause(GAP_MS[0] + draw() * GAP_MS[1]);
    town.rush();
    await pause(draw() * RUSH_MS);
    await redis.kill(() => {
      underWay += town.ledger.underWay.size;
    });
    await pause(draw() * AWAY_MS);
    await redis.start();
  }
  return underWay;
}

/** Resolves when every job has had a turn that began later than now. */
async function schedulesGoOn(connection: Connection): Promise<void> {
  const queue = openQueue('time', connection, () => undefined);
  const names = Object.keys(jobs);
  const now = Date.now();
  await until(async () => {
    const schedulers = await queue.getJobSchedulers();
    // A next turn is made when one begins.
    const gone = schedulers.filter(({ next = 0, every = 0 }) => Number(next) - Number(every) > now);
    return names.every((name) => gone.some(({ key }) => key === name));
  });
  await queue.close();
}

test.each(['everysec', 'always'] as const)(
  'with appendfsync %s: nothing acknowledged is lost',
  {
    timeout: 240_000,
  },
  async (fsync) => {
    const redis = await startLastingRedis(fsync);
    undone.push(redis.remove);
    const connection = connect({ url: redis.url }, () => undefined);
    undone.push(() => connection.disconnect());
    const installation = await install(redis.url, 2, 1);
    undone.push(installation.stop);
    const town = await foundTown({ url: installation.url, seed: SEED, buyers: 15, agents: 5 });
    undone.push(town.leave);

    town.live();
    const underWay = await underFire(town, redis, seeded(SEED));
    await town.settle();
    const problems = await comesToRest(town, connection, PATIENCE_MS);
    const { said, opened, told, reconnects, retries, refused } = town.ledger;
    console.log(
      `redis killed ${KILLS} times, appendfsync ${fsync}, ${underWay} commands under way: ${said.length} messages and ${opened.length} clicks acknowledged, ` +
        `${told} messages told; ${reconnects} reconnects, ${retries} commands sent again, ${refused.length} refused`,
    );
    expect(problems.slice(0, 20)).toEqual([]);
    // Kills that prove nothing would leave the test green.
    expect(underWay).toBeGreaterThan(0);
    await schedulesGoOn(connection);
  },
);
