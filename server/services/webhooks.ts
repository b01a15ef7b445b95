/** What a shop does about its webhooks: new secrets, and deliveries that failed. */
import { type DeadLetter, Refusal } from '../../client-sdk/contract/index.ts';
import { changeConfig, secretNames } from './change-config.ts';
import type { House } from './house.ts';

/** A new secret for a robot's webhook, from now on. Throws `not-found`; `conflict` for who has no webhook. */
export async function rotateWebhookSecret(house: House, shop: string, agent: string, now: number): Promise<string> {
  const secret = house.ids.secret();
  await changeConfig(house, shop, now, (config) => {
    const found = config.agents.get(agent);
    if (!found) throw new Refusal('not-found', `There is no agent ${agent} in this shop; check the id.`);
    if (!found.webhook) throw new Refusal('conflict', `${agent} has no webhook; set one first.`);
    return { secrets: { [secretNames.webhook + agent]: secret } };
  });
  return secret;
}

/** A page of a shop's dead letters, latest first. Throws `invalid` for a cursor that was never given out. */
export async function listDeadLetters(
  house: House,
  shop: string,
  { limit, cursor = '0' }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ deadLetters: DeadLetter[]; next?: string }> {
  if (!/^\d{1,9}$/.test(cursor)) {
    throw new Refusal('invalid', undefined, [{ path: 'cursor', problem: 'is no cursor of this list' }]);
  }
  await house.configs.get(shop);
  const { deadLetters, next } = await house.deliveries.deadLetters(shop, Number(cursor), limit);
  return { deadLetters, ...(next === undefined ? {} : { next: String(next) }) };
}

/** Delivers a dead letter again; one that is not dead any more stays as it is. Throws `not-found`. */
export async function retryDeadLetter(house: House, shop: string, delivery: string): Promise<void> {
  if (await house.deliveries.retry(shop, delivery)) return;
  throw new Refusal('not-found', 'There is no such delivery; those that succeeded, and old ones, are not kept.');
}
