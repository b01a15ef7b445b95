/**
 * Erasing a buyer, as the store does it: recorded first, then conversation by conversation, then the buyer, then every trace
 * in a log. Each step can be run again; a buyer who comes back in the middle of it is somebody new.
 */
import type { By } from '../../client-sdk/contract/index.ts';
import { byText } from './audit.ts';
import { buyerKey, conversationKey, erasureKey, messagesKey, moveKeys, sentKey } from './keys.ts';
import type { Place } from './moves.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';
import { type Effects, effectsOf } from './shapes.ts';

const beginScript = loadScript(
  'erasing',
  ['audit', 'erasing', 'erasure', 'buyer'],
  ['now', 'request', 'buyerId', 'by'],
);
const eraseScript = loadScript(
  'erase',
  [
    ...moveKeys,
    'hot',
    'warm',
    'idle',
    'closed',
    'places',
    'shifts',
    'events',
    'audit',
    'buyer',
    'conversation',
    'messages',
    'sent',
    'erasure',
  ],
  ['now', 'version', 'buyerId', 'conversationId', 'fingerprint'],
);
const tracesScript = loadScript('traces', ['events', 'erasure'], ['buyerId', 'count']);
const endScript = loadScript('erased', ['erasing', 'erasure'], ['buyerId', 'lastEvent']);

const keysFor = ({ keys }: Scope, buyer: string) => ({
  ...keys,
  buyer: buyerKey(keys, buyer),
  erasure: erasureKey(keys, buyer),
});

/** Records that a buyer is being erased. False where there is no such buyer. `now` in ms. */
export async function beginErasing(
  scope: Scope,
  buyer: string,
  asked: { readonly by: By; readonly request: string },
  now: number,
): Promise<boolean> {
  const args = { now, request: asked.request, buyerId: buyer, by: byText(asked.by) };
  const [answer] = await run(scope.redis, beginScript, keysFor(scope, buyer), args);
  return answer === 'done';
}

export type Erased =
  | { readonly kind: 'next'; readonly conversation: string }
  | { readonly kind: 'erased' }
  | ({ readonly kind: 'moved'; readonly next: string; readonly from: string } & Effects);

/**
 * One step of erasing a buyer: the newest conversation, or the buyer once `conversation` is ''; then `contacts` are those of
 * `contactsOf`, and `fingerprint` is all that is left of them.
 */
export async function eraseNewest(
  scope: Scope,
  place: Place,
  { fingerprint, contacts = [] }: { readonly fingerprint: string; readonly contacts?: readonly string[] },
  now: number,
): Promise<Erased> {
  const keys = {
    ...keysFor(scope, place.buyer),
    conversation: conversationKey(scope.keys, place.conversation),
    messages: messagesKey(scope.keys, place.conversation),
    sent: sentKey(scope.keys, place.conversation),
  };
  const { version } = scope;
  const args = { now, version, buyerId: place.buyer, conversationId: place.conversation, fingerprint };
  const reply = await run(scope.redis, eraseScript, keys, args, scope.ready, contacts);
  if (reply[0] === 'erased') return { kind: 'erased' };
  if (reply[0] === 'next') return { kind: 'next', conversation: String(reply[1]) };
  return { kind: 'moved', next: String(reply[1]), from: String(reply[2]), ...effectsOf(reply[3], reply[4]) };
}

/** Members of a sorted set that are read in one command. */
const PAGE = 1_000;

/** Every contact of a buyer in the lines of contacts, `<buyer>:<agent>`, also those that their own list names no more. */
export async function contactsOf({ redis, keys }: Scope, buyer: string): Promise<string[]> {
  const found = new Set<string>();
  for (const line of [keys.hot, keys.warm]) {
    let cursor = '0';
    do {
      // No character of an identifier is a wildcard.
      const [next, flat] = await redis.zscan(line, cursor, 'MATCH', `${buyer}:*`, 'COUNT', PAGE);
      for (let i = 0; i < flat.length; i += 2) found.add(flat[i] ?? '');
      cursor = next;
    } while (cursor !== '0');
  }
  return [...found];
}

/** What is known of a buyer who is being erased. */
export type Erasure = {
  /** `talk` while the buyer is still there, `traces` when there is nothing of them but traces. */
  readonly state: 'talk' | 'traces';
  /** Entries of the logs before these are theirs; '' while they are still there. */
  readonly lastEvent: string;
  readonly lastAudit: string;
  readonly conversations: ReadonlySet<string>;
  /** Events of which a delivery may have been made. */
  readonly events: readonly string[];
};

/** `undefined` for who is not being erased. */
export async function readErasure({ redis, keys }: Scope, buyer: string): Promise<Erasure | undefined> {
  const fields = await redis.hgetall(erasureKey(keys, buyer));
  if (!fields.state) return undefined;
  const named = (prefix: string) =>
    Object.keys(fields).flatMap((field) => (field.startsWith(prefix) ? [field.slice(prefix.length)] : []));
  return {
    state: fields.state as Erasure['state'],
    lastEvent: fields.lastEvent ?? '',
    lastAudit: fields.lastAudit ?? '',
    conversations: new Set(named('c:')),
    events: named('e:'),
  };
}

/** A page of the event stream: `waits` where an event is being worked on by a reader. */
export async function eraseTraces(scope: Scope, buyer: string, count: number): Promise<'more' | 'waits' | 'done'> {
  const [answer] = await run(scope.redis, tracesScript, keysFor(scope, buyer), { buyerId: buyer, count });
  return answer as 'more' | 'waits' | 'done';
}

/** Forgets the erasing itself. False where the buyer has come back and is being erased again. */
export async function endErasing(scope: Scope, buyer: string, { lastEvent }: Erasure): Promise<boolean> {
  const [answer] = await run(scope.redis, endScript, keysFor(scope, buyer), { buyerId: buyer, lastEvent });
  return answer === 'done';
}

/** Buyers who have been being erased since `until` (ms) or longer, longest first. */
export const beingErased = ({ redis, keys }: Scope, until: number, limit: number): Promise<string[]> =>
  redis.zrangebyscore(keys.erasing, '-inf', until, 'LIMIT', 0, limit);
