/** What clients see: conversation, message, assignment, and what a shop is made of. */
import { z } from 'zod';
import {
  conversationState,
  groupMode,
  identifier,
  kind,
  level,
  orderState,
  outcome,
  presence,
  presenceCause,
  role,
  step,
  timestamp,
} from './words.ts';

export const conversation = z.object({
  id: identifier,
  shop: identifier,
  buyer: identifier,
  state: conversationState,
  /** Who holds it; absent while queued or pooled. Once closed: who held it last. */
  agent: identifier.optional(),
  group: identifier.optional(),
  /** The latest assignment, whose trace explains why it is where it is. */
  assignment: identifier.optional(),
  /** Came in during the night shift. */
  overnight: z.boolean(),
  /** Since when it waits for the morning; absent where it did not come in during the night shift. */
  overnightSince: timestamp.optional(),
  /** Since when the buyer waits for a reply; absent when nobody waits. */
  waitingSince: timestamp.optional(),
  /** `seq` of the last message, 0 before the first. */
  lastSeq: z.int().min(0),
  openedAt: timestamp,
  closedAt: timestamp.optional(),
});

/** The most a message may carry, in characters. */
export const MAX_TEXT_LENGTH = 8_000;

export const messageBody = z.strictObject({
  type: z.literal('text'),
  text: z.string().min(1).max(MAX_TEXT_LENGTH),
});

export const message = z.object({
  id: identifier,
  conversation: identifier,
  /** Counts 1, 2, 3 … within a conversation. */
  seq: z.int().min(1),
  from: z.object({ kind: z.enum(['buyer', 'agent', 'robot', 'system']), id: identifier }),
  body: messageBody,
  clientId: identifier.optional(),
  at: timestamp,
});

/** One step of the chain as it was tried: why it passed, or why it won. Further fields say with what facts. */
export const traceItem = z.looseObject({
  step,
  result: z.enum(['won', 'passed']),
  /** A code of the catalogue in `texts/routing.ts`. */
  why: z.string(),
});

export const assignment = z.object({
  id: identifier,
  conversation: identifier,
  buyer: identifier,
  at: timestamp,
  outcome,
  agent: identifier.optional(),
  group: identifier.optional(),
  step,
  trace: z.array(traceItem),
});

/** Where a robot is sent what happens. All staff of the shop can read it: secrets have no place in it. */
const webhookUrl = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((url) => !/^\w+:\/*[^/?#]*@/.test(url), 'must not carry a user or password');

export const agent = z.object({
  id: identifier,
  name: z.string(),
  role,
  kind,
  /** Conversations at once; absent: no limit. */
  capacity: z.int().optional(),
  /** A robot that is sent what happens over HTTP, instead of keeping a socket. */
  webhook: z.object({ url: z.string() }).optional(),
});

const shortText = z.string().trim().min(1).max(200);

export const agentPut = z.strictObject({
  name: shortText,
  role: role.default('agent'),
  kind: kind.default('human'),
  capacity: z.int().min(1).max(100_000).nullish(),
  password: z.string().min(8).max(200).optional(),
  /** For robots; `null` removes it, and it stays if none is sent. */
  webhook: z.strictObject({ url: webhookUrl }).nullish(),
});

const bindings = z.array(identifier).max(1_000).default([]);

export const groupBinds = z.strictObject({
  crowds: bindings,
  products: bindings,
  intents: bindings,
  orderStates: z.array(orderState).max(6).default([]),
});

export const groupPut = z.strictObject({
  name: shortText,
  binds: groupBinds.default({ crowds: [], products: [], intents: [], orderStates: [] }),
  members: z
    .array(z.strictObject({ agent: identifier, level }))
    .max(20_000)
    .default([])
    .refine((members) => new Set(members.map((m) => m.agent)).size === members.length, 'names an agent twice'),
  mode: groupMode.default('efficiency-first'),
  robot: identifier.nullable().default(null),
});
export const group = groupPut.extend({ id: identifier });

export const buyerPut = z.strictObject({
  name: shortText.optional(),
  crowds: z.array(identifier).max(100).default([]),
  exclusiveAgent: identifier.nullish(),
});
export const buyer = z.object({
  id: identifier,
  name: z.string().optional(),
  crowds: z.array(identifier),
  exclusiveAgent: identifier.optional(),
});

/** An agent as the live board shows it. */
export const liveAgent = z.object({
  id: identifier,
  presence,
  connected: z.boolean(),
  pending: z.int().min(0),
  active: z.int().min(0),
  onDuty: z.boolean(),
});
/** A change of an agent's presence. */
export const shift = z.object({
  at: timestamp,
  presence,
  cause: presenceCause,
  /** The supervisor who decided it; `api-key` or `admin` for a program. */
  by: z.string().optional(),
});
/** A conversation that waits for somebody to hold it. */
export const unheld = z.object({ conversation: identifier, buyer: identifier, since: timestamp });

export type Conversation = z.infer<typeof conversation>;
export type MessageBody = z.infer<typeof messageBody>;
export type Message = z.infer<typeof message>;
export type TraceItem = z.infer<typeof traceItem>;
export type Assignment = z.infer<typeof assignment>;
export type Agent = z.infer<typeof agent>;
export type AgentPut = z.infer<typeof agentPut>;
export type Group = z.infer<typeof group>;
export type GroupPut = z.infer<typeof groupPut>;
export type Buyer = z.infer<typeof buyer>;
export type BuyerPut = z.infer<typeof buyerPut>;
export type LiveAgent = z.infer<typeof liveAgent>;
export type Shift = z.infer<typeof shift>;
export type Unheld = z.infer<typeof unheld>;
