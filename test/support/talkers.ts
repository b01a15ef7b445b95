/** Buyers and agents who talk until they are stopped, and then compare what was acknowledged with what came. */
import { type AgentClient, type BuyerClient, CommandError, type Entry, type Message } from '../../client-sdk/index.ts';
import { keysOfShop, messagesKey } from '../../server/store/keys.ts';
import type { Dispatcher } from './dispatcher.ts';
import { until } from './until.ts';

/** How often a client asks for what it may have missed, in ms. */
const CHECK_MS = 1_000;
/** How long the last words may take to reach everybody, in ms. */
const PATIENCE_MS = 60_000;
/** Refusals after which the same is sent again, as a person would. */
const passing = ['unavailable', 'internal', 'timeout'];

export type Talkers = {
  /** Messages acknowledged so far. */
  acknowledged(): number;
  /** Times that somebody was told to try again. */
  refused(): number;
  /**
   * Everybody finishes their sentence; resolves when all have been shown all of it, or will not be any more. Answers what
   * is wrong, in words.
   */
  stop(): Promise<string[]>;
};

type Talk = {
  readonly id: string;
  /** What the server acknowledged, by sender and client id. */
  readonly acknowledged: Map<string, Message>;
  /** What each end was shown, in the order it was. */
  readonly shown: { readonly buyer: Message[]; readonly agent: Message[] };
};

/**
 * Each of `agents` and `buyers` connects to the next node of the dispatcher, buyers so that they sit elsewhere than whoever
 * they write to half of the time; they click with `entry`, which has to lead to these agents. A buyer writes, waits for
 * the reply, and writes again.
 */
export async function startTalkers(
  dispatcher: Dispatcher,
  agents: readonly string[],
  buyers: readonly string[],
  entry: Entry = {},
): Promise<Talkers> {
  const talks = new Map<string, Talk>();
  let refused = 0;
  let stopping = false;
  let giveUpAt = Number.POSITIVE_INFINITY;
  const talking: Promise<void>[] = [];

  /** Sends until it is acknowledged. */
  async function say(client: AgentClient | BuyerClient, talk: Talk, clientId: string): Promise<void> {
    for (;;) {
      try {
        const message = await client.send(talk.id, clientId, { clientId });
        talk.acknowledged.set(clientId, message);
        return;
      } catch (error) {
        if (!(error instanceof CommandError) || !passing.includes(error.code)) throw error;
        refused++;
      }
    }
  }

  /**
   * Has an agent read as their page would: what was said before they heard of a conversation is listed, what is said later is
   * told. Where the event of an assignment was missed, a heartbeat may be what they hear of it by, and come later than
   * the first message.
   */
  function listen(agent: AgentClient, read: (message: Message) => void): void {
    const known = new Set<string>();
    let reading = Promise.resolve();
    const hear = (conversation: string, lastSeq: number) => {
      if (known.has(conversation)) return;
      known.add(conversation);
      if (lastSeq === 0) return;
      reading = reading.then(async () => {
        const { messages } = await agent.list(conversation, { beforeSeq: lastSeq + 1 });
        for (const message of messages) read(message);
      });
      talking.push(reading);
    };
    agent
      .on('conversations', ({ conversations }) => {
        for (const { id, lastSeq } of conversations) hear(id, lastSeq);
      })
      .on('conversation:assigned', ({ conversation: { id, lastSeq } }) => hear(id, lastSeq))
      .on('message:created', ({ message }) => {
        hear(message.conversation, message.seq - 1);
        reading = reading.then(() => read(message));
      });
  }

  /** The nodes, in turn. */
  const urlAt = (turn: number) => dispatcher.urls[turn % dispatcher.urls.length] ?? dispatcher.url;

  /** Waits until it holds, or nobody waits any more. */
  const hopeFor = (condition: () => boolean) => until(() => condition() || Date.now() > giveUpAt);

  for (const [i, id] of agents.entries()) {
    const agent = await dispatcher.connectAgent(id, { url: urlAt(i), checkEveryMs: CHECK_MS });
    listen(agent, (message) => {
      const talk = talks.get(message.conversation);
      talk?.shown.agent.push(message);
      if (talk && message.from.kind === 'buyer') talking.push(say(agent, talk, `re-${message.clientId}`));
    });
    await agent.setPresence('online');
  }
  for (const [i, id] of buyers.entries()) {
    const url = urlAt(Math.floor(i / agents.length));
    const buyer = await dispatcher.connectBuyer(id, { url, checkEveryMs: CHECK_MS });
    const talk: Talk = {
      id: (await buyer.open(entry)).conversation.id,
      acknowledged: new Map(),
      shown: { buyer: [], agent: [] },
    };
    talks.set(talk.id, talk);
    buyer.on('message:created', ({ message }) => {
      if (message.conversation === talk.id) talk.shown.buyer.push(message);
    });
    const write = async () => {
      for (let n = 0; !stopping; n++) {
        await say(buyer, talk, `${id}-${n}`);
        await hopeFor(() => talk.shown.buyer.some(({ clientId }) => clientId === `re-${id}-${n}`));
      }
    };
    talking.push(write());
  }

  return {
    acknowledged: () => [...talks.values()].reduce((sum, { acknowledged }) => sum + acknowledged.size, 0),
    refused: () => refused,
    async stop() {
      stopping = true;
      giveUpAt = Date.now() + PATIENCE_MS;
      // Replies come while the last words of buyers are waited for.
      for (let done = -1; done !== talking.length; ) {
        done = talking.length;
        await Promise.all(talking);
      }
      const all = [...talks.values()];
      await hopeFor(() =>
        all.every(({ acknowledged, shown }) =>
          [shown.buyer, shown.agent].every((messages) => messages.length >= acknowledged.size),
        ),
      );
      const problems: string[] = [];
      const { redis } = dispatcher.application.house;
      for (const { id, acknowledged, shown } of all) {
        const stored = await redis.lrange(messagesKey(keysOfShop(dispatcher.shop), id), 0, -1);
        const expected = [...acknowledged.values()].sort((a, b) => a.seq - b.seq);
        const ends = { ...shown, store: stored.map((line) => JSON.parse(line) as Message) };
        const should = expected.map(({ clientId }, n) => `${n + 1} ${clientId}`).join();
        for (const [end, messages] of Object.entries(ends)) {
          const is = messages.map(({ seq, clientId }) => `${seq} ${clientId}`).join();
          if (is !== should) problems.push(`${id}: the ${end} has ${is}; acknowledged were ${should}`);
        }
      }
      return problems;
    },
  };
}
