/** The agent's side: presence, the conversations held, and moving them on. Robots use it too. */
import { ChatClient, type ClientOptions, type Told } from './chat-client.ts';
import type { AnswerOf } from './commands.ts';
import type {
  AgentCommands,
  AgentEventData,
  AgentEvents,
  Conversation,
  HeldConversation,
  Presence,
} from './contract/index.ts';

export type AgentClientOptions = ClientOptions;

/** What an agent hears, beside `status` and `refused`. */
export type AgentClientEvents = AgentEvents & {
  /**
   * All conversations held now, in place of whatever was known before: after every connection, and whenever it turns
   * out that an assignment or a release was missed. `message:created` tells what comes after each one's `lastSeq`.
   */
  conversations: (data: { conversations: HeldConversation[] }) => void;
};

/** What came and went while a list was on its way: the conversation as it came, or undefined when it went. */
type Moves = Map<string, HeldConversation | undefined>;

function held(conversation: Conversation): HeldConversation {
  return { ...conversation, pending: conversation.waitingSince !== undefined };
}

export class AgentClient extends ChatClient<AgentCommands, AgentClientEvents> {
  /** The conversations this client believes to be held. */
  #held = new Set<string>();
  readonly #listings = new Set<Moves>();
  /** A listing for every connection is due until it was told. */
  #afresh = false;
  #resyncing = false;

  constructor(options: AgentClientOptions) {
    super('/agent', options);
  }

  /** Chooses one's presence. */
  async setPresence(presence: Presence): Promise<Presence> {
    return (await this.command('presence:set', { presence })).presence;
  }

  /** All conversations held now. */
  async conversations(): Promise<HeldConversation[]> {
    const moves: Moves = new Map();
    this.#listings.add(moves);
    try {
      const { conversations } = await this.command('conversation:list', {});
      // Events come by another way than the answer, and may have come first: what they say is the later truth.
      const now = new Map(conversations.map((conversation) => [conversation.id, conversation]));
      for (const [id, moved] of moves) {
        if (!moved) now.delete(id);
        else if (!now.has(id)) now.set(id, moved);
      }
      return [...now.values()];
    } finally {
      this.#listings.delete(moves);
    }
  }

  /** Passes a conversation on to a colleague, or to whoever's turn it is in a group. */
  async transfer(
    conversation: string,
    to: { agent: string } | { group: string },
    note?: string,
  ): Promise<Conversation> {
    const data = { conversation, to, ...(note !== undefined && { note }) };
    return (await this.command('conversation:transfer', data)).conversation;
  }

  /** Ends a conversation. */
  async close(conversation: string): Promise<Conversation> {
    return (await this.command('conversation:close', { conversation })).conversation;
  }

  /** Takes a conversation out of the pool. */
  async claim(conversation: string): Promise<Conversation> {
    return (await this.command('pool:claim', { conversation })).conversation;
  }

  /** A robot hands over to a human. */
  handover(conversation: string, reason?: string): Promise<AnswerOf<AgentCommands, 'conversation:handover'>> {
    return this.command('conversation:handover', { conversation, ...(reason !== undefined && { reason }) });
  }

  protected override async resync(afresh: boolean): Promise<void> {
    if (afresh) {
      this.#afresh = true;
      // A list not yet answered is asked again on this connection, and then knows better than events before it.
      for (const moves of this.#listings) moves.clear();
    }
    if (this.#resyncing) return;
    this.#resyncing = true;
    try {
      const conversations = await this.conversations();
      const ids = new Set(conversations.map(({ id }) => id));
      const missed = ids.size !== this.#held.size || [...ids].some((id) => !this.#held.has(id));
      this.#held = ids;
      if (this.#afresh || missed) {
        this.#afresh = false;
        this.tell('conversations', { conversations });
      }
      for (const { id, lastSeq } of conversations) this.flow.follow(id, lastSeq);
      for (const id of this.flow.following()) if (!ids.has(id)) this.flow.leave(id);
    } catch (error) {
      this.resyncSoon(error);
    } finally {
      this.#resyncing = false;
    }
  }

  protected override heard(name: string, data: unknown): void {
    if (name === 'conversation:assigned') this.#came((data as AgentEventData<'conversation:assigned'>).conversation);
    if (name === 'conversation:released') this.#went((data as AgentEventData<'conversation:released'>).conversation);
  }

  protected override learned(command: string, { conversation }: Told): void {
    if (!conversation) return;
    if (conversation.state === 'closed') this.#went(conversation);
    else if (command === 'pool:claim') this.#came(conversation);
    // A transfer says by its events who lost and who got it: a supervisor may have moved it to themselves.
  }

  /** An assignment was missed, or is late. */
  protected override surprised(): void {
    void this.resync(false);
  }

  #came(conversation: Conversation): void {
    this.#held.add(conversation.id);
    for (const moves of this.#listings) moves.set(conversation.id, held(conversation));
    this.flow.follow(conversation.id, conversation.lastSeq);
  }

  #went(conversation: Conversation): void {
    this.#held.delete(conversation.id);
    for (const moves of this.#listings) moves.set(conversation.id, undefined);
    this.flow.leave(conversation.id, conversation.lastSeq);
  }
}
