/** Which server nodes are alive, and the sockets that dead ones left behind. */
import { keysOfShop, nodesKey } from './keys.ts';
import type { Connection } from './script.ts';

/** No node: agents reached by webhook are recorded under it. It does not beat, is never listed and never dead. */
export const WEBHOOK_NODE = 'webhook';

/** A heartbeat; `now` in ms since the epoch. Answers when the one before was, `undefined` if the node was not listed. */
export async function beat(redis: Connection, node: string, now: number): Promise<number | undefined> {
  const replies = await redis.multi().zscore(nodesKey, node).zadd(nodesKey, now, node).exec();
  for (const [error] of replies ?? []) if (error) throw error;
  const before = replies?.[0]?.[1] as string | null | undefined;
  return before === null || before === undefined ? undefined : Number(before);
}

/** For a node that has ended all its sockets itself, under every id it has had. */
export const leave = (redis: Connection, ...nodes: string[]) => redis.zrem(nodesKey, ...nodes);

/** Nodes by their last heartbeat. */
export type SilentNodes = ReadonlyMap<string, string>;

/** Nodes whose last heartbeat was at `since` (ms) or before. */
export async function silentSince(redis: Connection, since: number): Promise<SilentNodes> {
  const found = await redis.zrangebyscore(nodesKey, '-inf', since, 'WITHSCORES');
  const silent = new Map<string, string>();
  for (let i = 0; i < found.length; i += 2) silent.set(found[i] ?? '', found[i + 1] ?? '');
  silent.delete(WEBHOOK_NODE);
  return silent;
}

/** Takes them off the list, except for who has been heard of since: the last heartbeat is compared in the same step. */
export async function forget(redis: Connection, nodes: SilentNodes): Promise<void> {
  await Promise.all([...new Set(nodes.values())].map((last) => redis.zremrangebyscore(nodesKey, last, last)));
}

export type RecordedSocket = { readonly agent: string; readonly socket: string; readonly node: string };

/** Sockets of a shop that are recorded under one of `nodes`. */
export async function socketsOf(
  redis: Connection,
  shop: string,
  nodes: { has(node: string): boolean },
): Promise<RecordedSocket[]> {
  const all = await redis.hgetall(keysOfShop(shop).sockets);
  return Object.entries(all)
    .filter(([, node]) => nodes.has(node))
    .map(([field, node]) => {
      const colon = field.indexOf(':');
      return { agent: field.slice(0, colon), socket: field.slice(colon + 1), node };
    });
}

/** Agents of a shop who are connected to this node. */
export async function agentsOn(redis: Connection, shop: string, node: string): Promise<Set<string>> {
  return new Set((await socketsOf(redis, shop, new Set([node]))).map(({ agent }) => agent));
}
