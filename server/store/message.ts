/** Stores and reads messages, and the small notes about a conversation. */
import type { Conversation, Message, Settings } from '../../client-sdk/contract/index.ts';
import { buyerKey, conversationKey, messagesKey, sentKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';
import { type Effects, effectsOf, shownConversation } from './shapes.ts';

const messageScript = loadScript(
  'message',
  [
    'live',
    'waits',
    'owed',
    'overnight',
    'todo',
    'lapses',
    'hot',
    'warm',
    'shifts',
    'events',
    'conversation',
    'buyer',
    'messages',
    'sent',
  ],
  ['now', 'version', 'conversationId', 'fromKind', 'fromId', 'clientId', 'body', 'hotMs', 'warmMs'],
);
const noteScript = loadScript(
  'note',
  ['events', 'conversation'],
  ['now', 'conversationId', 'byKind', 'byId', 'what', 'value', 'comment'],
);

const welcomeScript = loadScript(
  'welcome',
  ['events', 'conversation', 'messages', 'sent'],
  ['now', 'conversationId', 'clientId', 'body'],
);

/** A message before it has its place. */
export type Draft = Omit<Message, 'seq'> & { readonly clientId: string };

export type Stored =
  | { readonly kind: 'missing' | 'closed' | 'not-holder' }
  | { readonly kind: 'repeat'; readonly message: Message }
  | ({
      readonly kind: 'stored';
      readonly message: Message;
      readonly conversation: Conversation;
      /** Its holder is away: it is due to be dispatched again. */
      readonly dispatchAgain: boolean;
    } & Effects);

/** Appends a message; `buyer` is whose conversation it is, `windows` how long a contact is hot, and kept. */
export async function storeMessage(
  scope: Scope,
  buyer: string,
  draft: Draft,
  windows: Settings['contactWindows'],
): Promise<Stored> {
  const { keys } = scope;
  const reply = await run(
    scope.redis,
    messageScript,
    {
      ...keys,
      conversation: conversationKey(keys, draft.conversation),
      buyer: buyerKey(keys, buyer),
      messages: messagesKey(keys, draft.conversation),
      sent: sentKey(keys, draft.conversation),
    },
    {
      now: draft.at,
      version: scope.version,
      conversationId: draft.conversation,
      fromKind: draft.from.kind,
      fromId: draft.from.id,
      clientId: draft.clientId,
      body: JSON.stringify(draft).slice(0, -1),
      ...windows,
    },
    scope.ready,
  );
  switch (reply[0]) {
    case 'missing':
    case 'closed':
    case 'not-holder':
      return { kind: reply[0] };
    case 'repeat':
      return { kind: 'repeat', message: JSON.parse(String(reply[1])) as Message };
    default:
      return {
        kind: 'stored',
        message: JSON.parse(String(reply[1])) as Message,
        conversation: shownConversation(scope.shop, reply[2]),
        dispatchAgain: reply[3] === '1',
        ...effectsOf(reply[4], reply[5]),
      };
  }
}

/** Says the shop's welcome in a buyer's first conversation; `undefined` if it has been said, or it is not the first. */
export async function storeWelcome(scope: Scope, draft: Draft): Promise<Message | undefined> {
  const { keys } = scope;
  const [outcome, message] = await run(
    scope.redis,
    welcomeScript,
    {
      ...keys,
      conversation: conversationKey(keys, draft.conversation),
      messages: messagesKey(keys, draft.conversation),
      sent: sentKey(keys, draft.conversation),
    },
    {
      now: draft.at,
      conversationId: draft.conversation,
      clientId: draft.clientId,
      body: JSON.stringify(draft).slice(0, -1),
    },
  );
  return outcome === 'stored' ? (JSON.parse(String(message)) as Message) : undefined;
}

/** Messages with `first` ≤ seq ≤ `last`, in order. */
export async function readMessages(
  scope: Scope,
  conversation: string,
  first: number,
  last: number,
): Promise<Message[]> {
  if (last < first) return [];
  const lines = await scope.redis.lrange(messagesKey(scope.keys, conversation), first - 1, last - 1);
  return lines.map((line) => JSON.parse(line) as Message);
}

export type Note = {
  readonly now: number;
  readonly conversation: string;
  readonly by: { readonly kind: 'buyer' | 'agent' | 'robot'; readonly id: string };
} & (
  | { readonly what: 'seen'; readonly seq: number }
  | { readonly what: 'rated'; readonly score: number; readonly comment: string }
);

export type Noted =
  | { readonly kind: 'missing' | 'not-holder' }
  | {
      readonly kind: 'done';
      readonly agent: string;
      readonly buyer: string;
      readonly changed: boolean;
      readonly value: number;
    };

export async function noteOn(scope: Scope, note: Note): Promise<Noted> {
  const reply = await run(
    scope.redis,
    noteScript,
    { ...scope.keys, conversation: conversationKey(scope.keys, note.conversation) },
    {
      now: note.now,
      conversationId: note.conversation,
      byKind: note.by.kind,
      byId: note.by.id,
      what: note.what,
      value: note.what === 'seen' ? note.seq : note.score,
      comment: note.what === 'rated' ? note.comment : '',
    },
  );
  if (reply[0] === 'missing' || reply[0] === 'not-holder') return { kind: reply[0] };
  return {
    kind: 'done',
    agent: String(reply[1]),
    buyer: String(reply[2]),
    changed: reply[3] === '1',
    value: Number(reply[4]),
  };
}
