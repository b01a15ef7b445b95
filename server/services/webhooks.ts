/** What a shop does about its webhooks: new secrets, and deliveries that failed. */
import { type By, type DeadLetter, Refusal } from '../../client-sdk/contract/index.ts';
import { recordAudit } from '../store/audit.ts';
import { OPERATOR } from './actor.ts';
import { changeConfig } from './change-config.ts';
import type { House } from './house.ts';
import { secretNames } from './secret-names.ts';

/** A new secret for a robot's webhook, from now on. Throws `not-found`; `conflict` for who has no webhook. */
export async function rotateWebhookSecret(
  house: House,
  shop: string,
  agent: string,
  now: number,
  by?: By,
): Promise<string> {
  const secret = house.ids.secret();
  await changeConfig(
    house,
    shop,
    now,
    (config) => {
      const found = config.agents.get(agent);
      if (!found) throw new Refusal('not-found', `There is no agent ${agent} in this shop; check the id.`);
      if (!found.webhook) throw new Refusal('conflict', `${agent} has no webhook; set one first.`);
      return { secrets: { [secretNames.webhook + agent]: secret } };
    },
    by,
  );
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
export async function retryDeadLetter(
  house: House,
  shop: string,
  delivery: string,
  now: number,
  by = OPERATOR,
): Promise<void> {
  const state = await house.deliveries.stateOf(shop, delivery);
  if (state === 'missing') {
    throw new Refusal('not-found', 'There is no such delivery; those that succeeded, and old ones, are not kept.');
  }
  if (state === 'alive') return;
  const request = house.ids.request(shop);
  const entry = { by, action: 'dead-letter:retried', target: delivery, changes: '', request } as const;
  await recordAudit(house.redis, shop, entry, now);
  await house.deliveries.retry(delivery);
}
