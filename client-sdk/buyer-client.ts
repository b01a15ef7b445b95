/** The buyer's side of a chat: opens it, talks, waits in the queue, rates. */
import { ChatClient, type ClientOptions, type Told } from './chat-client.ts';
import { CommandError } from './command-error.ts';
import type { AnswerOf } from './commands.ts';
import type { BuyerCommands, BuyerEventData, BuyerEvents, Conversation, Entry, Message } from './contract/index.ts';
import { chatDigest, MAX_KNOWN } from './contract/sync.ts';
import { createOvertaking } from './overtaking.ts';

export type BuyerClientOptions = ClientOptions;

/** What a buyer hears, beside `status` and `refused`. */
export type BuyerClientEvents = BuyerEvents;

type Chat = BuyerEventData<'chat:changed'>;

/** What came before the answer of a click. */
type Early = { readonly conversations: Map<string, Conversation>; readonly messages: Message[] };
const nothingEarly = (): Early => ({ conversations: new Map(), messages: [] });
/** Messages kept of it. */
const EARLY_KEPT = 500;

export class BuyerClient extends ChatClient<BuyerCommands, BuyerClientEvents> {
  /** What was told last of the chat, and how far the other side has seen each conversation. */
  #chat: Chat | undefined;
  readonly #seen = new Map<string, number>();
  readonly #overtaking = createOvertaking();
  /** Clicks that have not been answered. */
  #opening = 0;
  /** Of conversations not known yet: only the answer tells whether the click began them, and all in them is news. */
  #early = nothingEarly();

  constructor(options: BuyerClientOptions) {
    super('/buyer', options);
  }

  /**
   * The buyer clicks the chat icon: the dispatcher runs, and the answer says where they went. Of a conversation that
   * was there before, `message:created` tells what comes after its `lastSeq`; `list` has the rest.
   */
  async open(entry: Entry = {}): Promise<AnswerOf<BuyerCommands, 'chat:open'>> {
    this.#opening += 1;
    try {
      return await this.command('chat:open', entry);
    } finally {
      this.#opening -= 1;
      if (this.#opening === 0) this.#hearEarly();
    }
  }

  /** Asks for a human instead of the robot. */
  async human(conversation: string): Promise<Conversation> {
    return (await this.command('chat:human', { conversation })).conversation;
  }

  /** Rates the conversation, 1 (worst) to 5. */
  async rate(conversation: string, score: number, comment?: string): Promise<void> {
    await this.command('chat:rate', { conversation, score, ...(comment !== undefined && { comment }) });
  }

  /** Ends the conversation. */
  async close(conversation: string): Promise<Conversation> {
    return (await this.command('chat:close', { conversation })).conversation;
  }

  /** Waits in the queue no longer, and leaves a message instead. A conversation that is not in the queue stays as it is. */
  async leaveQueue(conversation: string): Promise<Conversation> {
    return (await this.command('queue:leave', { conversation })).conversation;
  }

  protected override resync(): Promise<void> {
    return this.sync();
  }

  protected override async sync(): Promise<void> {
    try {
      while (await this.#catchUp()) {}
    } catch (error) {
      if (!(error instanceof CommandError) || error.code !== 'invalid') throw error;
      // A server older than this client: it has only the messages to ask for.
      for (const conversation of this.flow.following().keys()) this.flow.catchUp(conversation);
    }
  }

  protected override heard(name: string, data: unknown): void {
    if (name === 'chat:changed') this.#changed(data as Chat);
    if (name === 'message:seen') {
      const { conversation, by, seq } = data as BuyerEventData<'message:seen'>;
      const before = this.#seen.get(conversation) ?? 0;
      if (by.kind !== 'buyer' && this.flow.follows(conversation)) this.#seen.set(conversation, Math.max(before, seq));
    }
  }

  protected override learned(_command: string, { conversation, assignment }: Told): void {
    if (!conversation) return;
    // This very click began it: whatever is in it already, such as a welcome, nobody has seen.
    const news = assignment && conversation.openedAt === assignment.at;
    if (assignment) this.flow.follow(conversation.id, news ? 0 : conversation.lastSeq);
    this.#note(conversation);
  }

  protected override surprised(): void {
    // Opened on another device: the messages themselves are all there is to know.
  }

  /** Gets what was missed, as much as is answered at once; true where there is more. */
  async #catchUp(): Promise<boolean> {
    const known = [...this.flow.following()]
      .slice(-MAX_KNOWN)
      .map(([conversation, seq]) => ({ conversation, seq, seen: this.#seen.get(conversation) ?? 0 }));
    const { answer, overtaken } = await this.#overtaking.during(() =>
      this.probe('state:sync', { known, ...(this.#chat && { chat: chatDigest(this.#chat) }) }),
    );
    this.livesOn(answer.store);
    this.flow.take(answer.messages.filter(({ conversation }) => this.flow.follows(conversation)));
    for (const seen of answer.seen) {
      if (seen.seq <= (this.#seen.get(seen.conversation) ?? 0) || !this.flow.follows(seen.conversation)) continue;
      this.#seen.set(seen.conversation, seen.seq);
      this.tell('message:seen', seen);
    }
    for (const { conversation, lastSeq } of answer.behind ?? []) this.flow.doubt(conversation, lastSeq);
    for (const conversation of answer.ended) this.#leave(conversation);
    if (answer.chat && !overtaken.has('chat')) {
      this.tell('chat:changed', answer.chat);
      this.#changed(answer.chat);
    }
    return answer.hasMore && answer.messages.length > 0;
  }

  #changed(chat: Chat): void {
    this.#chat = chat;
    this.#overtaking.note('chat');
    this.#note(chat.conversation);
  }

  protected override isTimely(message: Message): boolean {
    if (!this.#isEarly(message.conversation)) return true;
    // What does not fit is found missing, and fetched.
    if (this.#early.messages.length < EARLY_KEPT) this.#early.messages.push(message);
    return false;
  }

  #isEarly(conversation: string): boolean {
    return this.#opening > 0 && !this.flow.follows(conversation);
  }

  #hearEarly(): void {
    const { conversations, messages } = this.#early;
    this.#early = nothingEarly();
    for (const conversation of conversations.values()) this.#note(conversation);
    this.flow.take(messages);
  }

  #note(conversation: Conversation): void {
    if (this.#isEarly(conversation.id)) this.#early.conversations.set(conversation.id, conversation);
    else if (conversation.state === 'closed') this.#leave(conversation.id, conversation.lastSeq);
    else this.flow.follow(conversation.id, conversation.lastSeq);
  }

  #leave(conversation: string, lastSeq?: number): void {
    this.#seen.delete(conversation);
    this.flow.leave(conversation, lastSeq);
  }
}
