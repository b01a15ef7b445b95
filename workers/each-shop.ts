/** Goes over shops. */
import { atOnce } from '../server/services/at-once.ts';
import { allShops, isNoShop } from '../server/services/ghosts.ts';
import type { House } from '../server/services/house.ts';
import { shardOf } from './shards.ts';

const SHOPS_AT_ONCE = 16;

/** The shops of a shard, 0 to SHARDS - 1. */
export const shopsIn = async (house: House, shard: number) =>
  (await allShops(house)).filter((shop) => shardOf(shop) === shard);

/** One shop that fails does not keep the others waiting, one that is not there is passed over; the failures are thrown together. */
export async function eachShop(
  house: House,
  work: (shop: string) => Promise<unknown>,
  shops = allShops(house),
): Promise<void> {
  const failures = await atOnce(SHOPS_AT_ONCE, await shops, async (shop) => {
    try {
      await work(shop);
    } catch (error) {
      if (isNoShop(error)) return;
      house.log.error({ shop, err: error }, 'a job failed for a shop');
      throw error;
    }
  });
  if (failures.length > 0) throw new AggregateError(failures, `a job failed for ${failures.length} shops`);
}
