/** Socket commands and events: their schemas, and the typed event maps that socket.io takes on both sides. */
import { z } from 'zod';
import { assignment, conversation, message, messageBody } from './entities.ts';
import type { Failure } from './errors.ts';
import { MAX_KNOWN, MAX_PARTS } from './sync.ts';
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

const who = z.object({ kind: z.enum(['buyer', 'agent', 'robot', 'system']), id: identifier });
/** Everything up to `seq` has been seen by `by`. */
const messageSeen = z.object({ conversation: identifier, by: who, seq });
const chatChanged = z.object({
  conversation,
  agent: z.object({ id: identifier, name: z.string() }).optional(),
  /** Place in the queue, 1 is next. */
  queue: z.object({ position: z.int().min(1), reason: z.string(), etaMs: duration.optional() }).optional(),
});
const load = z.object({ pending: z.int().min(0), active: z.int().min(0) });
const presenceChanged = z.object({ agent: identifier, presence, cause: presenceCause });

const digest = z.int().min(0).max(0xffffffff);
/** What is known in parts, see sync.ts; none says that nothing is known. */
const digests = z.array(digest).max(MAX_PARTS).default([]);
/** The parts, as they were asked for, in which the two sides differ. */
const differing = z.array(z.int().min(0));

/** Which life of the store this is: where it is another one than before, what came last may have been lost. */
const storeLife = z.string().optional();

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
  /** The heartbeat: the client says what it has and gets what it lacks. */
  'state:sync': {
    data: z.strictObject({
      /** Of each conversation the last message the client has, and how far it knows it to be seen by the other side. */
      known: z
        .array(z.strictObject({ conversation: identifier, seq, seen: seq.default(0) }))
        .max(MAX_KNOWN)
        .default([]),
      /** `chatDigest` of the last `chat:changed`; absent before the first. */
      chat: digest.optional(),
    }),
    answer: z.object({
      store: storeLife,
      /** In order, of one conversation after another; 200 at most. */
      messages: z.array(message),
      /** There is more: ask again. */
      hasMore: z.boolean(),
      /** Of these nothing more will come: they have ended, or are not there. */
      ended: z.array(identifier),
      /** These have fewer messages than the client: the store has lost its latest writes. */
      behind: z.array(z.object({ conversation: identifier, lastSeq: seq })).optional(),
      seen: z.array(messageSeen),
      chat: chatChanged.optional(),
    }),
  },
} as const;

/** What a morning agent needs to know of the night: since when the buyer waits, and what the proxy told them last. */
export const overnightReport = z.object({ since: timestamp, proxy: identifier, said: z.array(message) });

export const heldConversation = conversation.extend({
  pending: z.boolean(),
  /** What happened during the night, where it came in then. */
  night: overnightReport.optional(),
});

/** Who sends an agent's command: people by role, and robots, whatever their role. */
export const agentKinds = ['owner', 'supervisor', 'agent', 'robot'] as const;
export type AgentKind = (typeof agentKinds)[number];
const people: readonly AgentKind[] = ['owner', 'supervisor', 'agent'];
/** Who holds conversations with a robot, or may steer it. */
const handingOver: readonly AgentKind[] = ['owner', 'supervisor', 'robot'];

/** A command that not everybody may send says `who` may; others are answered `forbidden`. */
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
  'pool:claim': { who: people, data: about, answer: z.object({ conversation }) },
  'conversation:handover': {
    who: handingOver,
    data: about.extend({ reason: z.string().max(2_000).optional() }),
    answer: z.object({ conversation, assignment }),
  },
  /** The heartbeat: the client says what it knows, and is told where that is not so (any more). */
  'state:sync': {
    data: z.strictObject({
      /** Of the conversations held, each as `heldFact`. */
      held: digests,
      /** Of those who are not offline, each by their presence. */
      presences: digests,
      /** As it was told last. */
      load: z.strictObject({ pending: z.int().min(0), active: z.int().min(0) }).optional(),
    }),
    answer: z.object({
      store: storeLife,
      /** Every conversation that is held now, of the parts that differ. */
      held: z
        .object({
          parts: differing,
          conversations: z.array(
            z.object({
              conversation: identifier,
              buyer: identifier,
              lastSeq: seq,
              assignment: identifier.optional(),
              seen: seq,
            }),
          ),
        })
        .optional(),
      /** Everybody of the parts that differ: oneself, for supervisors everybody; those offline only if any part was known. */
      presences: z.object({ parts: differing, changes: z.array(presenceChanged) }).optional(),
      load: load.optional(),
    }),
  },
} as const;

const sharedEvents = {
  'message:created': z.object({ message }),
  'typing:changed': z.object({ conversation: identifier, by: who, typing: z.boolean() }),
  'message:seen': messageSeen,
};

export const buyerEvents = { ...sharedEvents, 'chat:changed': chatChanged } as const;

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
  'load:changed': load,
  'presence:changed': presenceChanged,
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
