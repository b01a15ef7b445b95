/** What a user of a client has been told, written down as a page would: kept by the events alone. */
import type {
  AgentEventData,
  BuyerEventData,
  Conversation,
  Message,
  Presence,
} from '../../client-sdk/contract/index.ts';
import type { AgentClient, BuyerClient } from '../../client-sdk/index.ts';

/** Messages by conversation, as they were told. */
type Messages = Map<string, Message[]>;

function write(messages: Messages, message: Message): void {
  messages.set(message.conversation, [...(messages.get(message.conversation) ?? []), message]);
}

export type BuyerBook = {
  readonly messages: Messages;
  chat: BuyerEventData<'chat:changed'> | undefined;
  /** How far the other side has seen each conversation. */
  readonly seen: Map<string, number>;
  connections: number;
};

export function bookOfBuyer(client: BuyerClient): BuyerBook {
  const book: BuyerBook = { messages: new Map(), chat: undefined, seen: new Map(), connections: 0 };
  client.on('message:created', ({ message }) => write(book.messages, message));
  client.on('chat:changed', (chat) => {
    book.chat = chat;
  });
  client.on('message:seen', ({ conversation, by, seq }) => {
    if (by.kind !== 'buyer') book.seen.set(conversation, seq);
  });
  client.on('status', ({ connected }) => {
    if (connected) book.connections += 1;
  });
  return book;
}

export type AgentBook = {
  /** By conversation: since when it is held, as far as its messages go, and what was told since. */
  readonly held: Map<string, { readonly from: number; readonly conversation: Conversation }>;
  readonly messages: Messages;
  readonly presences: Map<string, Presence>;
  readonly seen: Map<string, number>;
  load: AgentEventData<'load:changed'> | undefined;
  connections: number;
};

export function bookOfAgent(client: AgentClient): AgentBook {
  const book: AgentBook = {
    held: new Map(),
    messages: new Map(),
    presences: new Map(),
    seen: new Map(),
    load: undefined,
    connections: 0,
  };
  const hold = (conversation: Conversation) => {
    const from = book.held.get(conversation.id)?.from ?? conversation.lastSeq;
    book.held.set(conversation.id, { from, conversation });
  };
  client.on('conversations', ({ conversations }) => {
    const ids = new Set(conversations.map(({ id }) => id));
    for (const id of book.held.keys()) if (!ids.has(id)) book.held.delete(id);
    for (const conversation of conversations) hold(conversation);
  });
  client.on('conversation:assigned', ({ conversation }) => hold(conversation));
  client.on('conversation:released', ({ conversation }) => book.held.delete(conversation.id));
  client.on('message:created', ({ message }) => write(book.messages, message));
  client.on('message:seen', ({ conversation, by, seq }) => {
    if (by.kind === 'buyer') book.seen.set(conversation, seq);
  });
  client.on('load:changed', (load) => {
    book.load = load;
  });
  client.on('presence:changed', ({ agent, presence }) => book.presences.set(agent, presence));
  client.on('status', ({ connected }) => {
    if (connected) book.connections += 1;
  });
  return book;
}
