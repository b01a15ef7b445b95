/** Reads with which a client finds out what it missed: few fields of many, and nothing is changed. */
import type { Presence } from '../../client-sdk/contract/index.ts';
import { conversationKey } from './keys.ts';
import { heldBy } from './read.ts';
import type { Scope } from './scope.ts';

/** How far a conversation has come. */
export type Mark = {
  readonly conversation: string;
  readonly buyer: string;
  readonly lastSeq: number;
  /** The latest one's id; absent before the first. */
  readonly assignment?: string;
  /** Up to which message the buyer has seen it. */
  readonly seen: number;
};

/** All conversations that this agent holds. One command, and one for each conversation, in two round trips. */
export async function marksOfHeld(scope: Scope, agent: string): Promise<Mark[]> {
  const ids = await heldBy(scope, agent);
  const fields = ['agent', 'state', 'buyer', 'lastSeq', 'assignment', 'seen:buyer'];
  const found = await Promise.all(ids.map((id) => scope.redis.hmget(conversationKey(scope.keys, id), ...fields)));
  return ids.flatMap((conversation, i) => {
    const [holder, state, buyer, lastSeq, request, seen] = found[i] ?? [];
    // It may have moved between the two.
    if (holder !== agent || state === 'closed' || !buyer) return [];
    return [
      {
        conversation,
        buyer,
        lastSeq: Number(lastSeq ?? 0),
        ...(request ? { assignment: `${conversation}.${request}` } : {}),
        seen: Number(seen ?? 0),
      },
    ];
  });
}

/** An agent's load. */
export async function loadOf({ redis, keys }: Scope, agent: string): Promise<{ pending: number; active: number }> {
  const [pending, active] = await redis.hmget(keys.live, `${agent}:pending`, `${agent}:active`);
  return { pending: Number(pending ?? 0), active: Number(active ?? 0) };
}

/** A presence, and whether it is a lost connection's whose grace has ended without anybody having come by. */
export type Standing = { readonly agent: string; readonly presence: Presence; readonly lapsed: boolean };

/** How these agents stand at `now` (ms). Two commands, one round trip. */
export async function standingOf({ redis, keys }: Scope, agents: readonly string[], now: number): Promise<Standing[]> {
  if (agents.length === 0) return [];
  const [presences, lapses] = await Promise.all([
    redis.hmget(keys.live, ...agents.map((agent) => `${agent}:presence`)),
    redis.zrangebyscore(keys.lapses, '-inf', now),
  ]);
  const lapsed = new Set(lapses);
  return agents.map((agent, i) => {
    const presence = (presences[i] || 'offline') as Presence;
    return lapsed.has(agent) ? { agent, presence: 'offline', lapsed: true } : { agent, presence, lapsed: false };
  });
}
