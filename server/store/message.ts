/** Stores and reads messages, and the small notes about a conversation. */
import type { Conversation, Message } from '../../client-sdk/contract/index.ts';
import { buyerKey, conversationKey, messagesKey, sentKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';
import { type Effects, effectsOf, shownConversation } from './shapes.ts';

const messageScript = loadScript(
  'message',
  ['live', 'waits', 'overnight', 'todo', 'lapses', 'events', 'conversation', 'buyer', 'messages', 'sent'],
  ['now', 'version', 'conversationId', 'fromKind', 'fromId', 'clientId', 'body', 'warmMs'],
);
const noteScript = loadScript(
  'note',
  ['events', 'conversation'],
  ['now', 'conversationId', 'byKind', 'byId', 'what', 'value', 'comment'],
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

/** Appends a message; `buyer` is whose conversation it is, `warmMs` how long a contact is kept. */
export async function storeMessage(scope: Scope, buyer: string, draft: Draft, warmMs: number): Promise<Stored> {
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
      warmMs,
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
