/** Delivers one event to the webhook of a robot, and does what it answers. */
import { Refusal, type WebhookAnswer, type WebhookEvent } from '../../client-sdk/contract/index.ts';
import { readSecret } from '../store/configure.ts';
import type { Delivery } from '../store/deliveries.ts';
import { readMessages } from '../store/message.ts';
import { readAssignmentById, readConversation } from '../store/read.ts';
import type { Scope } from '../store/scope.ts';
import { type AgentActor, agentActor } from './actor.ts';
import type { House } from './house.ts';
import { handOver } from './moves.ts';
import { secretNames } from './secret-names.ts';
import { say } from './talk.ts';
import { answerFrom, sealed } from './webhook-message.ts';
import type { Post } from './webhook-post.ts';

export type { Delivery } from '../store/deliveries.ts';

/** The event as it stands now; `undefined` once the robot does not hold the conversation any more. */
async function eventOf(scope: Scope, delivery: Delivery): Promise<WebhookEvent | undefined> {
  const { id, type, at, shop, agent } = delivery;
  const record = await readConversation(scope, delivery.conversation);
  if (!record || record.conversation.state === 'closed' || record.conversation.agent !== agent) return undefined;
  const { conversation } = record;
  const envelope = { id, at, shop, agent };
  if (type === 'message:created') {
    const seq = delivery.seq ?? 0;
    const [message] = await readMessages(scope, conversation.id, seq, seq);
    return message && { ...envelope, type, data: { message, conversation } };
  }
  const request = delivery.request ?? record.request;
  const assignment = await readAssignmentById(scope, `${conversation.id}.${request}`);
  return assignment && { ...envelope, type, data: { conversation, assignment } };
}

/** Twice is harmless: each message, and the hand-over, is known by the delivery. */
async function carryOut(
  house: House,
  actor: AgentActor,
  { id, conversation }: Delivery,
  { messages, handover }: WebhookAnswer,
  now: number,
): Promise<void> {
  for (const [i, { text }] of messages.entries()) {
    await say(house, actor, { conversation, clientId: `${id}-${i}`, body: { type: 'text', text } }, now);
  }
  if (handover) await handOver(house, actor, conversation, now, { reason: handover.reason, requestId: id });
}

/** `dropped`: there is nobody to deliver it to any more, or nothing to be done with the answer. */
export type Delivered = 'delivered' | 'dropped';

/**
 * One attempt. Throws `DeliveryFailed` for what the receiver could do better, and what the store throws; the same delivery
 * can be tried again after either.
 */
export async function deliver(
  house: House,
  delivery: Delivery,
  { post, clock }: { readonly post: Post; readonly clock: () => number },
): Promise<Delivered> {
  const { shop, agent } = delivery;
  const { config, scope } = await house.configs.fresh(shop);
  const actor = agentActor(config, agent);
  const url = config.agents.get(agent)?.webhook?.url;
  const [secret, event] = await Promise.all([
    readSecret(house.redis, shop, secretNames.webhook + agent),
    eventOf(scope, delivery),
  ]);
  if (!actor || !url || !secret || !event) return 'dropped';
  const { body, headers } = sealed(event, secret, clock());
  const answer = answerFrom(await post(url, headers, body));
  try {
    await carryOut(house, actor, delivery, answer, clock());
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'unavailable') throw error;
    // The conversation has moved on while the robot was thinking.
    house.log.info({ shop, agent, delivery: delivery.id, code: error.code }, 'the answer of a webhook came too late');
    return 'dropped';
  }
  return 'delivered';
}
