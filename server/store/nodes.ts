/** Which server nodes are alive, and the sockets that dead ones left behind. */
import { keysOfShop, nodesKey } from './keys.ts';
import type { Connection } from './script.ts';

/**
 * The node that agents with a webhook are connected to. It is no process and has no heartbeat: what it holds connected is
 * no ghost, and goes when the webhook does.
 */
export const WEBHOOK_NODE = 'webhook';

/** A heartbeat; `now` in ms since the epoch. */
export const beat = (redis: Connection, node: string, now: number) => redis.zadd(nodesKey, now, node);
export const leave = (redis: Connection, node: string) => redis.zrem(nodesKey, node);

/** Nodes that beat since `since` (ms). */
export async function aliveSince(redis: Connection, since: number): Promise<Set<string>> {
  return new Set(await redis.zrangebyscore(nodesKey, since, '+inf'));
}

const agentOf = (field: string) => field.slice(0, field.indexOf(':'));

/** Agents of a shop who are connected to this node. */
export async function agentsOn(redis: Connection, shop: string, node: string): Promise<Set<string>> {
  const all = Object.entries(await redis.hgetall(keysOfShop(shop).sockets));
  return new Set(all.filter(([, at]) => at === node).map(([field]) => agentOf(field)));
}

/** Sockets of a shop whose node is not among `alive`. */
export async function ghosts(
  redis: Connection,
  shop: string,
  alive: ReadonlySet<string>,
): Promise<{ agent: string; socket: string }[]> {
  const all = await redis.hgetall(keysOfShop(shop).sockets);
  return Object.entries(all)
    .filter(([, node]) => node !== WEBHOOK_NODE && !alive.has(node))
    .map(([field]) => ({ agent: agentOf(field), socket: field.slice(field.indexOf(':') + 1) }));
}
