/** A robot over HTTP: what its URL is sent, what it may answer, and what becomes of a delivery that never succeeds. */
import { z } from 'zod';
import { assignment, conversation, MAX_TEXT_LENGTH, message } from './entities.ts';
import { identifier, timestamp } from './words.ts';

/** What is said of every delivery. `id` stays the same through all attempts. */
const delivery = { id: identifier, at: timestamp, shop: identifier, agent: identifier };

/**
 * The body of a delivery. `at` is when it happened; what is in `data` is as it was when the delivery was sent.
 * Deliveries may come out of order: `seq` of a message, and `lastSeq` of a conversation, tell.
 */
export const webhookEvent = z.discriminatedUnion('type', [
  /** A conversation has come to the robot, or its buyer has clicked again. */
  z.object({
    ...delivery,
    type: z.literal('conversation:assigned'),
    data: z.object({ conversation, assignment }),
  }),
  /** The buyer of a conversation that the robot holds has written. */
  z.object({ ...delivery, type: z.literal('message:created'), data: z.object({ message, conversation }) }),
]);

export const webhookEventType = z.enum(['conversation:assigned', 'message:created']);

/** The most one answer may say. */
export const MAX_ANSWER_MESSAGES = 10;

/** What a robot answers, if it has something to say; the messages come before the hand-over. Nothing at all is fine too. */
export const webhookAnswer = z.strictObject({
  messages: z
    .array(z.strictObject({ text: z.string().min(1).max(MAX_TEXT_LENGTH) }))
    .max(MAX_ANSWER_MESSAGES)
    .default([]),
  /** To a human. */
  handover: z.strictObject({ reason: z.string().max(2_000).optional() }).optional(),
});

/** A delivery that failed at every attempt. */
export const deadLetter = z.object({
  id: identifier,
  agent: identifier,
  type: webhookEventType,
  conversation: identifier,
  /** When it happened. */
  at: timestamp,
  attempts: z.int().min(0),
  /** Why the last attempt failed; never what anybody wrote. */
  error: z.string(),
});

export type WebhookEvent = z.infer<typeof webhookEvent>;
export type WebhookEventType = z.infer<typeof webhookEventType>;
export type WebhookAnswer = z.infer<typeof webhookAnswer>;
export type DeadLetter = z.infer<typeof deadLetter>;
