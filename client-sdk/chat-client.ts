/** What the clients of buyers and of agents have in common: a held connection, typed events, messages in order. */
import { Channel, type ConnectionOptions, type ConnectionRefused, type ConnectionStatus } from './channel.ts';
import { CommandError } from './command-error.ts';
import { type AnswerOf, type DataOf, newId } from './commands.ts';
import type { Assignment, BuyerCommands, Conversation, Message, MessageBody } from './contract/index.ts';
import { type Beat, type ClientHeartbeat, createHeartbeat } from './heartbeat.ts';
import { createListeners } from './listeners.ts';
import { createMessageFlow, type MessageFlow } from './message-flow.ts';
import { retryAfterOf } from './outbox.ts';

/** How a client connects, and how often it asks whether it missed something. Times are in milliseconds. */
export type ClientOptions = ConnectionOptions & {
  /**
   * A gap shows itself with the next message; whatever else was missed is found by asking, about this often, and soon
   * after each connection. Default 25000; 0 asks only on connecting.
   */
  checkEveryMs?: number;
};

/** What every client tells beside the events of the contract. */
export type ConnectionEvents = {
  /** The connection came to stand or broke; told again with every attempt to reconnect that failed. */
  status: (status: ConnectionStatus) => void;
  /** The server refused the handshake. */
  refused: (refused: ConnectionRefused) => void;
};

export type CommandOptions = {
  /** How long this command may take, in milliseconds, reconnecting included. */
  timeoutMs?: number;
  /** For how long it is tried again, in milliseconds, as the client's option of this name says for all. */
  patienceMs?: number;
};

/** Which messages to list: the ones after a seq, or the last ones before it; `limit` 1 to 200, default 50. */
export type ListOptions = { limit?: number } & (
  | { afterSeq?: number; beforeSeq?: never }
  | { afterSeq?: never; beforeSeq?: number }
);

/** The commands that both sides have. */
type SharedCommands = Pick<BuyerCommands, 'message:send' | 'message:list' | 'typing:set' | 'message:read'>;

/** What the answer of a command may tell of messages and conversations. */
export type Told = {
  message?: Message;
  messages?: Message[];
  conversation?: Conversation;
  assignment?: Assignment;
};

type EventName<E> = keyof (E & ConnectionEvents) & string;
type ListenerOf<E, K extends EventName<E>> = (E & ConnectionEvents)[K] & ((data: never) => void);

const FETCH_LIMIT = 200;
/** What this client asks of its own accord it asks anew when it cannot be answered. */
const own: CommandOptions = { patienceMs: 0 };

/** Whether an error passes by itself, so that asking again makes sense. */
function passes(error: unknown): boolean {
  return error instanceof CommandError && ['unavailable', 'internal', 'rate-limited', 'timeout'].includes(error.code);
}

/** For how long whoever refused it wants to be left alone, in ms. */
const retryAfter = (error: unknown) => (error instanceof CommandError ? retryAfterOf(error.details) : 0);

export abstract class ChatClient<Commands, Events> {
  readonly #channel: Channel;
  readonly #listeners = createListeners();
  /** The messages of every conversation, on their way to `message:created`. */
  protected readonly flow: MessageFlow;
  readonly #heartbeat: ClientHeartbeat;
  /** The life of the store from which the last heartbeat was answered; across connections. */
  #store: string | undefined;

  constructor(namespace: '/buyer' | '/agent', options: ClientOptions) {
    this.#heartbeat = createHeartbeat({
      everyMs: options.checkEveryMs ?? 25_000,
      ask: () => this.#beat(() => this.sync()),
    });
    this.flow = createMessageFlow({
      list: (conversation, afterSeq) =>
        this.#shared('message:list', { conversation, afterSeq, limit: FETCH_LIMIT }, own),
      tell: (message) => this.#listeners.tell('message:created', { message }),
      asksAgain: (error) => {
        this.syncSoon(error);
        return passes(error) || !this.connected;
      },
    });
    this.#channel = new Channel(namespace, options, {
      connected: () => {
        this.#heartbeat.start(() => this.#beat(() => this.resync()));
      },
      status: (status) => {
        if (!status.connected) this.#heartbeat.stop();
        this.#listeners.tell('status', status);
      },
      refused: (refused) => this.#listeners.tell('refused', refused),
      event: (name, data) => this.#hear(name, data),
    });
  }

  /** Whether the connection stands now. */
  get connected(): boolean {
    return this.#channel.connected;
  }

  /**
   * Connects, and reconnects whenever the connection breaks, until `disconnect`. Resolves when the first connection
   * stands; rejects with a `CommandError` when the server refuses the handshake for good.
   */
  connect(): Promise<void> {
    return this.#channel.connect();
  }

  /** Ends the connection; commands not yet answered are rejected with `closed`. `connect` begins again. */
  disconnect(): void {
    this.#channel.close();
  }

  /** Calls `listener` at every event of this name. */
  on<K extends EventName<Events>>(name: K, listener: ListenerOf<Events, K>): this {
    this.#listeners.add(name, listener);
    return this;
  }

  /** Calls `listener` at the next event of this name only. */
  once<K extends EventName<Events>>(name: K, listener: ListenerOf<Events, K>): this {
    this.#listeners.add(name, listener, true);
    return this;
  }

  /** Stops calling `listener`. */
  off<K extends EventName<Events>>(name: K, listener: ListenerOf<Events, K>): this {
    this.#listeners.remove(name, listener);
    return this;
  }

  /**
   * Sends any command of the contract and answers what the server does. Commands are sent in the order they are called;
   * one that was not answered when the connection broke is sent again. Rejects with a `CommandError`.
   */
  async command<K extends keyof Commands & string>(
    name: K,
    data: DataOf<Commands, K>,
    options: CommandOptions = {},
  ): Promise<AnswerOf<Commands, K>> {
    return (await this.#ask(name, data, options)) as AnswerOf<Commands, K>;
  }

  /**
   * Sends a message; a string is sent as text. Resolves when it is stored. It is told as `message:created` too, once, in
   * its place among the others. `clientId` names this message: the same again answers the same message.
   */
  async send(
    conversation: string,
    body: string | MessageBody,
    options: CommandOptions & { clientId?: string } = {},
  ): Promise<Message> {
    const { message } = await this.#shared(
      'message:send',
      {
        conversation,
        clientId: options.clientId ?? newId(),
        body: typeof body === 'string' ? { type: 'text', text: body } : body,
      },
      options,
    );
    return message;
  }

  /**
   * A page of messages as the server has them. `message:created` tells what comes after the `lastSeq` with which a
   * conversation was first heard of; what came before is listed here. A page may contain what is told as well: `seq`
   * says what is the same.
   */
  list(conversation: string, options: ListOptions = {}): Promise<AnswerOf<SharedCommands, 'message:list'>> {
    return this.#shared('message:list', { conversation, ...options });
  }

  /** Tells the other side whether somebody is typing here. */
  async setTyping(conversation: string, typing: boolean): Promise<void> {
    // Worth telling now or never.
    await this.#shared('typing:set', { conversation, typing }, { patienceMs: 0 });
  }

  /** Tells the other side that everything up to `seq` has been seen. */
  async markRead(conversation: string, seq: number): Promise<void> {
    await this.#shared('message:read', { conversation, seq });
  }

  /** Brings what is known up to date on a new connection. Rejects with what kept it from doing so. */
  protected abstract resync(): Promise<void>;
  /** Asks whether anything was missed. Rejects likewise. */
  protected abstract sync(): Promise<void>;
  /** Takes note of what an event says. It has been told to the listeners already. */
  protected abstract heard(name: string, data: unknown): void;
  /** Takes note of what the answer of a command says. */
  protected abstract learned(command: string, told: Told): void;
  /** A message came of a conversation nobody had spoken of. */
  protected abstract surprised(): void;

  protected tell<K extends EventName<Events>>(
    name: K,
    data: Parameters<Extract<(Events & ConnectionEvents)[K], (data: never) => void>>[0],
  ): void {
    this.#listeners.tell(name, data);
  }

  /** Something could not be asked just now: `sync` follows soon. */
  protected syncSoon(error: unknown): void {
    if (this.connected && passes(error)) this.#heartbeat.soon(retryAfter(error));
  }

  /** Asks over the connection that stands only; one that does not answer is given up for another. */
  protected async probe<K extends keyof Commands & string>(
    name: K,
    data: DataOf<Commands, K>,
  ): Promise<AnswerOf<Commands, K>> {
    return (await this.#channel.probe(name, data)) as AnswerOf<Commands, K>;
  }

  /** Takes note of which life of the store a heartbeat was answered from; another one than before may lack what was told last. */
  protected livesOn(store: string | undefined): void {
    const another = store !== undefined && this.#store !== undefined && store !== this.#store;
    this.#store = store ?? this.#store;
    if (another) this.flow.doubtLatest();
  }

  async #beat(ask: () => Promise<void>): Promise<Beat> {
    try {
      await ask();
      return { again: false };
    } catch (error) {
      return { again: passes(error), retryAfterMs: retryAfter(error) };
    }
  }

  async #ask(name: string, data: object, options: CommandOptions): Promise<unknown> {
    const answer = await this.#channel.command(name, data, options);
    const told = answer as Told;
    if (told.message) this.#take([told.message]);
    // Listed messages are news only to a conversation that is followed.
    if (told.messages) this.#take(told.messages.filter((message) => this.flow.follows(message.conversation)));
    this.learned(name, told);
    return answer;
  }

  #shared<K extends keyof SharedCommands>(
    name: K,
    data: DataOf<SharedCommands, K>,
    options: CommandOptions = {},
  ): Promise<AnswerOf<SharedCommands, K>> {
    return this.#ask(name, data, options) as Promise<AnswerOf<SharedCommands, K>>;
  }

  #hear(name: string, data: unknown): void {
    if (name === 'message:created') {
      const { message } = data as { message: Message };
      if (this.isTimely(message)) this.#take([message]);
      return;
    }
    this.#listeners.tell(name, data);
    this.heard(name, data);
  }

  /** Whether a message may be told by now; one that may not is kept by whoever says so. */
  protected isTimely(_message: Message): boolean {
    return true;
  }

  #take(messages: readonly Message[]): void {
    if (this.flow.take(messages)) this.surprised();
  }
}
