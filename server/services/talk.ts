/** What is said in a conversation: messages, typing, what has been seen, and the buyer's rating. */
import {
  type agentCommands,
  type CommandAnswer,
  type Message,
  type MessageBody,
  Refusal,
} from '../../client-sdk/contract/index.ts';
import { noteOn, readMessages, storeMessage } from '../store/message.ts';
import { type ConversationRecord, readConversation } from '../store/read.ts';
import { type Actor, maySee, maySteer } from './actor.ts';
import type { Except, House } from './house.ts';
import { refusalFor } from './refusals.ts';
import { replay } from './replay.ts';
import { tellEffects } from './told.ts';

/** A conversation that the actor may see. Throws `not-found`, also for somebody else's: nobody learns that it is there. */
export async function visible(house: House, actor: Actor, id: string): Promise<ConversationRecord> {
  const { scope } = await house.configs.get(actor.shop);
  const record = await readConversation(scope, id);
  if (!record || !maySee(actor, record.conversation)) throw refusalFor('missing');
  return record;
}

export type Saying = { readonly conversation: string; readonly clientId: string; readonly body: MessageBody };

/**
 * Stores a message and tells both sides; the same `clientId` again answers the same message, though an agent may no longer
 * see the conversation. `now` in ms.
 *
 * Throws `not-found`; `forbidden` for an agent who does not hold the conversation; `conflict` when it is closed.
 */
export async function say(house: House, actor: Actor, saying: Saying, now: number, except?: Except): Promise<Message> {
  const { shop } = actor;
  const known = await readConversation((await house.configs.get(shop)).scope, saying.conversation);
  if (!known) throw refusalFor('missing');
  const { conversation } = known;
  // Who has lost it does not see it any more; only the script tells whether they had said this before.
  const seen = maySee(actor, conversation);
  const id = house.ids.message();
  const stored = await house.configs.use(shop, ({ config, scope }) =>
    storeMessage(
      scope,
      conversation.buyer,
      {
        id,
        conversation: conversation.id,
        from: { kind: actor.kind, id: actor.id },
        body: saying.body,
        clientId: saying.clientId,
        at: now,
      },
      config.settings.contactWindows,
    ),
  );
  if (stored.kind === 'repeat') return stored.message;
  if (stored.kind !== 'stored') throw refusalFor(seen ? stored.kind : 'missing');
  const { message } = stored;
  house.meter.said(actor.kind);
  house.tell.buyer(shop, conversation.buyer, 'message:created', { message }, except);
  if (stored.conversation.agent) {
    house.tell.agent(shop, stored.conversation.agent, 'message:created', { message }, except);
  }
  tellEffects(house, shop, stored);
  if (stored.dispatchAgain || stored.presences.length > 0) house.due(shop, now);
  return message;
}

export type Listing = {
  readonly conversation: string;
  readonly afterSeq?: number | undefined;
  readonly beforeSeq?: number | undefined;
  readonly limit: number;
};

/** A page of messages in order: after `afterSeq`, or the last before `beforeSeq`, or the last of all. Throws `not-found`. */
export async function listMessages(
  house: House,
  actor: Actor,
  { conversation: id, afterSeq, beforeSeq, limit }: Listing,
): Promise<CommandAnswer<(typeof agentCommands)['message:list']>> {
  const { conversation } = await visible(house, actor, id);
  const { scope } = await house.configs.get(actor.shop);
  const last = conversation.lastSeq;
  if (afterSeq !== undefined) return replay(house, scope, conversation, afterSeq, limit);
  const until = Math.min(last, (beforeSeq ?? last + 1) - 1);
  const from = Math.max(1, until - limit + 1);
  return { messages: await readMessages(scope, id, from, until), hasMore: from > 1 };
}

/** Tells the other side who types; nothing is kept. Throws `not-found`. */
export async function setTyping(house: House, actor: Actor, id: string, typing: boolean): Promise<void> {
  const { conversation } = await visible(house, actor, id);
  const event = { conversation: id, by: { kind: actor.kind, id: actor.id }, typing };
  if (actor.kind !== 'buyer') house.tell.buyer(actor.shop, conversation.buyer, 'typing:changed', event);
  else if (conversation.agent) house.tell.agent(actor.shop, conversation.agent, 'typing:changed', event);
}

/** Everything up to `seq` has been seen; only ever grows, and never beyond the last message. Throws `not-found`, `forbidden`. */
export async function markRead(house: House, actor: Actor, id: string, seq: number, now: number): Promise<void> {
  const { scope } = await house.configs.get(actor.shop);
  const noted = await noteOn(scope, { now, conversation: id, by: actor, what: 'seen', seq });
  if (noted.kind !== 'done') throw refusalFor(maySteer(actor) ? noted.kind : 'missing');
  if (!noted.changed) return;
  const event = { conversation: id, by: { kind: actor.kind, id: actor.id }, seq: noted.value };
  if (actor.kind !== 'buyer') house.tell.buyer(actor.shop, noted.buyer, 'message:seen', event);
  else if (noted.agent) house.tell.agent(actor.shop, noted.agent, 'message:seen', event);
}

/** The buyer rates a conversation, open or closed; the last rating counts. Throws `not-found`. */
export async function rate(
  house: House,
  actor: Actor,
  id: string,
  rating: { readonly score: number; readonly comment?: string | undefined },
  now: number,
): Promise<void> {
  if (actor.kind !== 'buyer') throw new Refusal('forbidden', 'Only the buyer rates a conversation.');
  const { scope } = await house.configs.get(actor.shop);
  const noted = await noteOn(scope, {
    now,
    conversation: id,
    by: actor,
    what: 'rated',
    score: rating.score,
    comment: rating.comment ?? '',
  });
  if (noted.kind !== 'done') throw refusalFor('missing');
}
