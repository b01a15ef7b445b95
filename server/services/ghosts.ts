/** Sockets that a dead node left behind: they hold nobody connected. */
import { Refusal } from '../../client-sdk/contract/index.ts';
import { listShops } from '../store/configure.ts';
import { aliveSince, ghosts } from '../store/nodes.ts';
import { disconnectAgent } from './attendance.ts';
import type { House } from './house.ts';

/** A node beats this often, in ms … */
export const BEAT_MS = 5_000;
/** … and is taken for dead after this long without, in ms. */
const DEAD_AFTER_MS = 3 * BEAT_MS;

/** Every shop there is. */
export const allShops = (house: House) => listShops(house.redis);

/** True for what a shop throws that is listed but not there: one being opened is listed before it is configured. */
export const isNoShop = (error: unknown) => error instanceof Refusal && error.code === 'not-found';

/** Disconnects what dead nodes held; their agents then have the shop's grace to come back. `now` in ms. */
export async function sweepGhosts(house: House, now: number): Promise<void> {
  const alive = await aliveSince(house.redis, now - DEAD_AFTER_MS);
  for (const shop of await allShops(house)) {
    try {
      for (const { agent, socket } of await ghosts(house.redis, shop, alive)) {
        await disconnectAgent(house, shop, agent, socket, now);
      }
    } catch (error) {
      if (!isNoShop(error)) throw error;
    }
  }
}
