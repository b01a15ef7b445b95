/** Conversations change hands, or end, because a person says so. */
import { type Assignment, type Conversation, type MoveCause, Refusal } from '../../client-sdk/contract/index.ts';
import { close, closeIdle, type Move, takeFromPool, transfer } from '../store/moves.ts';
import { type ConversationRecord, readAssignmentById, readConversation } from '../store/read.ts';
import type { Scope } from '../store/scope.ts';
import type { Moved } from '../store/shapes.ts';
import { type Actor, type AgentActor, bySteering, maySee, maySteer } from './actor.ts';
import { dispatchAgain } from './dispatch.ts';
import type { House } from './house.ts';
import { refusalFor } from './refusals.ts';
import { visible } from './talk.ts';
import { tellBuyer, tellEffects, tellMove } from './told.ts';

const placeOf = (conversation: Conversation) => ({ conversation: conversation.id, buyer: conversation.buyer });

async function latestAssignment(scope: Scope, record: ConversationRecord): Promise<Assignment> {
  const assignment = await readAssignmentById(scope, `${record.conversation.id}.${record.request}`);
  if (!assignment) throw refusalFor('missing');
  return assignment;
}

/** Tells everybody what a move has brought about, and answers the conversation as it is now. */
async function settle(
  house: House,
  actor: Actor,
  record: ConversationRecord,
  move: Move,
  cause: MoveCause,
  now: number,
  note?: string,
): Promise<Conversation> {
  if (move.kind === 'repeat') return move.conversation;
  // Before anything is awaited: loads are told in the order in which they came about.
  if ('loads' in move) tellEffects(house, actor.shop, move);
  if (move.kind === 'away' || move.kind === 'nobody-on-duty') {
    if (move.presences.length > 0) house.due(actor.shop, now);
  }
  if (move.kind === 'away' && cause === 'pool-claim') throw refusalFor('offline');
  if (move.kind !== 'moved') throw refusalFor(move.kind);
  const at = await house.configs.get(actor.shop);
  const { conversation, from } = move;
  if (conversation.state === 'closed') return tellClosed(house, actor.shop, move, cause, now);
  const assignment = await latestAssignment(at.scope, record);
  tellMove(house, actor.shop, { conversation, assignment, from, cause, note });
  await tellBuyer(house, at, conversation, now);
  house.due(actor.shop, now);
  return conversation;
}

/** Tells both sides that a conversation has ended, and gives its place to who waits. */
async function tellClosed(
  house: House,
  shop: string,
  { conversation, from }: Moved,
  cause: MoveCause,
  now: number,
): Promise<Conversation> {
  if (from) house.tell.agent(shop, from, 'conversation:released', { conversation, cause });
  await tellBuyer(house, await house.configs.get(shop), conversation, now);
  house.due(shop, now);
  return conversation;
}

export type TransferTo = { readonly agent: string } | { readonly group: string };

/**
 * An agent gives a conversation they hold, a supervisor any, to a colleague or to whoever's turn it is in a group. The
 * same `requestId` again answers the conversation as it is now, though the sender may no longer see it.
 *
 * Throws `not-found`; `forbidden` for who does not hold it; `conflict` when closed, or nobody is there to take it.
 */
export async function transferConversation(
  house: House,
  actor: AgentActor,
  id: string,
  to: TransferTo,
  now: number,
  options: { readonly note?: string | undefined; readonly requestId?: string | undefined } = {},
): Promise<Conversation> {
  const at = await house.configs.get(actor.shop);
  const record = await readConversation(at.scope, id);
  if (!record) throw refusalFor('missing');
  // Who has given it away does not see it any more; only the script tells whether this is their request once more.
  const seen = maySee(actor, record.conversation);
  const move = await house.configs.use(actor.shop, ({ config, scope }) => {
    const known = 'agent' in to ? config.agents.has(to.agent) : config.groups.has(to.group);
    if (!known && !seen) throw refusalFor('missing');
    if (!known) throw new Refusal('not-found', 'There is no such agent or group in this shop; check the id.');
    return transfer(scope, {
      now,
      place: placeOf(record.conversation),
      by: maySteer(actor) ? '' : actor.id,
      steering: bySteering(actor),
      to: 'agent' in to ? { kind: 'agent', id: to.agent } : { kind: 'group', id: to.group },
      windows: config.settings.contactWindows,
      request: house.ids.request(actor.id, options.requestId),
    });
  });
  if (!seen && (move.kind === 'closed' || move.kind === 'not-holder')) throw refusalFor('missing');
  return settle(house, actor, record, move, 'transfer', now, options.note);
}

/** An agent takes a conversation out of the pool; only one can. Throws `not-found`, `conflict`. */
export async function claimFromPool(house: House, actor: AgentActor, id: string, now: number): Promise<Conversation> {
  const { scope } = await house.configs.get(actor.shop);
  const record = await readConversation(scope, id);
  if (!record) throw refusalFor('missing');
  const move = await house.configs.use(actor.shop, ({ config, scope: at }) =>
    takeFromPool(at, placeOf(record.conversation), actor.id, config.settings.contactWindows, now, bySteering(actor)),
  );
  return settle(house, actor, record, move, 'pool-claim', now);
}

/** The buyer, the holder or a supervisor ends a conversation; a closed one answers as it is. Throws `not-found`, `forbidden`. */
export async function closeConversation(house: House, actor: Actor, id: string, now: number): Promise<Conversation> {
  const record = await visible(house, actor, id);
  const kind = actor.kind === 'buyer' ? 'buyer' : maySteer(actor) ? 'supervisor' : 'agent';
  const move = await house.configs.use(actor.shop, ({ scope }) =>
    close(scope, placeOf(record.conversation), { kind, id: actor.id }, now, bySteering(actor)),
  );
  return settle(house, actor, record, move, 'closed', now);
}

/**
 * Closes a conversation in which nobody waits for a reply and nothing was said for the shop's `idleCloseMs`. One in which
 * the buyer waits is never closed over their head. Answers whether it is closed now.
 */
export async function closeIfIdle(house: House, shop: string, id: string, now: number): Promise<boolean> {
  const record = await readConversation((await house.configs.get(shop)).scope, id);
  const place = { conversation: id, buyer: record?.conversation.buyer ?? '' };
  const closed = await house.configs.use(shop, ({ config, scope }) =>
    closeIdle(scope, place, config.settings.idleCloseMs, now),
  );
  if (!closed) return false;
  tellEffects(house, shop, closed);
  await tellClosed(house, shop, closed, 'idle', now);
  return true;
}

export type HandedOver = { readonly conversation: Conversation; readonly assignment: Assignment };

/**
 * A robot hands its conversation to a human, or the buyer asks for one: the chain runs again without the robot steps.
 * Where a human has it already, or it waits for one, nothing changes. The same `requestId` again answers the same
 * assignment, though the robot may no longer see the conversation. Throws `not-found`, `forbidden`, `conflict`.
 */
export async function handOver(
  house: House,
  actor: Actor,
  id: string,
  now: number,
  options: { readonly reason?: string | undefined; readonly requestId?: string | undefined } = {},
): Promise<HandedOver> {
  const { scope } = await house.configs.get(actor.shop);
  const record = await readConversation(scope, id);
  if (!record) throw refusalFor('missing');
  const { conversation } = record;
  // The sender's own: nobody is answered for somebody else's request.
  const request = house.ids.request(`${id}:${actor.kind}:${actor.id}`, options.requestId);
  const before = options.requestId === undefined ? undefined : await readAssignmentById(scope, `${id}.${request}`);
  if (before) return { conversation, assignment: before };
  if (!maySee(actor, conversation)) throw refusalFor('missing');
  if (conversation.state === 'closed') throw refusalFor('closed');
  if (conversation.state !== 'robot') return { conversation, assignment: await latestAssignment(scope, record) };
  if (actor.kind !== 'buyer' && conversation.agent !== actor.id && !maySteer(actor)) throw refusalFor('not-holder');
  const claimed = await dispatchAgain(
    house,
    actor.shop,
    { mode: 'human', record, note: options.reason, request, steering: bySteering(actor) },
    now,
  );
  house.due(actor.shop, now);
  if (claimed.kind === 'assigned') return { conversation: claimed.conversation, assignment: claimed.assignment };
  // Somebody was faster: answer what holds now.
  const present = await readConversation(scope, id);
  if (!present) throw refusalFor('missing');
  return { conversation: present.conversation, assignment: await latestAssignment(scope, present) };
}
