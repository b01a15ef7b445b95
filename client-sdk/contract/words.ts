/**
 * The words of Fenliu as schemas: one name for each thing, on the wire as in the code.
 * Everything else in the contract is built from these.
 */
import { z } from 'zod';

/** Names a shop, an agent, a buyer, a group, a conversation …: 1 to 64 of letters, digits, `_`, `-`, `.`. */
export const identifier = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be 1 to 64 of letters, digits, "_", "-", "."')
  .refine((id) => id !== '__proto__', 'is reserved');

/** Milliseconds since the epoch, UTC. */
export const timestamp = z.int().min(0);

/** A length of time in milliseconds; at most ten years, so that sums stay exact. */
export const duration = z
  .int()
  .min(0)
  .max(10 * 366 * 24 * 3_600_000);

export const presence = z.enum(['online', 'hung-up', 'offline']);
export const presenceCause = z.enum([
  'chose',
  'connected',
  'lost-connection',
  'supervisor',
  'auto-hang-up',
  'auto-resume',
]);
export const orderState = z.enum(['none', 'unpaid', 'paid', 'shipped', 'completed', 'after-sales']);
export const role = z.enum(['owner', 'supervisor', 'agent']);
export const kind = z.enum(['human', 'robot']);
export const groupMode = z.enum(['efficiency-first', 'conversion-first']);
/** An agent's strength within one group. */
export const level = z.int().min(1).max(5);
export const conversationState = z.enum(['robot', 'queued', 'pooled', 'assigned', 'closed']);
export const outcome = z.enum(['agent', 'robot', 'proxy', 'owner', 'queue', 'pool']);

/** The routing chain, in the order it is walked. */
export const step = z.enum([
  'hot-contact',
  'night-shift',
  'nobody-on-duty',
  'warm-contact',
  'exclusive-agent',
  'shop-robot',
  'group-robot',
  'group',
  'widened',
  'full',
]);

/** The whole shop where a group is named; no identifier can be so. */
export const WHOLE_SHOP = '*';

export type Presence = z.infer<typeof presence>;
export type PresenceCause = z.infer<typeof presenceCause>;
export type OrderState = z.infer<typeof orderState>;
export type Role = z.infer<typeof role>;
export type Kind = z.infer<typeof kind>;
export type GroupMode = z.infer<typeof groupMode>;
export type ConversationState = z.infer<typeof conversationState>;
export type Outcome = z.infer<typeof outcome>;
export type StepName = z.infer<typeof step>;
