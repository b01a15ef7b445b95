/** Repeated jobs: slow ones, several processes, and processes that end, in order or killed in the middle. */
import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueueHandles, openQueue } from '../../server/services/job-queues.ts';
import { registerShop } from '../../server/store/configure.ts';
import { connect } from '../../server/store/connect.ts';
import type { Connection } from '../../server/store/script.ts';
import { ofEachShop } from '../../workers/jobs.ts';
import { SHARDS, shardOf } from '../../workers/shards.ts';
import { takeOver } from '../../workers/take-over.ts';
import { createTestHouse, testLog } from '../support/house.ts';
import { startWorkers } from '../support/jobs.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { type Process, run } from '../support/processes.ts';
import { until } from '../support/until.ts';

let own: OwnRedis;
let redis: Connection;
let queue: Queue;
/** The list of what the worker processes of a test did. */
let key: string;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  own = await startOwnRedis();
  redis = connect({ url: own.url }, () => undefined);
  queue = openQueue('time', redis, (error) => testLog.warn({ err: error }, 'the queue'));
});
beforeEach(() => {
  key = `test:${randomUUID()}`;
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  await redis.flushdb();
});
afterAll(async () => {
  await queue?.close();
  redis?.disconnect();
  await own?.stop();
});

async function work(jobs: Parameters<typeof startWorkers>[1]) {
  const workers = await startWorkers(own.url, jobs);
  undo.push(() => workers.close());
  return workers;
}

async function startProcess(file = 'slow-worker.ts'): Promise<Process<{ pid: number }>> {
  const started = await run<{ pid: number }>(file, own.url, key);
  undo.push(() => started.child.exitCode === null && started.child.signalCode === null && started.end('SIGKILL'));
  return started;
}

const done = () => redis.lrange(key, 0, -1);
const go = () => redis.set(`${key}:go`, 'yes');
/** Turns that have been made, whether or not anybody did something at them. */
const turns = async (name: string) => (await queue.getJobScheduler(name))?.iterationCount ?? 0;

/** A job that waits until it is let go. */
function slowJob() {
  const state = { atOnce: 0, most: 0, runs: 0, go: false };
  const job = {
    everyMs: 100,
    async run() {
      state.most = Math.max(state.most, ++state.atOnce);
      state.runs++;
      await until(() => state.go);
      state.atOnce--;
    },
  };
  return { state, job };
}

describe('a repeated job', () => {
  it('slower than its interval runs once at a time, piles nothing up, and does not hold up the others', async () => {
    const { state, job } = slowJob();
    let others = 0;
    const quick = { everyMs: 100, run: async () => void others++ };
    await work({ slow: job, quick });
    await until(() => state.runs === 1);
    const before = await turns('slow');
    await until(async () => (await turns('slow')) >= before + 10 && others >= 10);
    expect([state.runs, state.most]).toEqual([1, 1]);
    const { wait = 0, delayed = 0 } = await queue.getJobCounts('wait', 'delayed');
    // At most the next turn of each.
    expect(wait + delayed).toBeLessThanOrEqual(2);
    state.go = true;
    await until(() => state.runs > 3);
    expect(state.most).toBe(1);
  });

  it('that fails is kept with its reason, and comes again', async () => {
    let runs = 0;
    await work({
      fragile: {
        everyMs: 100,
        async run() {
          runs++;
          if (runs === 1) throw new Error('the first cup is broken');
        },
      },
    });
    await until(() => runs > 3);
    const failed = await queue.getFailed();
    expect(failed.map(({ name, failedReason }) => [name, failedReason])).toEqual([
      ['fragile', 'the first cup is broken'],
    ]);
    expect(await queue.getJobCountByTypes('completed')).toBe(0);
  });

  it('that somebody removed on the board comes back; one that is in the table no more goes', async () => {
    let runs = 0;
    const workers = await startWorkers(own.url, { old: { everyMs: 100, run: async () => {} } });
    await workers.close();
    await work({ kept: { everyMs: 100, run: async () => void runs++ } });
    expect((await queue.getJobSchedulers()).map((scheduler) => scheduler.key)).toEqual(['kept']);
    await until(() => runs > 0);
    await queue.obliterate({ force: true });
    for (const { key } of await queue.getJobSchedulers()) await queue.removeJobScheduler(key);
    const before = runs;
    await until(() => runs > before + 2);
  });
});

describe('a job of every shop', () => {
  const shops = Array.from({ length: 40 }, (_, n) => `shop-${n}`);
  const register = () => Promise.all(shops.map((shop) => registerShop(redis, shop)));

  it('visits each shop in the turns of one shard, and every shop in those of all', async () => {
    await register();
    const house = createTestHouse(own.url);
    undo.push(() => house.close());
    const visits: string[] = [];
    const visit = async (_house: unknown, shop: string) => {
      visits.push(shop);
      return { more: false };
    };
    const turns = Object.entries(ofEachShop('visit', visit));
    expect(turns.map(([name]) => name)).toEqual(Array.from({ length: SHARDS }, (_, shard) => `visit.${shard}`));
    for (const [name, job] of turns) {
      const before = visits.length;
      await job.run(house.house, 0);
      const those = shops.filter((shop) => name === `visit.${shardOf(shop)}`);
      expect(visits.slice(before).sort()).toEqual(those.sort());
    }
    expect(visits.sort()).toEqual([...shops].sort());
  });

  it('is delayed by a shop that takes its time in its own shard only', async () => {
    await register();
    const [slow = ''] = shops;
    const visits = new Map<string, number>();
    let go = false;
    const visit = async (_house: unknown, shop: string) => {
      visits.set(shop, (visits.get(shop) ?? 0) + 1);
      if (shop === slow) await until(() => go);
      return { more: false };
    };
    await work(ofEachShop('visit', visit, 100));
    const beside = shops.filter((shop) => shardOf(shop) === shardOf(slow));
    const others = shops.filter((shop) => !beside.includes(shop));
    const fewest = (of: readonly string[]) => Math.min(...of.map((shop) => visits.get(shop) ?? 0));
    await until(() => fewest(others) >= 5 && fewest(beside) >= 1);
    expect(beside.map((shop) => visits.get(shop))).toEqual(beside.map(() => 1));
    go = true;
    await until(() => fewest(beside) >= 5);
  });

  it('is shared by processes: each visits some shops, and both together all', async () => {
    await register();
    const both = await Promise.all([startProcess('shop-worker.ts'), startProcess('shop-worker.ts')]);
    await until(async () => new Set((await done()).map((line) => line.split(' ')[0])).size === 2);
    await redis.del(key);
    const seen = async (at: 0 | 1) => new Set((await done()).map((line) => line.split(' ')[at]));
    await until(async () => (await seen(0)).size === both.length && (await seen(1)).size === shops.length);
    expect([...(await seen(0))].sort()).toEqual(both.map(({ said }) => String(said.pid)).sort());
    expect([...(await seen(1))].sort()).toEqual([...shops].sort());
  });
});

describe('worker processes', () => {
  it('do no work twice: while one has a turn, the next pass, until it has had it for too long', async () => {
    const [one, two] = await Promise.all([startProcess(), startProcess()]);
    const both = [`began ${one.said.pid}`, `began ${two.said.pid}`].sort();
    await until(async () => (await done()).length >= 2);
    expect((await done()).sort()).toEqual(both);
    const due = (await queue.getActive()).map(({ id = '' }) => Number(id.split(':').at(-1))).sort((a, b) => a - b);
    expect((due[1] ?? 0) - (due[0] ?? 0)).toBeGreaterThanOrEqual(takeOver.lockDuration);
    await go();
    await until(async () => (await done()).filter((line) => line.startsWith('ended')).length >= 2);
  });

  it('asked to end, finishes the job under way and takes no other', async () => {
    const worker = await startProcess();
    const { pid } = worker.said;
    await until(async () => (await done()).length === 1);
    const ended = worker.end('SIGTERM');
    // It waits for the job: nobody takes the turn that is long due.
    await until(async () => ((await queue.getJobScheduler('slow'))?.next ?? 0) < Date.now() - 1_000);
    expect([worker.child.exitCode, await done()]).toEqual([null, [`began ${pid}`]]);
    await go();
    expect(await ended).toBe(0);
    expect(await done()).toEqual([`began ${pid}`, `ended ${pid}`]);
    expect(await queue.getActiveCount()).toBe(0);
    // The turn that waits is for whoever comes next.
    const next = await startProcess();
    await until(async () => (await done()).includes(`ended ${next.said.pid}`));
  });

  it('killed in the middle of a job: the schedule goes on, and what it had taken is taken again', async () => {
    const worker = await startProcess();
    await until(async () => (await done()).length === 1);
    const [taken] = await queue.getActive();
    await worker.end('SIGKILL');
    const { state, job } = slowJob();
    state.go = true;
    await work({ slow: job });
    await until(() => state.runs >= 3);
    expect(await done()).toEqual([`began ${worker.said.pid}`]);
    await until(async () => (await queue.getJob(taken?.id ?? '')) === undefined);
    expect(await queue.getFailedCount()).toBe(0);
    expect(taken?.id).toMatch(/^repeat:slow:/);
  });

  it('killed before the next turn was made: whoever is left takes the turn again, and the schedule goes on', async () => {
    const { state, job } = slowJob();
    state.go = true;
    await work({ slow: job });
    await until(() => state.runs > 0);
    // What Redis holds then, made by hand, because no signal can be timed so well: a turn that is taken, no lock, no next.
    await queue.pause();
    await until(async () => (await queue.getActiveCount()) === 0);
    const [taken] = await queue.getJobs(['delayed', 'wait']);
    const id = taken?.id ?? '';
    const at = (list: string) => queue.toKey(list);
    await redis.multi().zrem(at('delayed'), id).lrem(at('wait'), 0, id).lpush(at('active'), id).exec();
    await queue.resume();
    const before = await turns('slow');
    expect(await queue.getActiveCount()).toBe(1);
    await until(async () => (await turns('slow')) > before + 3);
    expect(await queue.getJob(id)).toBeUndefined();
  });
});

it('a queue says how late its work is, and not of what is not due yet', async () => {
  const handles = createQueueHandles(
    () => connect({ url: own.url }, () => undefined),
    (connection) => connection.disconnect(),
    testLog,
  );
  undo.push(() => handles.close());
  const late = async (at: number) => (await handles.count(at)).map((counts) => counts.lateSeconds);
  expect(await late(Date.now())).toEqual([0, 0]);
  const job = await queue.add('later', {}, { delay: 60_000 });
  const due = job.timestamp + 60_000;
  expect(await late(due - 1)).toEqual([0, 0]);
  expect(await late(due + 30_000)).toEqual([30, 0]);
  await queue.add('now', {});
  const [sinceNow = 0] = await late(due + 30_000);
  expect(sinceNow).toBeGreaterThan(30);
});
