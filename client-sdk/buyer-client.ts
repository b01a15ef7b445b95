/** The buyer's side of a chat: opens it, talks, waits in the queue, rates. */
import { ChatClient, type ClientOptions, type Told } from './chat-client.ts';
import type { AnswerOf } from './commands.ts';
import type { BuyerCommands, BuyerEventData, BuyerEvents, Conversation, Entry } from './contract/index.ts';

export type BuyerClientOptions = ClientOptions;

/** What a buyer hears, beside `status` and `refused`. */
export type BuyerClientEvents = BuyerEvents;

export class BuyerClient extends ChatClient<BuyerCommands, BuyerClientEvents> {
  constructor(options: BuyerClientOptions) {
    super('/buyer', options);
  }

  /**
   * The buyer clicks the chat icon: the dispatcher runs, and the answer says where they went. Of a conversation that
   * was there before, `message:created` tells what comes after its `lastSeq`; `list` has the rest.
   */
  open(entry: Entry = {}): Promise<AnswerOf<BuyerCommands, 'chat:open'>> {
    return this.command('chat:open', entry);
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

  protected override async resync(): Promise<void> {
    for (const conversation of this.flow.following()) this.flow.catchUp(conversation);
  }

  protected override heard(name: string, data: unknown): void {
    if (name === 'chat:changed') this.#note((data as BuyerEventData<'chat:changed'>).conversation);
  }

  protected override learned(_command: string, { conversation, assignment }: Told): void {
    if (!conversation) return;
    // This very click began it: whatever is in it already, such as a welcome, nobody has seen.
    if (assignment && conversation.openedAt === assignment.at) this.flow.follow(conversation.id, 0);
    this.#note(conversation);
  }

  protected override surprised(): void {
    // Opened on another device: the messages themselves are all there is to know.
  }

  #note(conversation: Conversation): void {
    if (conversation.state === 'closed') this.flow.leave(conversation.id, conversation.lastSeq);
    else this.flow.follow(conversation.id, conversation.lastSeq);
  }
}
