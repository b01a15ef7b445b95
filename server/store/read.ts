/** Reads that change nothing: conversations, assignments, the live board. */
import type { Assignment, Conversation, Entry, LiveAgent, Presence } from '../../client-sdk/contract/index.ts';
import { readAssignment } from './assignment-record.ts';
import { conversationKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { conversationFrom, shownFields } from './shapes.ts';

const conversationFields = [...shownFields, 'entry', 'proxy', 'seen:agent'];

/** A conversation, its latest assignment's request, and what the buyer brought along. */
export type ConversationRecord = {
  readonly conversation: Conversation;
  readonly request: string;
  readonly entry: Entry;
  /** The proxy to whom it came at night, '' where it did not. */
  readonly proxy: string;
  /** Up to which message the agent's side has seen it. */
  readonly seen: number;
};

/**
 * In the order asked; `undefined` where there is none. They go out together and are separate commands all the same: of a
 * pipeline, ioredis sends all of it where one key of a moving slot has gone, and there the others seem not to exist.
 */
export async function readConversations(
  scope: Scope,
  ids: readonly string[],
): Promise<(ConversationRecord | undefined)[]> {
  const found = await Promise.all(
    ids.map((id) => scope.redis.hmget(conversationKey(scope.keys, id), ...conversationFields)),
  );
  return ids.map((id, i) => {
    const fields = found[i];
    if (!fields?.[0]) return undefined;
    const field = (name: string) => fields[conversationFields.indexOf(name)];
    return {
      conversation: conversationFrom(scope.shop, field, id),
      request: field('assignment') ?? '',
      entry: JSON.parse(field('entry') || '{}') as Entry,
      proxy: field('proxy') ?? '',
      seen: Number(field('seen:agent') ?? 0),
    };
  });
}

export async function readConversation(scope: Scope, id: string): Promise<ConversationRecord | undefined> {
  return (await readConversations(scope, [id]))[0];
}

/** An assignment by its id, `<conversation>.<request>`. */
export async function readAssignmentById(scope: Scope, id: string): Promise<Assignment | undefined> {
  const dot = id.lastIndexOf('.');
  if (dot < 1) return undefined;
  const conversation = id.slice(0, dot);
  const [buyer, record] = await scope.redis.hmget(
    conversationKey(scope.keys, conversation),
    'buyer',
    `a:${id.slice(dot + 1)}`,
  );
  return buyer && record ? readAssignment(id, conversation, buyer, record) : undefined;
}

const afterDot = (members: readonly string[]) => members.map((member) => member.slice(member.indexOf(':') + 1));

/** Ids of all conversations this agent holds. */
export async function heldBy(scope: Scope, agent: string): Promise<string[]> {
  return afterDot(await scope.redis.zrangebylex(scope.keys.held, `[${agent}:`, `(${agent};`));
}

/** Open conversations as `<holder>:<id>` members after `member`, at most `limit`; of one holder, or of all. */
export async function openAfter(scope: Scope, member: string, limit: number, holder?: string): Promise<string[]> {
  const from = member ? `(${member}` : holder === undefined ? '-' : `[${holder}:`;
  const to = holder === undefined ? '+' : `(${holder};`;
  return scope.redis.zrangebylex(scope.keys.held, from, to, 'LIMIT', 0, limit);
}

/** Closed conversations, latest first, from an offset. */
export async function closedFrom(scope: Scope, offset: number, limit: number): Promise<string[]> {
  return scope.redis.zrevrange(scope.keys.closed, offset, offset + limit - 1);
}

/** Conversations that nobody holds, in the order they will be served. */
export async function waitingIn(scope: Scope, line: 'queue' | 'pool' | 'overnight', count = -1): Promise<string[]> {
  return scope.redis.zrange(scope.keys[line], '0', String(count < 0 ? -1 : count - 1));
}

/** What a sweep would find to do: whether a grace has ended, and in which lines somebody stands. */
export type Waiting = Readonly<Record<'lapse' | 'todo' | 'queue' | 'overnight' | 'pool', boolean>>;

/** One round trip, so that a shop in which nothing waits costs little. `now` in ms. */
export async function whatWaits({ redis, keys }: Scope, now: number): Promise<Waiting> {
  const [lapse, ...lines] = await Promise.all([
    redis.hget(keys.live, 'lapse'),
    ...[keys.todo, keys.queue, keys.overnight, keys.pool].map((line) => redis.exists(line)),
  ]);
  const [todo, queue, overnight, pool] = lines.map((there) => there === 1);
  return {
    lapse: Boolean(lapse) && now >= Number(lapse),
    todo: todo === true,
    queue: queue === true,
    overnight: overnight === true,
    pool: pool === true,
  };
}

/** Conversations due to be dispatched again, longest due first. */
export async function dueAgain(scope: Scope, count: number): Promise<string[]> {
  return scope.redis.zrange(scope.keys.todo, '0', String(count - 1));
}

/** Open conversations in which nothing may have been said since `before` (ms); whoever closes them looks closer. */
export async function idleSince(scope: Scope, before: number, limit: number): Promise<string[]> {
  return scope.redis.zrangebyscore(scope.keys.idle, '-inf', before, 'LIMIT', 0, limit);
}

/** Agents as the live board shows them. `now` in ms: a grace that has ended counts, whether or not a job has come by. */
export async function liveAgents(scope: Scope, agents: readonly string[], now: number): Promise<LiveAgent[]> {
  if (agents.length === 0) return [];
  const fields = ['presence', 'sockets', 'pending', 'active', 'capacity', 'groups'];
  const values = await scope.redis.hmget(scope.keys.live, ...agents.flatMap((id) => fields.map((f) => `${id}:${f}`)));
  const lapsed = new Set(await scope.redis.zrangebyscore(scope.keys.lapses, '-inf', now));
  return agents.map((id, i) => {
    const value = (name: string) => values[i * fields.length + fields.indexOf(name)] ?? '';
    const presence: Presence = lapsed.has(id) ? 'offline' : ((value('presence') || 'offline') as Presence);
    const active = Number(value('active') || 0);
    const room = value('capacity') === '' || active < Number(value('capacity'));
    return {
      id,
      presence,
      connected: Number(value('sockets') || 0) > 0,
      pending: Number(value('pending') || 0),
      active,
      onDuty: presence === 'online' && value('groups') !== '' && room,
    };
  });
}
