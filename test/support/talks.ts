/** Buyers who talk without a pause and agents who answer everything, over real sockets; and what came of it, at both ends. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Message, SettingsPatch } from '../../client-sdk/contract/index.ts';
import { AgentClient, BuyerClient, CommandError, type ConnectionStatus } from '../../client-sdk/index.ts';
import { tokenForBuyer } from '../../server/services/buyer-tokens.ts';
import type { House } from '../../server/services/house.ts';
import { tokenForAgent } from '../../server/services/sessions.ts';
import { createShop, patchSettings, putAgent } from '../../server/services/shops.ts';
import { readMessages } from '../../server/store/message.ts';
import { newShopId } from './shop.ts';
import { until } from './until.ts';

/** About as long as a person needs between two messages, in ms, and a program before it tries again. */
const PACE_MS = 400;
const TRY_AGAIN_MS = 100;

/** They try again by themselves, so that each refusal is seen. */
const talking = { checkEveryMs: 1_000, patienceMs: 0 };

/** A command that did not succeed. */
export type Failure = { readonly who: string; readonly code: string };

export type Talks = {
  readonly shop: string;
  /** In order. */
  readonly failures: readonly Failure[];
  /** An agent, online, who answers what buyers write. */
  agent(url: string, id: string): Promise<AgentClient>;
  /** A buyer who has opened a chat and writes, each message when the one before is acknowledged. */
  buyer(url: string, id: string): Promise<BuyerClient>;
  /** Whose connection has broken, and how many messages of buyers had been acknowledged when it first did. */
  readonly moved: ReadonlyMap<string, number>;
  /** Who is away now. */
  readonly away: ReadonlySet<string>;
  /** How many messages of buyers have been acknowledged; of this one, or of all. */
  said(buyer?: string): number;
  /** Ends the writing, waits until everybody has heard everything, and compares what was said, stored and heard. */
  finish(): Promise<void>;
  disconnect(): void;
};

type Heard = Map<string, Message[]>;

function note(heard: Heard, message: Message): void {
  const known = heard.get(message.conversation);
  if (known) known.push(message);
  else heard.set(message.conversation, [message]);
}

const seqs = (messages: readonly Message[] = []) => messages.map(({ seq }) => seq);
const ids = (messages: readonly Message[]) => messages.map(({ id }) => id);

/** A shop in which these agents can be online. */
export async function openTalks(
  house: House,
  secret: string,
  agents: readonly string[],
  settings: SettingsPatch = {},
): Promise<Talks> {
  const shop = newShopId('talks');
  await createShop(house, shop, 'Talks', Date.now());
  for (const id of agents) {
    await putAgent(house, shop, id, { name: id, role: 'agent', kind: 'human' }, Date.now());
  }
  await patchSettings(house, shop, settings, Date.now());

  const failures: Failure[] = [];
  const clients: (AgentClient | BuyerClient)[] = [];
  const acknowledged: Message[] = [];
  /** Sends a command until it is not refused as `unavailable`; anything else ends it. */
  async function insist<T>(who: string, command: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await command();
      } catch (error) {
        const code = error instanceof CommandError ? error.code : String(error);
        failures.push({ who, code });
        if (code !== 'unavailable') return undefined;
        await pause(TRY_AGAIN_MS);
      }
    }
  }

  const heardBy = { agents: new Map<string, Heard>(), buyers: new Map<string, Message[]>() };
  /** Buyers at their writing, and answers of agents. */
  const writing: Promise<unknown>[] = [];
  let stopped = false;

  const moved = new Map<string, number>();
  const away = new Set<string>();
  const follow =
    (name: string) =>
    ({ connected }: ConnectionStatus) => {
      if (connected) away.delete(name);
      else away.add(name);
      if (!connected && !moved.has(name)) moved.set(name, acknowledged.length);
    };

  async function stored(conversation: string): Promise<Message[]> {
    const { scope } = await house.configs.get(shop);
    return readMessages(scope, conversation, 1, 1_000_000);
  }

  return {
    shop,
    failures,
    moved,
    away,
    async agent(url, id) {
      const keys = { secret, adminKey: secret };
      const { token } = await tokenForAgent(house, keys, { shop, agent: id }, Date.now());
      const client = new AgentClient({ url, token, ...talking });
      clients.push(client);
      const heard: Heard = new Map();
      heardBy.agents.set(id, heard);
      client.on('message:created', ({ message }) => {
        note(heard, message);
        if (message.from.kind !== 'buyer' || stopped) return;
        const answer = { clientId: `re-${message.id}` };
        writing.push(insist(id, () => client.send(message.conversation, `re ${message.seq}`, answer)));
      });
      await client.connect();
      client.on('status', follow(id));
      await client.setPresence('online');
      return client;
    },
    async buyer(url, id) {
      const client = new BuyerClient({
        url,
        token: await tokenForBuyer(house, shop, id, Date.now()),
        ...talking,
      });
      clients.push(client);
      const heard: Message[] = [];
      client.on('message:created', ({ message }) => heard.push(message));
      await client.connect();
      client.on('status', follow(id));
      const { conversation } = await client.open();
      heardBy.buyers.set(conversation.id, heard);
      const write = async () => {
        for (let n = 0; !stopped; n++) {
          const clientId = `${id}-${n}`;
          const message = await insist(id, () => client.send(conversation.id, `message ${n}`, { clientId }));
          if (message) acknowledged.push(message);
          await pause(PACE_MS);
        }
      };
      writing.push(write());
      return client;
    },
    said: (buyer) => acknowledged.filter(({ from }) => buyer === undefined || from.id === buyer).length,
    async finish() {
      stopped = true;
      await Promise.all(writing);
      for (const [conversation, heard] of heardBy.buyers) {
        await until(async () => heard.length >= (await stored(conversation)).length);
        const all = await stored(conversation);
        // Each once, in order, at the buyer; and what was acknowledged is there.
        expect(ids(heard)).toEqual(ids(all));
        const own = acknowledged.filter((message) => message.conversation === conversation);
        expect(ids(all)).toEqual(expect.arrayContaining(ids(own)));
        const last = all.at(-1)?.seq;
        const holders = [...heardBy.agents.values()]
          .map((heard) => heard.get(conversation))
          .filter((one) => one !== undefined);
        await until(() => holders.some((one) => one.at(-1)?.seq === last));
        for (const one of holders) {
          // Each once, in order; of a conversation that came from a colleague it begins where it came.
          const from = one[0]?.seq ?? 1;
          expect(seqs(one)).toEqual(seqs(one).map((_, i) => from + i));
        }
      }
    },
    disconnect() {
      stopped = true;
      for (const client of clients) client.disconnect();
    },
  };
}
