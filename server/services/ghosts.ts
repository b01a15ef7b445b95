/**
 * Sockets that a dead node left behind: they hold nobody connected.
 *
 * A socket is found by its node, and a node only while it is listed. No socket stands under a node that is not:
 *
 * - A node is listed before it records its first socket, and before any that comes when its last heartbeat is old
 *   (services/heartbeat.ts, edge/sockets/gateway.ts).
 * - One that leaves in order takes itself off the list after it has ended all its sockets; if it could not, it stays.
 * - One that is dead is taken off when all its sockets are gone, and not if it has been heard of in between. Whoever
 *   sweeps may be killed half way: the next sweep finds the node still listed.
 * - One that was only thought dead sees at its next heartbeat how late it is, or that it is not listed. It goes on under a
 *   new id and records all its sockets under that; the old id beats no more once it has, or after a minute, and is swept
 *   like any dead node.
 *
 * Whoever sweeps may also pause at any point, and a node be back meanwhile: a socket is ended only while it stands under the
 * node that was found dead.
 */
import { Refusal } from '../../client-sdk/contract/index.ts';
import { listShops } from '../store/configure.ts';
import { forget, type SilentNodes, silentSince, socketsOf } from '../store/nodes.ts';
import { atOnce } from './at-once.ts';
import { disconnectAgent } from './attendance.ts';
import { BEAT_MS } from './heartbeat.ts';
import type { House } from './house.ts';

/** A node is taken for dead after this long without a heartbeat, in ms. */
const DEAD_AFTER_MS = 3 * BEAT_MS;
const SHOPS_AT_ONCE = 16;
/** Sockets ended at once, in a shop. */
const BATCH = 100;

/** Every shop there is. */
export const allShops = (house: House) => listShops(house.redis);

/** True for what a shop throws that is listed but not there: one being opened is listed before it is configured. */
export const isNoShop = (error: unknown) => error instanceof Refusal && error.code === 'not-found';

/** Ends what dead nodes hold in a shop, and answers how many sockets were found. */
async function sweepShop(house: House, shop: string, dead: SilentNodes, now: number): Promise<number> {
  const sockets = await socketsOf(house.redis, shop, dead);
  for (let i = 0; i < sockets.length; i += BATCH) {
    const ghosts = sockets.slice(i, i + BATCH);
    await Promise.all(ghosts.map(({ agent, socket, node }) => disconnectAgent(house, shop, agent, socket, now, node)));
  }
  return sockets.length;
}

/**
 * Disconnects what dead nodes held; their agents then have the shop's grace to come back. While no node is dead it asks
 * for nothing else. `now` and `deadAfterMs` in ms. Throws what could not be done; it is found again at the next sweep.
 */
export async function sweepGhosts(house: House, now: number, deadAfterMs = DEAD_AFTER_MS): Promise<void> {
  const dead = await silentSince(house.redis, now - deadAfterMs);
  if (dead.size === 0) return;
  let sockets = 0;
  const failures = await atOnce(SHOPS_AT_ONCE, await allShops(house), async (shop) => {
    try {
      sockets += await sweepShop(house, shop, dead, now);
    } catch (error) {
      if (!isNoShop(error)) throw error;
    }
  });
  if (failures.length > 0) throw new AggregateError(failures, `ghosts are left in ${failures.length} shops`);
  await forget(house.redis, dead);
  house.log.warn({ nodes: [...dead.keys()], sockets }, 'server nodes were silent; what stood under them is ended');
}
