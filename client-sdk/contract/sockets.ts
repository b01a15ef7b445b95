/** Socket commands and events: their schemas, and the typed event maps that socket.io takes on both sides. */
import { z } from 'zod';
import { assignment, conversation, message, messageBody } from './entities.ts';
import type { Failure } from './errors.ts';
import { duration, identifier, orderState, outcome, presence, presenceCause, timestamp } from './words.ts';

/** A command sent twice with the same `requestId` is carried out once and answers the same. */
const requestId = identifier.optional();
const seq = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const about = z.strictObject({ conversation: identifier, requestId });
const nothing = z.object({});

/** What the buyer brings along when clicking. */
export const entry = z.strictObject({
  product: identifier.optional(),
  orderState: orderState.optional(),
  intent: identifier.optional(),
  order: identifier.optional(),
});

const messageList = z
  .strictObject({
    conversation: identifier,
    afterSeq: seq.optional(),
    beforeSeq: seq.optional(),
    limit: z.int().min(1).max(200).default(50),
  })
  .refine((q) => q.afterSeq === undefined || q.beforeSeq === undefined, 'takes afterSeq or beforeSeq, not both');

const shared = {
  'message:send': {
    data: z.strictObject({ conversation: identifier, clientId: identifier, body: messageBody }),
    answer: z.object({ message }),
  },
  'message:list': { data: messageList, answer: z.object({ messages: z.array(message), hasMore: z.boolean() }) },
  'typing:set': { data: z.strictObject({ conversation: identifier, typing: z.boolean() }), answer: nothing },
  'message:read': { data: z.strictObject({ conversation: identifier, seq }), answer: nothing },
};

export const buyerCommands = {
  'chat:open': { data: entry.extend({ requestId }), answer: z.object({ conversation, assignment }) },
  ...shared,
  'chat:human': { data: about, answer: z.object({ conversation }) },
  'chat:rate': {
    data: z.strictObject({
      conversation: identifier,
      score: z.int().min(1).max(5),
      comment: z.string().max(2_000).optional(),
      requestId,
    }),
    answer: nothing,
  },
  'chat:close': { data: about, answer: z.object({ conversation }) },
  /** Waits no longer: the shop's rule for left messages applies. */
  'queue:leave': { data: about, answer: z.object({ conversation }) },
} as const;

/** What a morning agent needs to know of the night: since when the buyer waits, and what the proxy told them last. */
export const overnightReport = z.object({ since: timestamp, proxy: identifier, said: z.array(message) });

export const heldConversation = conversation.extend({
  pending: z.boolean(),
  /** What happened during the night, where it came in then. */
  night: overnightReport.optional(),
});

export const agentCommands = {
  'presence:set': { data: z.strictObject({ presence, requestId }), answer: z.object({ presence }) },
  'conversation:list': { data: z.strictObject({}), answer: z.object({ conversations: z.array(heldConversation) }) },
  ...shared,
  'conversation:transfer': {
    data: z.strictObject({
      conversation: identifier,
      to: z.union([z.strictObject({ agent: identifier }), z.strictObject({ group: identifier })]),
      note: z.string().max(2_000).optional(),
      requestId,
    }),
    answer: z.object({ conversation }),
  },
  'conversation:close': { data: about, answer: z.object({ conversation }) },
  'pool:claim': { data: about, answer: z.object({ conversation }) },
  'conversation:handover': {
    data: about.extend({ reason: z.string().max(2_000).optional() }),
    answer: z.object({ conversation, assignment }),
  },
} as const;

const who = z.object({ kind: z.enum(['buyer', 'agent', 'robot', 'system']), id: identifier });

const sharedEvents = {
  'message:created': z.object({ message }),
  'typing:changed': z.object({ conversation: identifier, by: who, typing: z.boolean() }),
  /** Everything up to `seq` has been seen by `by`. */
  'message:seen': z.object({ conversation: identifier, by: who, seq }),
};

export const buyerEvents = {
  ...sharedEvents,
  'chat:changed': z.object({
    conversation,
    agent: z.object({ id: identifier, name: z.string() }).optional(),
    /** Place in the queue, 1 is next. */
    queue: z.object({ position: z.int().min(1), reason: z.string(), etaMs: duration.optional() }).optional(),
  }),
} as const;

/** Why a conversation came to an agent, or left one. */
export const moveCause = z.enum([
  'open',
  'agent-offline',
  'robot-handover',
  'queue',
  'pool',
  'morning',
  'transfer',
  'pool-claim',
  'no-reply',
  'queue-left',
  'idle',
  'closed',
  'erased',
]);

export const agentEvents = {
  ...sharedEvents,
  'conversation:assigned': z.object({
    conversation,
    assignment,
    cause: moveCause,
    /** What the colleague who transferred it says, or why the robot handed it over. */
    note: z.string().optional(),
    /** What happened during the night, where it is handed over in the morning. */
    overnight: overnightReport.optional(),
  }),
  'conversation:released': z.object({
    conversation,
    /** Where it went. */
    to: z.object({ outcome, agent: identifier.optional() }).optional(),
    cause: moveCause,
  }),
  'load:changed': z.object({ pending: z.int().min(0), active: z.int().min(0) }),
  'presence:changed': z.object({ agent: identifier, presence, cause: presenceCause }),
  'reply:slow': z.object({ conversations: z.array(z.object({ conversation: identifier, waitingSince: timestamp })) }),
  'contact:cooled': z.object({ buyer: identifier }),
  'contact:expired': z.object({ buyer: identifier }),
} as const;

export type Entry = z.infer<typeof entry>;
export type OvernightReport = z.infer<typeof overnightReport>;
export type MoveCause = z.infer<typeof moveCause>;
export type HeldConversation = z.infer<typeof heldConversation>;

/** How every command is acknowledged. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: Failure };

type Command = { data: z.ZodType; answer: z.ZodType };
export type CommandData<C extends Command> = z.input<C['data']>;
export type CommandAnswer<C extends Command> = z.output<C['answer']>;
export type CommandMap<Commands extends Record<string, Command>> = {
  [K in keyof Commands]: (
    data: CommandData<Commands[K]>,
    ack: (answer: Ack<CommandAnswer<Commands[K]>>) => void,
  ) => void;
};
export type EventMap<Events extends Record<string, z.ZodType>> = {
  [K in keyof Events]: (data: z.output<Events[K]>) => void;
};

export type BuyerCommands = CommandMap<typeof buyerCommands>;
export type AgentCommands = CommandMap<typeof agentCommands>;
export type BuyerEvents = EventMap<typeof buyerEvents>;
export type AgentEvents = EventMap<typeof agentEvents>;
export type BuyerEventData<K extends keyof typeof buyerEvents> = z.output<(typeof buyerEvents)[K]>;
export type AgentEventData<K extends keyof typeof agentEvents> = z.output<(typeof agentEvents)[K]>;
