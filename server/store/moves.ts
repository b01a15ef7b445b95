/** Conversations change hands by a person's decision: transfer, taking from the pool, closing, erasing. */
import type { Conversation, Settings } from '../../client-sdk/contract/index.ts';
import { buyerKey, conversationKey, messagesKey, sentKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { loadScript, type Reply, run } from './script.ts';
import { type Effects, effectsOf, type Moved, movedFrom, shownConversation } from './shapes.ts';

const moveKeys = ['live', 'held', 'waits', 'owed', 'queue', 'pool', 'overnight', 'todo', 'lapses'] as const;
const transferScript = loadScript(
  'transfer',
  [...moveKeys, 'hot', 'warm', 'places', 'shifts', 'events', 'conversation', 'buyer'],
  ['now', 'version', 'conversationId', 'by', 'toKind', 'to', 'hotMs', 'warmMs', 'request'],
);
const takeScript = loadScript(
  'take',
  [...moveKeys, 'hot', 'warm', 'places', 'shifts', 'events', 'conversation', 'buyer'],
  ['now', 'version', 'conversationId', 'agentId', 'hotMs', 'warmMs'],
);
const closeScript = loadScript(
  'close',
  [...moveKeys, 'idle', 'closed', 'places', 'shifts', 'events', 'conversation', 'buyer'],
  ['now', 'version', 'conversationId', 'byKind', 'byId', 'idleMs'],
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
    'buyer',
    'conversation',
    'messages',
    'sent',
  ],
  ['now', 'version', 'buyerId', 'conversationId'],
);

/** `repeat`: it was so already. The others say why not. */
export type Move =
  | { readonly kind: 'missing' | 'closed' | 'not-holder' | 'taken' }
  | ({ readonly kind: 'away' | 'nobody-on-duty' } & Effects)
  | { readonly kind: 'repeat'; readonly conversation: Conversation }
  | ({ readonly kind: 'moved' } & Moved);

function moveFrom(shop: string, reply: Reply): Move {
  const kind = reply[0];
  if (kind === 'moved') return { kind, ...movedFrom(shop, reply) };
  if (kind === 'repeat') return { kind, conversation: shownConversation(shop, reply[1]) };
  if (kind === 'away' || kind === 'nobody-on-duty') return { kind, ...effectsOf([], reply[1]) };
  return { kind: kind as 'missing' | 'closed' | 'not-holder' | 'taken' };
}

/** A conversation and whose it is: both are in the key of what a move writes. */
export type Place = { readonly conversation: string; readonly buyer: string };

const keysFor = (scope: Scope, place: Place) => ({
  ...scope.keys,
  conversation: conversationKey(scope.keys, place.conversation),
  buyer: buyerKey(scope.keys, place.buyer),
});

export type Transfer = {
  readonly now: number;
  readonly place: Place;
  /** Who must hold it, or '' for a supervisor, who need not. */
  readonly by: string;
  readonly to: { readonly kind: 'agent' | 'group'; readonly id: string };
  readonly windows: Settings['contactWindows'];
  /** The same again is answered as before. */
  readonly request: string;
};

export async function transfer(scope: Scope, t: Transfer): Promise<Move> {
  const args = {
    now: t.now,
    version: scope.version,
    conversationId: t.place.conversation,
    by: t.by,
    toKind: t.to.kind,
    to: t.to.id,
    ...t.windows,
    request: t.request,
  };
  return moveFrom(scope.shop, await run(scope.redis, transferScript, keysFor(scope, t.place), args, scope.ready));
}

/** An agent takes a conversation out of the pool; `windows` is how long a contact is hot, and kept. */
export async function takeFromPool(
  scope: Scope,
  place: Place,
  agent: string,
  windows: Settings['contactWindows'],
  now: number,
): Promise<Move> {
  const args = { now, version: scope.version, conversationId: place.conversation, agentId: agent, ...windows };
  return moveFrom(scope.shop, await run(scope.redis, takeScript, keysFor(scope, place), args, scope.ready));
}

function runClose(scope: Scope, place: Place, now: number, by: { kind: string; id: string; idleMs: number }) {
  const { conversation: conversationId } = place;
  const args = { now, version: scope.version, conversationId, byKind: by.kind, byId: by.id, idleMs: by.idleMs };
  return run(scope.redis, closeScript, keysFor(scope, place), args, scope.ready);
}

export async function close(
  scope: Scope,
  place: Place,
  by: { readonly kind: 'buyer' | 'agent' | 'supervisor'; readonly id: string },
  now: number,
): Promise<Move> {
  return moveFrom(scope.shop, await runClose(scope, place, now, { ...by, idleMs: 0 }));
}

/** Closes a conversation if nobody waits for a reply and nothing was said for `idleMs`; `undefined` if it stays open. */
export async function closeIdle(scope: Scope, place: Place, idleMs: number, now: number): Promise<Moved | undefined> {
  const reply = await runClose(scope, place, now, { kind: 'time', id: '', idleMs });
  return reply[0] === 'moved' ? movedFrom(scope.shop, reply) : undefined;
}

export type Erased =
  | { readonly kind: 'next'; readonly conversation: string }
  | { readonly kind: 'erased' }
  | ({ readonly kind: 'moved'; readonly next: string; readonly from: string } & Effects);

/** One step of erasing a buyer: the newest conversation, or the buyer once `conversation` is ''. */
export async function eraseNewest(scope: Scope, place: Place, now: number): Promise<Erased> {
  const keys = {
    ...keysFor(scope, place),
    messages: messagesKey(scope.keys, place.conversation),
    sent: sentKey(scope.keys, place.conversation),
  };
  const args = { now, version: scope.version, buyerId: place.buyer, conversationId: place.conversation };
  const reply = await run(scope.redis, eraseScript, keys, args, scope.ready);
  if (reply[0] === 'erased') return { kind: 'erased' };
  if (reply[0] === 'next') return { kind: 'next', conversation: String(reply[1]) };
  return { kind: 'moved', next: String(reply[1]), from: String(reply[2]), ...effectsOf(reply[3], reply[4]) };
}
