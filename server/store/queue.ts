/** The queue as those who wait in it see it: places, and how fast it moves. */
import { MAX_PRIORITY } from '../../client-sdk/contract/index.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';

const script = loadScript('places', ['queue', 'places'], ['now']);

/** How far apart the priorities lie; CLASS of scripts/lib/conversation.lua. */
export const CLASS = 10_000_000_000_000;

const timesIn = (served: string | null | undefined) => (served ?? '').split(',').filter(Boolean).map(Number);

/** A place in the queue, 1 is next, 0 not in it; and when those before were served, in ms, the latest last. */
export type QueuePlace = { readonly position: number; readonly served: readonly number[] };

export async function queuePlace(scope: Scope, conversation: string): Promise<QueuePlace> {
  const [rank, served] = await Promise.all([
    scope.redis.zrank(scope.keys.queue, conversation),
    scope.redis.hget(scope.keys.live, 'served'),
  ]);
  return { position: typeof rank === 'number' ? rank + 1 : 0, served: timesIn(served) };
}

/** A conversation in the queue, its place, and what its buyer was last told of it, as `rememberPlaces` kept it. */
export type Queued = { readonly conversation: string; readonly position: number; readonly told: string | undefined };

/** How many wait, and when those before were served. */
export async function queueLength(scope: Scope): Promise<{ readonly length: number; readonly served: number[] }> {
  const [length, served] = await Promise.all([
    scope.redis.zcard(scope.keys.queue),
    scope.redis.hget(scope.keys.live, 'served'),
  ]);
  return { length, served: timesIn(served) };
}

/** Counts the turns in which a long queue is told its places: each looks at another part. */
export const nextTurn = (scope: Scope) => scope.redis.hincrby(scope.keys.live, 'placesTurn', 1);

/** Those at the places `from` to `to` (inclusive; 1 is next), in order. */
export async function readPlaces(scope: Scope, from: number, to: number): Promise<Queued[]> {
  const ids = await scope.redis.zrange(scope.keys.queue, from - 1, String(to - 1));
  if (ids.length === 0) return [];
  const told = await scope.redis.hmget(scope.keys.places, ...ids);
  return ids.map((conversation, i) => ({ conversation, position: from + i, told: told[i] ?? undefined }));
}

/**
 * Keeps what buyers were told of their places, by conversation. Answers those that had left the queue by then: what they
 * were told was out of date.
 */
export async function rememberPlaces(
  scope: Scope,
  told: ReadonlyMap<string, string>,
  now: number,
): Promise<readonly string[]> {
  if (told.size === 0) return [];
  return (await run(scope.redis, script, scope.keys, { now }, [], [...told].flat())).map(String);
}

/** Conversations that have waited in the queue since `since` (ms) or longer, of each priority the longest wait first. */
export async function waitingSince(scope: Scope, since: number, limit: number): Promise<string[]> {
  const found = await Promise.all(
    Array.from({ length: MAX_PRIORITY + 1 }, (_, priority) =>
      scope.redis.zrangebyscore(scope.keys.queue, -priority * CLASS, since - priority * CLASS, 'LIMIT', 0, limit),
    ),
  );
  return found.flat().slice(0, limit);
}
