/** The agent's side: presence, the conversations held, and moving them on. Robots use it too. */
import { ChatClient, type ClientOptions, type CommandOptions, type Told } from './chat-client.ts';
import { CommandError } from './command-error.ts';
import type { AnswerOf } from './commands.ts';
import type {
  AgentCommands,
  AgentEventData,
  AgentEvents,
  Conversation,
  HeldConversation,
  Presence,
} from './contract/index.ts';
import { digestsOf, heldFact, partOf } from './contract/sync.ts';
import { createOvertaking } from './overtaking.ts';
import { createPresences } from './presences.ts';

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

/** What is to be known of a conversation besides its messages: its latest assignment, and how far the buyer has seen it. */
type Held = { readonly assignment: string | undefined; readonly seen: number };

function held(conversation: Conversation): HeldConversation {
  return { ...conversation, pending: conversation.waitingSince !== undefined };
}

type Answer = AnswerOf<AgentCommands, 'state:sync'>;

/** Whether something is in one of these parts, of as many as were asked about. */
function inParts(parts: readonly number[], asked: readonly number[]): (key: string) => boolean {
  const differing = new Set(parts);
  return (key) => differing.has(partOf(key, Math.max(1, asked.length)));
}

/** How the presence of an agent is called where conversations are called by their ids. */
const presenceOf = (agent: string) => `presence:${agent}`;

export class AgentClient extends ChatClient<AgentCommands, AgentClientEvents> {
  /** The conversations this client believes to be held, and what was told last. */
  #held = new Map<string, Held>();
  readonly #presences = createPresences();
  #load: AgentEventData<'load:changed'> | undefined;
  readonly #overtaking = createOvertaking();
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
  conversations(): Promise<HeldConversation[]> {
    return this.#list();
  }

  async #list(options?: CommandOptions): Promise<HeldConversation[]> {
    const moves: Moves = new Map();
    this.#listings.add(moves);
    try {
      const { conversations } = await this.command('conversation:list', {}, options);
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

  protected override async resync(): Promise<void> {
    this.#afresh = true;
    // A list not yet answered is asked again on this connection, and then knows better than events before it.
    for (const moves of this.#listings) moves.clear();
    await this.#relist();
  }

  protected override async sync(): Promise<void> {
    try {
      // Of this connection nothing is known yet.
      if (this.#afresh || !(await this.#compare())) await this.#relist();
    } catch (error) {
      if (!(error instanceof CommandError) || error.code !== 'invalid') throw error;
      // A server older than this client: it has only the list to ask for.
      await this.#relist();
    }
  }

  /** Asks for all that is held, and tells it where that is not what was told. */
  async #relist(): Promise<void> {
    if (this.#resyncing) return;
    this.#resyncing = true;
    const following = this.flow.following();
    try {
      const conversations = await this.#list({ patienceMs: 0 });
      const missed =
        conversations.length !== this.#held.size ||
        conversations.some(({ id, assignment }) => this.#held.get(id)?.assignment !== assignment);
      this.#held = new Map(
        conversations.map(({ id, assignment }) => [id, { assignment, seen: this.#held.get(id)?.seen ?? 0 }]),
      );
      if (this.#afresh || missed) {
        this.#afresh = false;
        this.tell('conversations', { conversations });
      }
      for (const { id, lastSeq } of conversations) this.#bringTo(id, lastSeq, following);
      for (const id of this.flow.following().keys()) if (!this.#held.has(id)) this.flow.leave(id);
    } finally {
      this.#resyncing = false;
    }
  }

  /** Says what is known and puts right what is not so. False where conversations came or went unheard. */
  async #compare(): Promise<boolean> {
    const following = this.flow.following();
    const asked = {
      held: digestsOf(
        new Map([...this.#held].map(([id, known]) => [id, heldFact({ ...known, lastSeq: following.get(id) ?? 0 })])),
      ),
      presences: this.#presences.digests(),
    };
    const { answer, overtaken } = await this.#overtaking.during(() =>
      this.probe('state:sync', { ...asked, ...(this.#load && { load: this.#load }) }),
    );
    this.livesOn(answer.store);
    if (answer.load && !overtaken.has('load')) {
      this.tell('load:changed', answer.load);
      this.#load = answer.load;
    }
    if (answer.presences) {
      const compared = inParts(answer.presences.parts, asked.presences);
      const news = this.#presences.meet(answer.presences.changes, compared, (agent) =>
        overtaken.has(presenceOf(agent)),
      );
      for (const change of news) this.tell('presence:changed', change);
    }
    return !answer.held || this.#matches(answer.held, following, inParts(answer.held.parts, asked.held), overtaken);
  }

  /** The server has so many messages; `following` is what was told when it was asked. Fewer: it has lost some. */
  #bringTo(conversation: string, lastSeq: number, following: ReadonlyMap<string, number>): void {
    if (lastSeq < (following.get(conversation) ?? 0)) this.flow.doubt(conversation, lastSeq);
    else this.flow.follow(conversation, lastSeq);
  }

  /** Takes in how far the conversations held have come; false where they are others than was known. */
  #matches(
    { conversations }: NonNullable<Answer['held']>,
    following: ReadonlyMap<string, number>,
    compared: (conversation: string) => boolean,
    overtaken: ReadonlySet<string>,
  ): boolean {
    const there = new Set(conversations.map(({ conversation }) => conversation));
    let same = [...this.#held.keys()].every((id) => !compared(id) || there.has(id) || overtaken.has(id));
    for (const { conversation, buyer, lastSeq, assignment, seen } of conversations) {
      const known = this.#held.get(conversation);
      if (overtaken.has(conversation)) continue;
      if (!known || known.assignment !== assignment) {
        same = false;
        continue;
      }
      this.#bringTo(conversation, lastSeq, following);
      // Less than was told: the store has lost it.
      this.#held.set(conversation, { ...known, seen });
      if (seen > known.seen) this.tell('message:seen', { conversation, by: { kind: 'buyer', id: buyer }, seq: seen });
    }
    return same;
  }

  protected override heard(name: string, data: unknown): void {
    if (name === 'conversation:assigned') this.#came((data as AgentEventData<'conversation:assigned'>).conversation);
    if (name === 'conversation:released') this.#went((data as AgentEventData<'conversation:released'>).conversation);
    if (name === 'load:changed') {
      this.#load = data as AgentEventData<'load:changed'>;
      this.#overtaking.note('load');
    }
    if (name === 'presence:changed') {
      const change = data as AgentEventData<'presence:changed'>;
      this.#presences.heard(change);
      this.#overtaking.note(presenceOf(change.agent));
    }
    if (name === 'message:seen') {
      const { conversation, by, seq } = data as AgentEventData<'message:seen'>;
      const known = this.#held.get(conversation);
      if (!known || by.kind !== 'buyer') return;
      this.#held.set(conversation, { ...known, seen: Math.max(known.seen, seq) });
      this.#overtaking.note(conversation);
    }
  }

  /** Their events say so too, and if these are lost, the heartbeat: until then nobody has been told that it is held, or not. */
  protected override learned(command: string, { conversation }: Told): void {
    if (!conversation) return;
    if (conversation.state === 'closed') this.#moved(conversation.id, undefined);
    else if (command === 'pool:claim') {
      this.#moved(conversation.id, conversation);
      this.flow.follow(conversation.id, conversation.lastSeq);
    }
    // A transfer says by its events who lost and who got it: a supervisor may have moved it to themselves.
  }

  /** An assignment was missed, or is late. */
  protected override surprised(): void {
    this.#relist().catch((error) => this.syncSoon(error));
  }

  #came(conversation: Conversation): void {
    const { id, assignment, lastSeq } = conversation;
    this.#held.set(id, { assignment, seen: this.#held.get(id)?.seen ?? 0 });
    this.#moved(id, conversation);
    this.flow.follow(id, lastSeq);
  }

  #went({ id, lastSeq }: Conversation): void {
    this.#held.delete(id);
    this.#moved(id, undefined);
    this.flow.leave(id, lastSeq);
  }

  /** An answer under way may not know of it. */
  #moved(id: string, conversation: Conversation | undefined): void {
    this.#overtaking.note(id);
    for (const moves of this.#listings) moves.set(id, conversation && held(conversation));
  }
}
