/** What a shop knows of its buyers; services/erasing.ts is how it forgets them. */
import { type Buyer, type BuyerPut, type By, Refusal } from '../../client-sdk/contract/index.ts';
import { readBuyer, writeProfile } from '../store/buyers.ts';
import { convert } from '../store/conversions.ts';
import type { House } from './house.ts';

const noBuyer = (id: string) => new Refusal('not-found', `There is no buyer ${id} in this shop; check the id.`);

/** Throws `not-found`. */
export async function getBuyer(house: House, shop: string, id: string): Promise<Buyer> {
  const { scope } = await house.configs.get(shop);
  const record = await readBuyer(scope, id);
  if (!record) throw noBuyer(id);
  return {
    id,
    ...(record.name ? { name: record.name } : {}),
    crowds: [...record.crowds],
    ...(record.exclusiveAgent ? { exclusiveAgent: record.exclusiveAgent } : {}),
  };
}

/** Creates or replaces the profile. Throws `invalid` for an exclusive agent who is not there. */
export async function putBuyer(
  house: House,
  shop: string,
  id: string,
  put: BuyerPut,
  now: number,
  by?: By,
): Promise<Buyer> {
  const { config, scope } = await house.configs.fresh(shop);
  const exclusiveAgent = put.exclusiveAgent ?? undefined;
  if (exclusiveAgent !== undefined && config.agents.get(exclusiveAgent)?.kind !== 'human') {
    throw new Refusal('invalid', undefined, [{ path: 'exclusiveAgent', problem: 'is no human agent of this shop' }]);
  }
  await writeProfile(scope, id, { name: put.name, crowds: put.crowds, exclusiveAgent }, now, by);
  return getBuyer(house, shop, id);
}

/**
 * A buyer has bought: the sale counts for the agent they were last in contact with, whose weight it raises in groups that
 * are conversion-first. The same order again counts once. Answers the agent, if there is one to count it for.
 */
export async function recordConversion(
  house: House,
  shop: string,
  buyer: string,
  order: string,
  now: number,
): Promise<{ counted: boolean; agent?: string }> {
  const request = house.ids.request(shop);
  const converted = await house.configs.use(shop, ({ config, scope }) =>
    convert(scope, { buyer, order, warmMs: config.settings.contactWindows.warmMs, request }, now),
  );
  return converted.kind === 'counted' ? { counted: true, agent: converted.agent } : { counted: false };
}
