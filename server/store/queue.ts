/** The queue as those who wait in it see it: places, and how fast it moves. */
import { MAX_PRIORITY } from '../../client-sdk/contract/index.ts';
import type { Scope } from './scope.ts';

/** How far apart the priorities lie; CLASS of scripts/lib/conversation.lua. */
const CLASS = 10_000_000_000_000;

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

export type QueueView = {
  /** In the order in which they are served. */
  readonly waiting: readonly string[];
  readonly served: readonly number[];
  /** What each was last told of their place, as `rememberPlaces` kept it. */
  readonly told: Readonly<Record<string, string>>;
};

export async function readQueue(scope: Scope): Promise<QueueView> {
  const [waiting, served, told] = await Promise.all([
    scope.redis.zrange(scope.keys.queue, 0, '-1'),
    scope.redis.hget(scope.keys.live, 'served'),
    scope.redis.hgetall(scope.keys.places),
  ]);
  return { waiting, served: timesIn(served), told };
}

/** Keeps what buyers were told of their places, and forgets those who are not in the queue any more. */
export async function rememberPlaces(
  scope: Scope,
  told: Readonly<Record<string, string>>,
  gone: readonly string[],
): Promise<void> {
  const pipeline = scope.redis.pipeline();
  if (Object.keys(told).length > 0) pipeline.hset(scope.keys.places, { ...told });
  if (gone.length > 0) pipeline.hdel(scope.keys.places, ...gone);
  if (pipeline.length > 0) await pipeline.exec();
}

/** Conversations that have waited in the queue since `since` (ms) or longer, of each priority the longest wait first. */
export async function waitingSince(scope: Scope, since: number, limit: number): Promise<string[]> {
  const found = await Promise.all(
    Array.from({ length: MAX_PRIORITY + 1 }, (_, priority) =>
      scope.redis.zrangebyscore(scope.keys.queue, -priority * CLASS, since - priority * CLASS, 'LIMIT', 0, limit),
    ),
  );
  return found.flat();
}
