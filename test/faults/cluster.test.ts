/**
 * A Redis Cluster of three nodes: the journey, the races and the limits pass on it, slots move and nodes are killed while people talk,
 * and nothing acknowledged is lost.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { open } from '../../server/services/dispatch.ts';
import { passesByItself } from '../../server/services/trouble.ts';
import { createChannels } from '../../server/store/channels.ts';
import { connect } from '../../server/store/connect.ts';
import { jobsPrefix, keysOfShop } from '../../server/store/keys.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { problemsIn } from '../support/consistent.ts';
import { createDispatcher } from '../support/dispatcher.ts';
import { createTestHouse } from '../support/house.ts';
import { startMain } from '../support/main-process.ts';
import { startOwnRedis } from '../support/own-redis.ts';
import { newShopId, openShop } from '../support/shop.ts';
import { startTalkingShop, TALKING_BUYERS } from '../support/talking-shop.ts';
import { breath, until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const PATIENCE_MS = 300_000;

let cluster: TestCluster;
const undo: (() => unknown)[] = [];
beforeAll(async () => {
  cluster = await startCluster();
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(() => cluster?.stop());

const quiet = () => undefined;
const urlOf = (node: string) => cluster.target.cluster.find((url) => url.endsWith(`@${node}`)) ?? '';

/** The node after the one that has the slot of a key. */
async function nextFor(key: string): Promise<string> {
  const { nodes } = cluster;
  return nodes[(nodes.indexOf(await cluster.ownerOf(key)) + 1) % nodes.length] ?? '';
}

test('the journey, the races and the rate limits pass', { timeout: PATIENCE_MS }, async () => {
  const files = ['test/journey.test.ts', 'test/integration/races.test.ts', 'test/integration/limits.test.ts'];
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], {
    cwd: ROOT,
    // biome-ignore lint/style/noProcessEnv: a child process has the environment of its parent
    env: { ...process.env, TEST_REDIS_CLUSTER: cluster.target.cluster.join(',') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  undo.push(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code, said).toBe(0);
  // The last line counts the tests: none may have been passed over.
  const [, passed, failed, skipped] = /(\d+) passed, (\d+) failed, (\d+) skipped/.exec(said) ?? [];
  console.log(`on a cluster: ${passed} tests of the journey, the races and the limits passed`);
  expect(Number(passed)).toBeGreaterThan(20);
  expect([failed, skipped]).toEqual(['0', '0']);
});

describe('two server nodes and a worker', () => {
  test('slots are moved back and forth while people talk', { timeout: PATIENCE_MS }, async () => {
    const { dispatcher, worker, talkers, isReminded } = await startTalkingShop(cluster.target, undo);
    await isReminded('first-waiter');
    const roomOf = (who: string, id: string) => `socket.io#/${who}#${who}:${dispatcher.shop}:${id}#`;
    const moving = {
      shop: keysOfShop(dispatcher.shop).live,
      jobs: jobsPrefix,
      'room of an agent': roomOf('agent', 'anna'),
      'room of a buyer': roomOf('buyer', 'buyer-0'),
    };
    const moves = new Map<string, number>();
    const keys = new Map<string, number>();
    const begun = talkers.acknowledged();
    for (let round = 0; round < 8; round++) {
      for (const [what, key] of Object.entries(moving)) {
        const before = talkers.acknowledged();
        // It stays half way for as long as somebody who talks elsewhere would need to notice.
        const moved = await cluster.moveSlot(key, await nextFor(key), breath);
        moves.set(what, (moves.get(what) ?? 0) + 1);
        keys.set(what, (keys.get(what) ?? 0) + moved);
        await until(() => talkers.acknowledged() >= before + TALKING_BUYERS);
      }
    }
    await isReminded('last-waiter');
    const problems = await talkers.stop();
    const counts = [...moves].map(([what, count]) => `${what} ${count} times (${keys.get(what)} keys)`).join(', ');
    console.log(
      `slots moved under load: ${counts}; ${talkers.acknowledged()} messages acknowledged, ${talkers.refused()} to be sent again`,
    );
    expect(talkers.acknowledged()).toBeGreaterThan(begun + 8 * 4 * TALKING_BUYERS);
    expect(keys.get('shop')).toBeGreaterThan(8 * TALKING_BUYERS);
    expect(problems).toEqual([]);
    await dispatcher.application.house.settled();
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(await problemsIn(dispatcher.application.house.redis, dispatcher.shop)).toEqual([]);
  });

  test('nodes of Redis are killed and come back while people talk', { timeout: PATIENCE_MS }, async () => {
    const { dispatcher, worker, talkers, isReminded } = await startTalkingShop(cluster.target, undo);
    const ready = async () => (await fetch(`${dispatcher.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    for (const node of cluster.nodes) {
      const before = talkers.acknowledged();
      await until(() => talkers.acknowledged() >= before + TALKING_BUYERS);
      await cluster.kill(node);
      await until(async () => (await ready()) === 503);
      await cluster.restart(node);
      await until(async () => (await ready()) === 200);
    }
    await isReminded('last-waiter');
    const problems = await talkers.stop();
    console.log(
      `${cluster.nodes.length} nodes killed under load: ${talkers.acknowledged()} messages acknowledged, ${talkers.refused()} to be sent again`,
    );
    expect(problems).toEqual([]);
    await dispatcher.application.house.settled();
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(await problemsIn(dispatcher.application.house.redis, dispatcher.shop)).toEqual([]);
  });
});

describe('a slot that is half moved', () => {
  test('is waited for, and a call that waits too long is answered `unavailable`', {
    timeout: PATIENCE_MS,
  }, async () => {
    const dispatcher = await createDispatcher(cluster.target);
    undo.push(dispatcher.close);
    await dispatcher.agent('anna', { name: 'Anna' });
    const { live } = keysOfShop(dispatcher.shop);
    const put = (buyer: string) => dispatcher.call('PUT', `buyers/${buyer}`, { crowds: [] });

    let patient: Promise<unknown> | undefined;
    await cluster.moveSlot(live, await nextFor(live), async () => {
      await expect(put('impatient')).rejects.toThrow(/503.*unavailable/);
      patient = put('patient');
    });
    expect(await patient).toMatchObject({ id: 'patient' });

    const { house } = dispatcher.application;
    await cluster.moveSlot(live, await nextFor(live), async () => {
      const given = await open(house, dispatcher.shop, 'buyer', {}, Date.now()).catch((error: unknown) => error);
      expect(String(given)).toContain('Too many Cluster redirections');
      expect(passesByItself(given)).toBe(true);
    });
    // The same again, now that it can be done.
    expect((await open(house, dispatcher.shop, 'buyer', {}, Date.now())).assignment.outcome).toBe('pool');
    expect(await problemsIn(house.redis, dispatcher.shop)).toEqual([]);
  });

  test('hides nothing from who reads several conversations', { timeout: PATIENCE_MS }, async () => {
    const { house, close } = createTestHouse(cluster.target);
    undo.push(close);
    const shop = newShopId('half');
    await openShop(house, shop, { agents: { anna: {} } }, Date.now());
    const ids = await Promise.all(
      Array.from(
        { length: 40 },
        async (_, n) => (await open(house, shop, `buyer-${n}`, {}, Date.now())).conversation.id,
      ),
    );
    const { readConversations } = await import('../../server/store/read.ts');
    const { scope } = await house.configs.get(shop);
    const read = async () => (await readConversations(scope, ids)).map((record) => record?.conversation.id);
    await cluster.moveSlot(scope.keys.live, await nextFor(scope.keys.live), async () =>
      expect(await read()).toEqual(ids),
    );
    expect(await read()).toEqual(ids);
  });
});

describe('channels', () => {
  test('a slot that goes and comes back while the process is busy is listened to again', async () => {
    const publisher = connect(cluster.target, quiet);
    const channels = createChannels(cluster.target, publisher, quiet);
    undo.push(() => publisher.disconnect(), channels.close);
    const heard: string[] = [];
    channels.sSubscribe('channel', (message) => heard.push(String(message)));
    const isHeard = (what: string) =>
      until(async () => {
        await publisher.spublish('channel', what);
        return heard.includes(what);
      });
    await isHeard('before');
    const [here, there] = [await cluster.ownerOf('channel'), await nextFor('channel')];
    const slot = String(await cluster.on(here).cluster('KEYSLOT', 'channel'));
    const move = ['--import', 'tsx', join(ROOT, 'test/support/there-and-back.ts'), urlOf(here), urlOf(there), slot];
    // Nothing of this process runs meanwhile: the map it reads afterwards is the one it had.
    expect(spawnSync(process.execPath, move, { stdio: 'inherit' }).status).toBe(0);
    await isHeard('after');
  });
});

describe('starting', () => {
  test('a server node and a worker start, serve, and drain', { timeout: PATIENCE_MS }, async () => {
    const [server, worker] = [startMain('server', cluster.target), startMain('workers', cluster.target)];
    undo.push(
      () => server.end('SIGKILL'),
      () => worker.end('SIGKILL'),
    );
    await Promise.all([server.ready, worker.ready]);
    expect((await fetch(`${server.url()}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${server.url()}/metrics`)).text();
    expect(metrics).toMatch(/fenliu_jobs_late_seconds\{queue="time"\}/);
    expect(await Promise.all([server.end('SIGTERM'), worker.end('SIGTERM')])).toEqual([0, 0]);
  });

  test('what is no cluster, a node taken for a Redis, and a wrong password are told apart', {
    timeout: PATIENCE_MS,
  }, async () => {
    const { reachRedis } = await import('../../server/launch/reach-redis.ts');
    const reached = (target: Parameters<typeof reachRedis>[0]) => reachRedis(target, { patienceMs: 3_000 });
    const single = await startOwnRedis();
    undo.push(single.stop);
    await expect(reached(cluster.target)).resolves.toBeUndefined();
    await expect(reached({ url: urlOf(cluster.nodes[0] ?? '') })).rejects.toThrow(
      /is a node of a cluster; name it in REDIS_CLUSTER/,
    );
    await expect(reached({ cluster: [single.url] })).rejects.toThrow(/cluster support disabled.*correct REDIS_CLUSTER/);
    await expect(reached({ cluster: [`redis://:wrong@${cluster.nodes[0]}`] })).rejects.toThrow(/WRONGPASS/);
    await expect(reached({ cluster: ['127.0.0.1:1'] })).rejects.toThrow(
      /127\.0\.0\.1:1 cannot be reached \(it does not answer\)/,
    );
  });
});
