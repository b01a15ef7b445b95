/** Goes over shops. */
import { allShops, isNoShop } from '../server/services/ghosts.ts';
import type { House } from '../server/services/house.ts';

/** Shops worked on at once: enough to keep Redis busy while answers are on their way. */
const AT_ONCE = 16;

/** One shop that fails does not keep the others waiting, one that is not there is passed over; the failures are thrown together. */
export async function eachShop(
  house: House,
  work: (shop: string) => Promise<void>,
  shops = allShops(house),
): Promise<void> {
  const left = await shops;
  const failures: unknown[] = [];
  const lane = async () => {
    for (let shop = left.pop(); shop !== undefined; shop = left.pop()) {
      try {
        await work(shop);
      } catch (error) {
        if (isNoShop(error)) continue;
        house.log.error({ shop, err: error }, 'a job failed for a shop');
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  if (failures.length > 0) throw new AggregateError(failures, `a job failed for ${failures.length} shops`);
}
