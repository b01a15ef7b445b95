/** Which server nodes are alive, and the sockets that dead ones left behind. */
import { keysOfShop, nodesKey } from './keys.ts';
import type { Connection } from './script.ts';

/** A heartbeat; `now` in ms since the epoch. */
export const beat = (redis: Connection, node: string, now: number) => redis.zadd(nodesKey, now, node);
export const leave = (redis: Connection, node: string) => redis.zrem(nodesKey, node);

/** Nodes that beat since `since` (ms). */
export async function aliveSince(redis: Connection, since: number): Promise<Set<string>> {
  return new Set(await redis.zrangebyscore(nodesKey, since, '+inf'));
}

/** Sockets of a shop whose node is not among `alive`. */
export async function ghosts(
  redis: Connection,
  shop: string,
  alive: ReadonlySet<string>,
): Promise<{ agent: string; socket: string }[]> {
  const all = await redis.hgetall(keysOfShop(shop).sockets);
  return Object.entries(all)
    .filter(([, node]) => !alive.has(node))
    .map(([field]) => ({ agent: field.slice(0, field.indexOf(':')), socket: field.slice(field.indexOf(':') + 1) }));
}
