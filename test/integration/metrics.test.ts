/** What a server node and a worker count while a shop is at work. */
import { io } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BuyerClient } from '../../client-sdk/index.ts';
import { createApplication } from '../../server/application.ts';
import { createMetrics } from '../../server/edge/http/metrics.ts';
import { type Readings, registerReadings } from '../../server/edge/http/metrics-readings.ts';
import { createLog } from '../../server/log.ts';
import { openQueue } from '../../server/store/job-queues.ts';
import { shopCountsKey } from '../../server/store/keys.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { createTestHouse, testLog } from '../support/house.ts';
import { startWorkers } from '../support/jobs.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { type Scraped, scrape } from '../support/scrape.ts';
import { until } from '../support/until.ts';
import { startWorker } from '../support/worker-process.ts';

const failure = (of: Promise<unknown>) => of.then(() => undefined).catch((error: Error) => error);

let redis: OwnRedis;
let at: Dispatcher;
beforeAll(async () => {
  redis = await startOwnRedis();
  at = await createDispatcher(redis.url);
  await at.agent('ann', { name: 'Ann', role: 'agent', kind: 'human', capacity: 2 });
  await at.group('sales', {
    name: 'Sales',
    binds: { crowds: [], products: [], intents: [], orderStates: [] },
    members: [{ agent: 'ann', level: 1 }],
    mode: 'efficiency-first',
    robot: null,
  });
});
afterAll(async () => {
  await at?.close();
  await redis?.stop();
});

let before: Scraped;
beforeEach(async () => {
  before = await scrape(at.url);
});
/** By how much each of these has risen since the test began. */
async function rises(...of: readonly (readonly [string, Record<string, string>?])[]): Promise<(number | undefined)[]> {
  const now = await scrape(at.url);
  return of.map(([name, labels]) => (now.value(name, labels) ?? 0) - (before.value(name, labels) ?? 0));
}

describe('a server node', () => {
  it('counts clicks, messages, what was missed, and commands by their answers', async () => {
    const ann = await at.connectAgent('ann');
    await ann.setPresence('online');
    const lily = await at.connectBuyer('lily');
    const { conversation } = await lily.open({});
    await lily.send(conversation.id, 'Is it fresh?');
    await lily.send(conversation.id, 'Hello?');
    await lily.list(conversation.id, { afterSeq: 1 });
    await expect(lily.open({ product: 'no such spelling' })).rejects.toMatchObject({ code: 'invalid' });
    expect(
      await rises(
        ['fenliu_assignments_total', { step: 'group', outcome: 'agent', cause: 'open' }],
        ['fenliu_assign_duration_seconds_count'],
        ['fenliu_messages_total', { from: 'buyer' }],
        ['fenliu_commands_total', { command: 'chat:open', code: 'ok' }],
        ['fenliu_commands_total', { command: 'chat:open', code: 'invalid' }],
        ['fenliu_command_duration_seconds_count', { command: 'chat:open' }],
        ['fenliu_script_duration_seconds_count', { script: 'message' }],
        ['fenliu_connections_total'],
        ['fenliu_sockets', { namespace: 'buyer' }],
        ['fenliu_sockets', { namespace: 'agent' }],
      ),
    ).toEqual([1, 1, 2, 1, 1, 2, 2, 2, 1, 1]);
    // One was asked for; the agent's and the buyer's own clients ask too, when they see fit.
    const [replayed] = await rises(['fenliu_replayed_messages_total']);
    expect(replayed).toBeGreaterThanOrEqual(1);
    ann.disconnect();
    lily.disconnect();
    await until(async () => (await scrape(at.url)).value('fenliu_sockets') === 0);
  });

  it('counts a click sent again as one assignment', async () => {
    const socket = io(`${at.url}/buyer`, { auth: { token: await at.buyerToken('tom') }, forceNew: true });
    const click = () => socket.emitWithAck('chat:open', { requestId: 'once' });
    const [first, again] = [await click(), await click()];
    expect(again.data.assignment.id).toBe(first.data.assignment.id);
    expect(await rises(['fenliu_assignments_total'], ['fenliu_commands_total', { code: 'ok' }])).toEqual([1, 2]);
    // Whatever name a client makes up, the series are those of the contract.
    await socket.emitWithAck('a name made up', {});
    expect(await rises(['fenliu_commands_total', { command: 'unknown', code: 'invalid' }])).toEqual([1]);
    expect((await scrape(at.url)).text).not.toContain('made up');
    socket.disconnect();
  });

  it('counts who comes back, and who is not let in', async () => {
    const mei = await at.connectBuyer('mei');
    expect(await rises(['fenliu_reconnects_total'])).toEqual([0]);
    at.application.io.of('/buyer').disconnectSockets(true);
    await until(async () => (await rises(['fenliu_reconnects_total', { namespace: 'buyer' }]))[0] === 1);
    const stranger = new BuyerClient({ url: at.url, token: 'a bad one' });
    await expect(stranger.connect()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(
      await rises(
        ['fenliu_handshakes_refused_total', { namespace: 'buyer', code: 'unauthorized' }],
        ['fenliu_connections_total', { namespace: 'buyer' }],
      ),
    ).toEqual([1, 2]);
    mei.disconnect();
  });

  it('tells how all shops stand, and another node says the same', async () => {
    const ann = await at.connectAgent('ann');
    await ann.setPresence('online');
    for (const buyer of ['a', 'b', 'c', 'd']) {
      const client = await at.connectBuyer(buyer);
      const { conversation } = await client.open({});
      await client.send(conversation.id, 'Hello?');
    }
    at.advance(90_000);
    const { house } = at.application;
    // Counted anew: what was counted before this test is kept for a while.
    await house.redis.del(shopCountsKey);
    const now = await scrape(at.url);
    const live = await at.get('live');
    const waits = live.agents[0].pending;
    expect(live.queue.length).toBeGreaterThan(0);
    expect(now.value('fenliu_shops')).toBe(1);
    expect(now.value('fenliu_queue_conversations')).toBe(live.queue.length);
    expect(now.value('fenliu_pending_conversations')).toBe(waits);
    expect(now.value('fenliu_held_conversations')).toBe(live.agents[0].active);
    expect(now.value('fenliu_online_agents')).toBe(1);
    expect(now.value('fenliu_on_duty_agents')).toBe(0);
    expect(now.value('fenliu_queue_wait_seconds')).toBeGreaterThanOrEqual(90);
    expect(now.value('fenliu_pool_conversations')).toBe(live.pool.length);
    expect(now.value('fenliu_pool_wait_seconds')).toBe(0);

    const other = await createApplication({
      redis: { url: redis.url },
      keys: { secret: 'another-secret-of-tests', adminKey: 'admin-key-of-the-tests' },
      log: createLog('silent', 'test'),
    });
    try {
      const url = `http://127.0.0.1:${await other.listen(0)}`;
      const there = await scrape(url);
      for (const name of ['fenliu_queue_conversations', 'fenliu_queue_wait_seconds', 'fenliu_online_agents']) {
        expect([name, there.value(name)]).toEqual([name, now.value(name)]);
      }
      // A count of another version is of no use.
      await house.redis.set(shopCountsKey, '{"all":{"shops":7},"tookMs":1}', 'PX', 60_000);
      expect((await scrape(url)).value('fenliu_shops')).toBe(1);
    } finally {
      await other.close();
    }
  });

  it('sees its connection to Redis go and come', async () => {
    const { registry, meter } = createMetrics();
    const own = createTestHouse(redis.url, { meter });
    const value = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value;
    try {
      await until(async () => (await value('fenliu_redis_connected')) === 1);
      own.house.redis.disconnect();
      await until(async () => (await value('fenliu_redis_connected')) === 0);
      await own.house.redis.connect();
      expect(await value('fenliu_redis_connected')).toBe(1);
      expect(await value('fenliu_redis_reconnects_total')).toBe(1);
    } finally {
      await own.close();
    }
  });

  it('goes without what Redis would have to tell, while it cannot be asked', async () => {
    const { registry } = createMetrics();
    const away = () => Promise.reject(new Error('Redis is away'));
    const counts = { failed: 1, waiting: 2, lateSeconds: 3 };
    let asked = 0;
    let jobs: Readings['jobs'] = async () => {
      asked++;
      return [{ queue: 'time', ...counts }];
    };
    registerReadings(registry, { jobs: () => jobs(), shops: away }, { away: () => false, log: testLog });
    const present = await registry.metrics();
    expect(present).toContain('fenliu_jobs_waiting{queue="time"} 2');
    expect(asked).toBe(1); // by three gauges
    expect(present).not.toMatch(/^fenliu_(shops|pool_conversations) /m);
    expect(present).toMatch(/^process_resident_memory_bytes /m);
    jobs = away;
    expect(await registry.metrics()).not.toMatch(/^fenliu_jobs_\w+\{queue/m);
  });
});

describe('a worker', () => {
  it('answers for its health and counts its turns at METRICS_PORT', async () => {
    const worker = startWorker(redis.url);
    try {
      await until(() => worker.isWorking());
      const url = worker.url();
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      expect((await fetch(`${url}/api/v1/openapi.json`)).status).toBe(404);
      await until(async () => {
        const now = await scrape(url);
        const done = (name: string) => now.value('fenliu_job_turns_total', { name, result: 'done' }) ?? 0;
        return done('ghosts') > 0 && done('lines.0') > 0;
      });
      const now = await scrape(url);
      expect(now.value('fenliu_job_duration_seconds_count', { name: 'ghosts' })).toBeGreaterThan(0);
      expect(now.value('fenliu_redis_connected')).toBe(1);
      expect(now.value('fenliu_shops')).toBeUndefined();
    } finally {
      expect(await worker.stop()).toBe(0);
    }
  });

  it('counts turns by what became of them, and times those that were taken', async () => {
    const { registry, meter } = createMetrics();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const workers = await startWorkers(
      redis.url,
      {
        slow: { everyMs: 20, run: () => held },
        broken: {
          everyMs: 20,
          async run() {
            throw new Error('broken');
          },
        },
      },
      { meter },
    );
    const turns = async (name: string, result: string) =>
      new RegExp(`^fenliu_job_turns_total\\{name="${name}",result="${result}"\\} (\\d+)`, 'm').exec(
        await registry.metrics(),
      )?.[1];
    try {
      await until(async () => Boolean((await turns('slow', 'passed')) && (await turns('broken', 'failed'))));
      expect(await turns('slow', 'done')).toBeUndefined();
      expect(await registry.metrics()).not.toContain('fenliu_job_duration_seconds_count{name="slow"}');
      release();
      await until(async () => Boolean(await turns('slow', 'done')));
    } finally {
      release();
      await workers.close();
    }
  });

  it('is not ready where turns are due and it takes none, unless the operator has paused them', async () => {
    const [own, elsewhere] = [await startOwnRedis(), await startOwnRedis()];
    const jobs = { tick: { everyMs: 20, run: async () => {} } };
    const workers = await startWorkers(own.url, jobs, { looksAt: elsewhere.url, silentMs: 50 });
    const { house, close } = createTestHouse(own.url);
    const queue = openQueue('time', house.redis, () => undefined);
    const refused = async () => (await failure(workers.mustTakeTurns()))?.message;
    try {
      await until(async () => (await refused()) !== undefined);
      expect(await refused()).toMatch(/no turn was taken/);
      await queue.pause();
      expect(await refused()).toBeUndefined();
      await queue.resume();
      expect(await refused()).toMatch(/no turn was taken/);
      const others = await startWorkers(own.url, jobs);
      await until(async () => (await refused()) === undefined);
      await others.close();
    } finally {
      await queue.close();
      await workers.close();
      await close();
      await own.stop();
      await elsewhere.stop();
    }
  });
});
