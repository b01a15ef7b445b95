/** Conversations change hands by a person's decision: transfer, taking from the pool, closing. */
import type { By, Conversation, Settings } from '../../client-sdk/contract/index.ts';
import { byText } from './audit.ts';
import { buyerKey, conversationKey, moveKeys } from './keys.ts';
import type { Scope } from './scope.ts';
import { loadScript, type Reply, run } from './script.ts';
import { type Effects, effectsOf, type Moved, movedFrom, shownConversation } from './shapes.ts';

const transferScript = loadScript(
  'transfer',
  [...moveKeys, 'hot', 'warm', 'places', 'shifts', 'events', 'audit', 'conversation', 'buyer'],
  ['now', 'version', 'conversationId', 'by', 'steering', 'toKind', 'to', 'hotMs', 'warmMs', 'request'],
);
const takeScript = loadScript(
  'take',
  [...moveKeys, 'hot', 'warm', 'places', 'shifts', 'events', 'audit', 'conversation', 'buyer'],
  ['now', 'version', 'conversationId', 'agentId', 'steering', 'hotMs', 'warmMs'],
);
const closeScript = loadScript(
  'close',
  [...moveKeys, 'idle', 'closed', 'places', 'shifts', 'events', 'audit', 'conversation', 'buyer'],
  ['now', 'version', 'conversationId', 'byKind', 'byId', 'steering', 'idleMs'],
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
  /** A supervisor, or the owner, who is accountable for moving what they do not hold. */
  readonly steering?: By | undefined;
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
    steering: byText(t.steering),
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
  steering?: By,
): Promise<Move> {
  const args = {
    now,
    version: scope.version,
    conversationId: place.conversation,
    agentId: agent,
    steering: byText(steering),
    ...windows,
  };
  return moveFrom(scope.shop, await run(scope.redis, takeScript, keysFor(scope, place), args, scope.ready));
}

type Closing = { readonly kind: string; readonly id: string; readonly idleMs: number; readonly steering: string };

function runClose(scope: Scope, place: Place, now: number, { kind: byKind, id: byId, idleMs, steering }: Closing) {
  const { conversation: conversationId } = place;
  const args = { now, version: scope.version, conversationId, byKind, byId, steering, idleMs };
  return run(scope.redis, closeScript, keysFor(scope, place), args, scope.ready);
}

export async function close(
  scope: Scope,
  place: Place,
  by: { readonly kind: 'buyer' | 'agent' | 'supervisor'; readonly id: string },
  now: number,
  steering?: By,
): Promise<Move> {
  return moveFrom(scope.shop, await runClose(scope, place, now, { ...by, idleMs: 0, steering: byText(steering) }));
}

/** Closes a conversation if nobody waits for a reply and nothing was said for `idleMs`; `undefined` if it stays open. */
export async function closeIdle(scope: Scope, place: Place, idleMs: number, now: number): Promise<Moved | undefined> {
  const reply = await runClose(scope, place, now, { kind: 'time', id: '', idleMs, steering: '' });
  return reply[0] === 'moved' ? movedFrom(scope.shop, reply) : undefined;
}
