/** The job that goes over all shops: ghosts of dead nodes first, then what is due in each. */
import { allShops, isNoShop, sweepGhosts } from '../server/services/ghosts.ts';
import type { House } from '../server/services/house.ts';
import { sweep } from '../server/services/sweep.ts';

/** One shop that fails does not keep the others waiting, one that is not there is passed over; the failures are thrown together. `now` in ms. */
export async function sweepShops(house: House, now: number): Promise<void> {
  await sweepGhosts(house, now);
  const failures: unknown[] = [];
  for (const shop of await allShops(house)) {
    try {
      await sweep(house, shop, now);
    } catch (error) {
      if (isNoShop(error)) continue;
      house.log.error({ shop, err: error }, 'a shop could not be swept');
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} shops could not be swept`);
}
