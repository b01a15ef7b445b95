/** Replies that are owed: since when, and by whom. */
import type { Scope } from './scope.ts';

/** Members of a sorted set that are read in one command. */
const PAGE = 1_000;

/** A conversation, and since when its holder owes the reply, in ms. */
export type Owed = { readonly conversation: string; readonly since: number };

/** Owed since later than `after`, and since `until` or earlier; in ms. */
export type OwedRange = { readonly after: number; readonly until: number };

/** When replies were gone over, and by which periods; all in ms. */
export type RepliesSeen = {
  readonly at: number;
  readonly periods: { readonly slow: number; readonly hangUp: number; readonly reassign: number };
};

const owedFrom = (flat: readonly string[]): Owed[] =>
  flat.flatMap((conversation, i) => (i % 2 === 0 ? [{ conversation, since: Number(flat[i + 1]) }] : []));

/** Since when the oldest reply is owed, in ms; `undefined` if none is. */
export async function oldestOwed({ redis, keys }: Scope): Promise<number | undefined> {
  return owedFrom(await redis.zrange(keys.owed, 0, '0', 'WITHSCORES'))[0]?.since;
}

const lowest = (after: number) => (after === Number.NEGATIVE_INFINITY ? '-inf' : `(${after}`);

/** How many replies are owed since then, for each of the ranges; in one round trip. */
export function countOwed({ redis, keys }: Scope, ranges: readonly OwedRange[]): Promise<number[]> {
  return Promise.all(ranges.map(({ after, until }) => redis.zcount(keys.owed, lowest(after), until)));
}

/** Redis' own order: by time, and by name where that is the same. (Ids are ASCII.) */
const isBehind = (a: Owed, b: Owed) => a.since > b.since || (a.since === b.since && a.conversation > b.conversation);

/**
 * Replies owed since then, longest first, in pages of at most `size`, which is 2 or more. Those of a page may be settled
 * before the next one is asked for, and others at any time: nobody else is passed over, however many are owed since the
 * same moment.
 */
export async function* pagesOwed(
  { redis, keys }: Scope,
  { after, until }: OwedRange,
  size = PAGE,
): AsyncGenerator<Owed[], void, undefined> {
  let min: string | number = lowest(after);
  let skip = 0;
  let last: Owed | undefined;
  for (;;) {
    const page = owedFrom(await redis.zrangebyscore(keys.owed, min, until, 'WITHSCORES', 'LIMIT', skip, size));
    const seen = last;
    const [first] = page;
    if (seen && skip > 0 && (!first || isBehind(first, seen))) {
      // Not the last one read but somebody behind: some before it are gone, and those between may have moved up.
      skip = Math.max(0, skip - size + 1);
      continue;
    }
    const unread = seen ? page.filter((owed) => isBehind(owed, seen)) : page;
    if (unread.length > 0) yield unread;
    const end = page.at(-1);
    if (!end || page.length < size) return;
    // The next page begins with the last of this one, which shows that nobody is missing between them.
    if (end.since === min) skip += size - 1;
    else skip = page.filter(({ since }) => since === end.since).length - 1;
    min = end.since;
    last = unread.at(-1) ?? seen;
  }
}

/** The replies that this agent owes since `before` (ms) or longer. */
export async function owedBy({ redis, keys }: Scope, agent: string, before: number): Promise<Owed[]> {
  const found: Owed[] = [];
  for (let from = `[${agent}:`; ; ) {
    const members = await redis.zrangebylex(keys.waits, from, `(${agent};`, 'LIMIT', 0, PAGE);
    const end = members.at(-1);
    if (end === undefined) return found;
    const ids = members.map((member) => member.slice(agent.length + 1));
    const scores = await redis.zmscore(keys.owed, ...ids);
    for (const [i, conversation] of ids.entries()) {
      const since = scores[i];
      if (since != null && Number(since) <= before) found.push({ conversation, since: Number(since) });
    }
    if (members.length < PAGE) return found;
    from = `(${end}`;
  }
}

/** When replies were last gone over, and by which periods; `undefined` for never. */
export async function readLook({ redis, keys }: Scope): Promise<RepliesSeen | undefined> {
  const field = await redis.hget(keys.live, 'repliesSeen');
  if (!field) return undefined;
  // A release that remembered no periods has left a time alone: by none that a rule can have.
  const [at = 0, slow = -1, hangUp = -1, reassign = -1] = field.split(':').map(Number);
  return { at, periods: { slow, hangUp, reassign } };
}

/** They have been gone over. */
export async function rememberLook({ redis, keys }: Scope, { at, periods }: RepliesSeen): Promise<void> {
  const { slow, hangUp, reassign } = periods;
  await redis.hset(keys.live, 'repliesSeen', `${at}:${slow}:${hangUp}:${reassign}`);
}
