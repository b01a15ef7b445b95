// Between announcing a webhook and configuring it anybody may die: the workers find it, and forget what nothing came of.
import { expect, it } from 'vitest';
import { changeConfig } from '../../server/services/change-config.ts';
import { secretNames } from '../../server/services/secret-names.ts';
import { announceWebhook, tendWebhooks } from '../../server/services/webhook-attendance.ts';
import { relayEvents, webhookShops } from '../../server/services/webhook-events.ts';
import { useOwnShop } from '../support/own-shop.ts';
import { openShop } from '../support/shop.ts';

const NOON = Date.parse('2026-03-02T12:00:00+08:00');
const MINUTE = 60_000;
const own = useOwnShop('announced');

const open = () =>
  openShop(own.house, own.shop, { agents: { boss: { role: 'owner' }, robo: { kind: 'robot' } } }, NOON);
const scope = async () => (await own.house.configs.get(own.shop)).scope;
const isListed = async () => (await webhookShops(own.house)).includes(own.shop);
const presence = async () => own.house.redis.hget((await scope()).keys.live, 'robo:presence');
const groups = async () => ((await own.house.redis.xinfo('GROUPS', (await scope()).keys.events)) as unknown[]).length;

/** As the workers do: only what is on the list is looked at. */
async function turn(now: number): Promise<void> {
  if (await isListed()) await relayEvents(own.house, own.shop, now);
}

/** The configuration alone, with nothing that follows from it. */
const configure = (webhook: { url: string } | undefined, now: number) =>
  changeConfig(own.house, own.shop, now, (config) => {
    const { webhook: _, ...robo } = config.agents.get('robo') ?? {
      id: 'robo',
      name: 'Robo',
      role: 'agent',
      kind: 'robot',
    };
    return {
      agents: new Map([['robo', { ...robo, ...(webhook ? { webhook } : {}) }]]),
      secrets: { [`${secretNames.webhook}robo`]: webhook ? 'secret' : '' },
    };
  });

it.each([
  ['reads that it was configured', async () => {}],
  ['finds nobody who reads', async () => own.house.redis.xgroup('DESTROY', (await scope()).keys.events, 'webhooks')],
])('the node dies when it has configured it, and a worker came before that: the next turn %s', async (_, happens) => {
  await open();
  await announceWebhook(own.house, own.shop, NOON);
  await turn(NOON);
  await turn(NOON + MINUTE - 1);
  expect([await isListed(), await groups()]).toEqual([true, 1]);
  await configure({ url: 'https://robots.invalid/' }, NOON + MINUTE - 1);
  await happens();
  await turn(NOON + MINUTE);
  expect([await presence(), await isListed(), await groups()]).toEqual(['online', true, 1]);
});

it('the node dies before it has configured it: after a minute it is forgotten', async () => {
  await open();
  await announceWebhook(own.house, own.shop, NOON);
  await turn(NOON + MINUTE);
  expect([await isListed(), await groups()]).toEqual([false, 0]);
});

it('is announced again while a worker forgets it: it stays', async () => {
  await open();
  await announceWebhook(own.house, own.shop, NOON);
  const { house } = own;
  const fresh = async (shop: string) => {
    const at = await house.configs.fresh(shop);
    await announceWebhook(house, shop, NOON + MINUTE);
    return at;
  };
  await tendWebhooks({ ...house, configs: { ...house.configs, fresh } }, own.shop, NOON + MINUTE);
  expect([await isListed(), await groups()]).toEqual([true, 1]);
  await turn(NOON + 2 * MINUTE);
  expect([await isListed(), await groups()]).toEqual([false, 0]);
});

it('goes, and whoever sees to that dies half way: no robot stays online without one', async () => {
  await open();
  await announceWebhook(own.house, own.shop, NOON);
  await configure({ url: 'https://robots.invalid/' }, NOON);
  await turn(NOON);
  expect(await presence()).toBe('online');
  await configure(undefined, NOON + MINUTE);
  const redis = new Proxy(own.house.redis, {
    get(target, name) {
      if (name === 'hgetall') return () => Promise.reject(new Error('killed'));
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await expect(tendWebhooks({ ...own.house, redis }, own.shop, NOON + MINUTE)).rejects.toThrow('killed');
  expect(await isListed()).toBe(true);
  await turn(NOON + MINUTE);
  expect([await presence(), await isListed(), await groups()]).toEqual(['offline', false, 0]);
});
