/** Replies that are owed: since when, and by whom. */
import type { Scope } from './scope.ts';

/** A conversation, and since when its holder owes the reply, in ms. */
export type Owed = { readonly conversation: string; readonly since: number };

export type OwedView = {
  /** Replies owed since `before` or longer, longest first. */
  readonly owed: readonly Owed[];
  /** When they were last gone over, in ms; 0 for never. */
  readonly lookedAt: number;
};

export async function readOwed(scope: Scope, before: number): Promise<OwedView> {
  const [lookedAt, flat] = await Promise.all([
    scope.redis.hget(scope.keys.live, 'repliesSeen'),
    scope.redis.zrangebyscore(scope.keys.owed, '-inf', before, 'WITHSCORES'),
  ]);
  const owed = flat.flatMap((conversation, i) => (i % 2 === 0 ? [{ conversation, since: Number(flat[i + 1]) }] : []));
  return { owed, lookedAt: Number(lookedAt ?? 0) };
}

/** They have been gone over at `now` (ms). */
export async function repliesLookedAt(scope: Scope, now: number): Promise<void> {
  await scope.redis.hset(scope.keys.live, 'repliesSeen', now);
}

/** Ids of all conversations that wait for this agent's reply. */
export async function waitingFor(scope: Scope, agent: string): Promise<string[]> {
  const members = await scope.redis.zrangebylex(scope.keys.waits, `[${agent}:`, `(${agent};`);
  return members.map((member) => member.slice(agent.length + 1));
}
