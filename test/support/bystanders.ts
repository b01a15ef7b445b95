/** People of another shop who talk while somebody is hostile, and must not notice. */
import { expect } from 'vitest';
import type { Message } from '../../client-sdk/contract/index.ts';
import { AgentClient, BuyerClient } from '../../client-sdk/index.ts';
import { newShopId } from './shop.ts';

/** Calls the REST API of a server. Throws what is refused. */
export function restOf(url: string) {
  return async <T>(method: string, path: string, credential?: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method,
      headers: {
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer as T;
  };
}

export type OpenShop = {
  readonly shop: string;
  readonly apiKey: string;
  readonly buyerSecret: string;
  agentToken(id: string): Promise<string>;
  buyerToken(id: string): Promise<string>;
};

/** A shop with the agents `anna` and `ben`, opened over REST. */
export async function openShopAt(url: string, adminKey: string, prefix: string): Promise<OpenShop> {
  const rest = restOf(url);
  const shop = newShopId(prefix);
  const made = await rest<{ apiKey: string; buyerSecret: string }>('POST', 'shops', adminKey, { id: shop, name: shop });
  for (const id of ['anna', 'ben']) await rest('PUT', `shops/${shop}/agents/${id}`, made.apiKey, { name: id });
  const tokenFrom = async (path: string) =>
    (await rest<{ token: string }>('POST', `shops/${shop}/${path}/token`, made.apiKey)).token;
  return {
    ...made,
    shop,
    agentToken: (id) => tokenFrom(`agents/${id}`),
    buyerToken: (id) => tokenFrom(`buyers/${id}`),
  };
}

export type Bystanders = {
  /** How many times both have heard each other so far. */
  readonly rounds: number;
  /** Resolves when they have talked this many rounds more. */
  talk(rounds: number): Promise<void>;
  /** Lets them finish, and checks that each heard every word of the other, once and in order. */
  leave(): Promise<void>;
};

/** A buyer and an agent who talk until they leave; from time to time another buyer comes in. */
export async function bystandersAt(url: string, adminKey: string): Promise<Bystanders> {
  const shop = await openShopAt(url, adminKey, 'bystander');
  const agent = new AgentClient({ url, token: await shop.agentToken('anna') });
  const buyer = new BuyerClient({ url, token: await shop.buyerToken('bob') });
  const heard: { readonly agent: string[]; readonly buyer: string[] } = { agent: [], buyer: [] };
  const hear = (side: string[], kind: string) => (event: { message: Message }) => {
    if (event.message.from.kind === kind && event.message.conversation === conversation) {
      side.push(event.message.body.text);
    }
  };
  let conversation = '';
  let trouble: unknown;
  agent.on('message:created', hear(heard.agent, 'buyer'));
  buyer.on('message:created', hear(heard.buyer, 'agent'));
  await agent.connect();
  await agent.setPresence('online');
  await buyer.connect();
  conversation = (await buyer.open()).conversation.id;

  let rounds = 0;
  let leaving = false;
  const said: string[] = [];
  const comesTo = async (side: readonly string[], count: number) => {
    while (side.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  async function comeIn(name: string): Promise<void> {
    const other = new BuyerClient({ url, token: await shop.buyerToken(name) });
    await other.connect();
    await other.open();
    other.disconnect();
  }
  const talking = (async () => {
    while (!leaving) {
      const text = `round ${rounds}`;
      said.push(text);
      await buyer.send(conversation, text);
      await comesTo(heard.agent, said.length);
      await agent.send(conversation, text);
      await comesTo(heard.buyer, said.length);
      if (rounds % 20 === 0) await comeIn(`visitor${rounds}`);
      rounds += 1;
      // As fast as people talk who have something to say, and slower than any limit.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })().catch((error) => {
    trouble = error;
  });

  return {
    get rounds() {
      return rounds;
    },
    async talk(more) {
      const until = rounds + more;
      while (rounds < until && trouble === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(trouble).toBeUndefined();
    },
    async leave() {
      leaving = true;
      await talking;
      expect(trouble).toBeUndefined();
      expect(heard).toEqual({ agent: said, buyer: said });
      agent.disconnect();
      buyer.disconnect();
    },
  };
}
