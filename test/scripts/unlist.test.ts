/** The list of shops that have a webhook: who was announced lately stays on it. */
import { expect, it } from 'vitest';
import {
  announceWebhookShop,
  keepWebhookShop,
  listWebhookShops,
  unlistWebhookShop,
} from '../../server/store/outbox.ts';
import { NOON, useStages } from '../support/stage.ts';

const setStage = useStages();

it('takes a shop off the list, unless it was announced later', async () => {
  const { redis, shop } = await setStage({ agents: {} });
  const isListed = async () => (await listWebhookShops(redis)).includes(shop);
  await announceWebhookShop(redis, shop, NOON);
  expect(await unlistWebhookShop(redis, shop, NOON - 1)).toBe(false);
  expect(await isListed()).toBe(true);
  expect(await unlistWebhookShop(redis, shop, NOON)).toBe(true);
  expect(await isListed()).toBe(false);
  expect(await unlistWebhookShop(redis, shop, NOON)).toBe(true);
});

it('announcing again counts from then, keeping does not', async () => {
  const { redis, shop } = await setStage({ agents: {} });
  await keepWebhookShop(redis, shop, NOON);
  await keepWebhookShop(redis, shop, NOON + 2);
  await announceWebhookShop(redis, shop, NOON + 1);
  expect(await unlistWebhookShop(redis, shop, NOON)).toBe(false);
  await keepWebhookShop(redis, shop, NOON + 2);
  expect(await unlistWebhookShop(redis, shop, NOON + 1)).toBe(true);
});
