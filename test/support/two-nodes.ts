/** Two nodes of one house with a shop, for tests of what ends who is connected, on whichever node. */
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { AgentClient, BuyerClient, type CommandError } from '../../client-sdk/index.ts';
import { createDispatcher, type Dispatcher, keys } from './dispatcher.ts';
import { newShopId } from './shop.ts';

/** Of `ann`. */
export const PASSWORD = 'a password of the tests';
/** Between two looks at whose session has ended: within a test's patience. */
const LOOK_MS = 50;
export const fast = { backoff: { minMs: 1, maxMs: 20 } };

type Node = { readonly url: string };

/** One pair for a file, with an agent `ann` and a supervisor `sue`, whom each test leaves as they were. */
export function useTwoNodes() {
  let one: Dispatcher;
  let two: Node;
  const clients: { disconnect(): void }[] = [];

  beforeAll(async () => {
    one = await createDispatcher(inject('redisUrl'), { shared: true, lookMs: LOOK_MS });
    two = await one.anotherNode();
    await one.agent('ann', { name: 'Ann', password: PASSWORD });
    await one.agent('sue', { name: 'Sue', role: 'supervisor' });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });
  afterAll(() => one.close());

  const inShop = (path: string) => `shops/${one.shop}/${path}`;

  async function send(method: string, path: string, body?: object, credential?: string) {
    const response = await fetch(`${one.url}/api/v1/${path}`, {
      method,
      headers: {
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    // biome-ignore lint/suspicious/noExplicitAny: the answer is whatever the test expects it to be
    return { status: response.status, body: (await response.json()) as any };
  }

  /** Connects; `ended` answers whether the server has refused it for good, as `unauthorized`. */
  async function connect<C extends AgentClient | BuyerClient>(client: C) {
    clients.push(client);
    const seen: { ended: CommandError | undefined } = { ended: undefined };
    // One signature for both kinds of client.
    (client as BuyerClient).on('refused', ({ error, final }) => {
      if (final) seen.ended = error;
    });
    await client.connect();
    return { client, ended: () => seen.ended?.code === 'unauthorized' };
  }

  return {
    get one() {
      return one;
    },
    get two() {
      return two;
    },
    inShop,
    send,
    /** Whether a token or key is taken by the REST side. */
    works: async (credential: string) => (await send('GET', inShop('live'), undefined, credential)).status === 200,
    connect,
    adminKey: keys.adminKey,
    /** One more shop, for what makes its keys anew. */
    async openShop(): Promise<{ id: string; apiKey: string; buyerSecret: string }> {
      const { body } = await send('POST', 'shops', { id: newShopId('keys'), name: 'Keys' }, keys.adminKey);
      return { id: body.shop.id, apiKey: body.apiKey, buyerSecret: body.buyerSecret };
    },
    agentOn: (node: Node, token: string) => connect(new AgentClient({ url: node.url, token, ...fast })),
    buyerOn: (node: Node, token: string) => connect(new BuyerClient({ url: node.url, token, ...fast })),
    /** Turns the clock of both forward, in ms. */
    advance: (ms: number) => one.advance(ms),
  };
}
