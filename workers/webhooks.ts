/** What has happened in shops that have webhooks becomes deliveries. */
import type { House } from '../server/services/house.ts';
import { relayEvents, webhookShops } from '../server/services/webhook-events.ts';
import { eachShop } from './each-shop.ts';

export const relayWebhooks = (house: House, now: number) =>
  eachShop(house, (shop) => relayEvents(house, shop, now), webhookShops(house));
