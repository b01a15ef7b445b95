/** A shop in which thousands of things are due at once: it is worked off in turns, and others are served beside it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defaultSettings } from '../../client-sdk/contract/index.ts';
import { choosePresence } from '../../server/services/attendance.ts';
import { sweepContacts } from '../../server/services/contacts.ts';
import { closeIdleConversations } from '../../server/services/idle.ts';
import { sweep } from '../../server/services/sweep.ts';
import { untilDone } from '../../server/services/turn.ts';
import { registerShop } from '../../server/store/configure.ts';
import { buyerKey } from '../../server/store/keys.ts';
import { changePresence } from '../../server/store/presence.ts';
import { waitingIn } from '../../server/store/read.ts';
import { jobs } from '../../workers/jobs.ts';
import { SHARDS, shardOf } from '../../workers/shards.ts';
import { problemsIn } from '../support/consistent.ts';
import { clicks, openCrowd } from '../support/crowd.ts';
import { listening } from '../support/heard.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { newShopId } from '../support/shop.ts';

const NOON = Date.UTC(2026, 0, 5, 4);
const HOUR = 3_600_000;
const heard = listening();

let own: OwnRedis;
let test: TestHouse;
beforeAll(async () => {
  own = await startOwnRedis();
  test = createTestHouse(own.url, { tell: heard });
});
afterEach(async () => {
  heard.forget();
  await test.house.redis.flushdb();
});
afterAll(async () => {
  await test?.close();
  await own?.stop();
});

/** Anna has one place and a buyer, and so many wait; the shop is in the list of the workers. */
async function waitFor(shop: string, count: number): Promise<void> {
  await openCrowd(test.house, shop, { sales: { anna: 1 } }, NOON, { capacity: 1 });
  await registerShop(test.house.redis, shop);
  await clicks(test.house, shop, count + 1, NOON);
  await test.house.settled();
}
async function count(shop: string, line: 'queue' | 'pool'): Promise<number> {
  const { scope } = await test.house.configs.get(shop);
  return (await waitingIn(scope, line)).length;
}
/** Anna goes, and nobody says that something is due: only the workers find it. */
async function hangUpUnsaid(shop: string): Promise<void> {
  const { scope } = await test.house.configs.get(shop);
  const choice = { change: 'choose', agent: 'anna', presence: 'hung-up', cause: 'chose' } as const;
  await changePresence(scope, choice, NOON + HOUR);
}

describe('a shop whose last agent goes while thousands wait', () => {
  it('is worked off turn by turn, and another shop of the same shard is served within the first', async () => {
    const large = newShopId('large');
    const small = Array.from({ length: 100 * SHARDS }, () => newShopId('small')).find(
      (id) => shardOf(id) === shardOf(large),
    );
    if (!small) throw new Error('no shop of the same shard');
    await waitFor(large, 3_000);
    await waitFor(small, 3);
    expect([await count(large, 'queue'), await count(small, 'queue')]).toEqual([3_000, 3]);
    for (const shop of [large, small]) await hangUpUnsaid(shop);

    const turn = jobs[`lines.${shardOf(large)}`];
    const left = [3_000];
    while (left.at(-1) !== 0) {
      await turn?.run(test.house, NOON + HOUR);
      left.push(await count(large, 'queue'));
      expect([await count(small, 'queue'), await count(small, 'pool')]).toEqual([0, 3]);
    }
    const served = left.slice(1).map((after, i) => (left[i] ?? 0) - after);
    expect(Math.min(...served)).toBeGreaterThan(0);
    expect(Math.max(...served)).toBeLessThanOrEqual(500);
    expect(await count(large, 'pool')).toBe(3_000);
    expect(await problemsIn(test.house.redis, large)).toEqual([]);
  });

  it('is worked off at once, without any worker, by the process in which they went', async () => {
    const shop = newShopId('large');
    await waitFor(shop, 1_200);
    await choosePresence(test.house, shop, 'anna', 'hung-up', 'chose', NOON + HOUR);
    await test.house.settled();
    expect([await count(shop, 'queue'), await count(shop, 'pool')]).toEqual([0, 1_200]);
  });

  it('keeps the order of its lines from turn to turn: who is in the queue is served before the pool', async () => {
    const shop = newShopId('large');
    await waitFor(shop, 600);
    await hangUpUnsaid(shop);
    expect(await sweep(test.house, shop, NOON + HOUR)).toEqual({ more: true });
    expect([await count(shop, 'queue'), await count(shop, 'pool')]).toEqual([100, 500]);
    expect(await sweep(test.house, shop, NOON + HOUR)).toEqual({ more: false });
    expect([await count(shop, 'queue'), await count(shop, 'pool')]).toEqual([0, 600]);
  });
});

it('contacts beyond the bound of a turn are left for the next, and each agent is told once', async () => {
  const shop = newShopId('large');
  await openCrowd(test.house, shop, { sales: { anna: 1 } }, NOON);
  const { scope } = await test.house.configs.get(shop);
  const pipeline = test.house.redis.pipeline();
  for (let n = 0; n < 10_600; n++) {
    pipeline.hset(buyerKey(scope.keys, `b${n}`), 'contacts', `,anna=${NOON},`);
    pipeline.zadd(scope.keys.hot, NOON, `b${n}:anna`);
  }
  await pipeline.exec();
  const now = NOON + defaultSettings.contactWindows.hotMs + 1;
  expect(await sweepContacts(test.house, shop, now)).toEqual({ count: 10_000, more: true });
  expect(await sweepContacts(test.house, shop, now)).toEqual({ count: 600, more: false });
  const cooled = heard.take('agent:anna', 'contact:cooled').map(({ buyer }) => buyer);
  expect([cooled.length, new Set(cooled).size]).toEqual([10_600, 10_600]);
});

it('idle conversations beyond the bound of a turn are left for the next', async () => {
  const shop = newShopId('large');
  await openCrowd(test.house, shop, { sales: { anna: 1 } }, NOON);
  await clicks(test.house, shop, 1_100, NOON);
  const { scope } = await test.house.configs.get(shop);
  const open = () => test.house.redis.zcard(scope.keys.held);
  const now = NOON + 1_000 * HOUR;
  expect(await closeIdleConversations(test.house, shop, now)).toEqual({ more: true });
  expect(await open()).toBe(100);
  await untilDone(() => closeIdleConversations(test.house, shop, now));
  expect(await open()).toBe(0);
});
