/** An agent of the town: replies, transfers, closes, hangs up, goes away and comes back. A robot hands over. */
import { AgentClient, type AgentClientOptions, type Conversation, type Presence } from '../../client-sdk/index.ts';
import { type Hearing, listenTo } from './hearing.ts';
import { insist, type Ledger, pause, type Someone } from './ledger.ts';

/** A conversation as the agent's client shows it. */
export type Held = {
  /** `lastSeq` when it came: what is told begins after it. */
  readonly since: number;
  /** Whether the last that was said is the buyer's. */
  waits: boolean;
};

export type Agent = {
  readonly who: Someone;
  readonly client: AgentClient;
  readonly heard: Hearing;
  /** What the client says that they hold now. */
  readonly held: ReadonlyMap<string, Held>;
  /** Does one thing that agents do. */
  act(): Promise<void>;
  choose(presence: Presence): Promise<void>;
  /** Replies in one of their conversations. */
  speak(): Promise<void>;
  /** Replies wherever a buyer waits. */
  replyToAll(): Promise<void>;
};

export type Shop = {
  readonly colleagues: readonly string[];
  readonly groups: readonly string[];
  /** Conversations in the pool. */
  pool(): Promise<readonly string[]>;
};

/** How long somebody is away at most, in ms: longer than the grace of the shop. */
const AWAY_MS = 4_000;

export function createAgent(
  who: Someone,
  shop: Shop,
  options: AgentClientOptions,
  ledger: Ledger,
  draw: () => number,
): Agent {
  const client = new AgentClient(options);
  const heard = listenTo(client, ledger);
  const held = new Map<string, Held>();
  let made = 0;
  const newId = () => `${who.id}-${++made}`;
  const oneOf = <T>(of: readonly T[]): T | undefined => of[Math.floor(draw() * of.length)];

  const came = ({ id, lastSeq, waitingSince }: Conversation) => {
    held.set(id, { since: held.get(id)?.since ?? lastSeq, waits: waitingSince !== undefined });
  };
  client
    .on('conversations', ({ conversations }) => {
      const now = new Set(conversations.map(({ id }) => id));
      for (const id of held.keys()) if (!now.has(id)) held.delete(id);
      for (const conversation of conversations) came(conversation);
    })
    .on('conversation:assigned', ({ conversation }) => came(conversation))
    .on('conversation:released', ({ conversation }) => held.delete(conversation.id))
    .on('message:created', ({ message }) => {
      const talk = held.get(message.conversation);
      if (talk) talk.waits = message.from.kind === 'buyer';
    });

  async function reply(conversation: string): Promise<void> {
    const clientId = newId();
    const text = `${clientId} replies`;
    const message = await insist(ledger, who, ['message:send', conversation], () =>
      client.send(conversation, text, { clientId }),
    );
    if (message) ledger.said.push({ who, text, clientId, message });
  }

  async function choose(presence: Presence): Promise<void> {
    const requestId = newId();
    await insist(ledger, who, ['presence:set', ''], () => client.command('presence:set', { presence, requestId }));
  }

  async function pass(conversation: string): Promise<void> {
    const agent = oneOf(shop.colleagues);
    const group = oneOf(shop.groups);
    const to = draw() < 0.5 || !group ? { agent: agent ?? '' } : { group };
    const requestId = newId();
    await insist(ledger, who, ['conversation:transfer', conversation], () =>
      client.command('conversation:transfer', { conversation, to, requestId }),
    );
  }

  async function handOver(conversation: string): Promise<void> {
    const requestId = newId();
    await insist(ledger, who, ['conversation:handover', conversation], () =>
      client.command('conversation:handover', { conversation, requestId }),
    );
  }

  const waiting = () => [...held].filter(([, { waits }]) => waits).map(([id]) => id);

  return {
    who,
    client,
    heard,
    held,
    choose,
    async speak() {
      const any = oneOf([...held.keys()]);
      if (any) await reply(any);
    },
    async replyToAll() {
      await Promise.all(waiting().map(reply));
    },
    async act() {
      const luck = draw();
      const any = oneOf([...held.keys()]);
      if (who.kind === 'robot') {
        const asked = oneOf(waiting());
        if (asked) await (luck < 0.5 ? reply(asked) : handOver(asked));
        return;
      }
      if (luck < 0.72) {
        const asked = oneOf(waiting()) ?? any;
        if (asked) await reply(asked);
      } else if (luck < 0.78) {
        if (any) await pass(any);
      } else if (luck < 0.84) {
        if (any) await insist(ledger, who, ['conversation:close', any], () => client.close(any));
      } else if (luck < 0.88) {
        const left = oneOf(await shop.pool());
        if (left) await insist(ledger, who, ['pool:claim', left], () => client.claim(left));
      } else if (luck < 0.96) {
        await choose(draw() < 0.3 ? 'offline' : 'hung-up');
        await pause(draw() * AWAY_MS);
        await choose('online');
      } else {
        client.disconnect();
        await pause(draw() * AWAY_MS);
        await client.connect();
      }
    },
  };
}
