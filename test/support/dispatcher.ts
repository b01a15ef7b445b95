/** A whole dispatcher for a test: one application on a port of its own, one shop, a clock that can be turned forward. */
import {
  AgentClient,
  type AgentClientEvents,
  BuyerClient,
  type BuyerClientEvents,
  type ClientOptions,
} from '../../client-sdk/index.ts';
import { type Application, type ApplicationParts, createApplication } from '../../server/application.ts';
import { createLog } from '../../server/log.ts';
import { createIds } from '../../server/services/ids.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { type At, targetOf } from './target.ts';

export const keys = { secret: 'signs-the-sessions-of-tests', adminKey: 'admin-key-of-the-tests' };

type Events = AgentClientEvents & BuyerClientEvents;
type Client = {
  once(name: never, listener: never): unknown;
};

export type Dispatcher = {
  /** The first node, or the only one. */
  readonly application: Application;
  readonly url: string;
  /** Of every node, in the order in which they were started. */
  readonly urls: readonly string[];
  readonly shop: string;
  readonly apiKey: string;
  readonly buyerSecret: string;
  /** REST as the shop's API key, or as `credential`; throws what is not 2xx. */
  call(method: string, path: string, body?: unknown, credential?: string): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: the answer is whatever the test expects it to be
  get(path: string): Promise<any>;
  agent(id: string, put: object): Promise<void>;
  group(id: string, put: object): Promise<void>;
  /** A client of an agent, connected. */
  connectAgent(id: string, options?: Partial<ClientOptions>): Promise<AgentClient>;
  connectBuyer(id: string, options?: Partial<ClientOptions>): Promise<BuyerClient>;
  /** One more node on the same Redis, and where it is; closed with the rest. */
  anotherNode(): Promise<{ readonly application: Application; readonly url: string }>;
  buyerToken(id: string): Promise<string>;
  agentToken(id: string): Promise<string>;
  /** The data of the next event of this name. */
  next<K extends keyof Events>(
    client: Client,
    event: K,
  ): Promise<Parameters<Extract<Events[K], (data: never) => void>>[0]>;
  /** Turns the clock of the server forward, in ms. */
  advance(ms: number): void;
  /** Has every job of the shop done once at the server's present time, as the workers would. */
  workersCome(): Promise<void>;
  close(): Promise<void>;
};

export async function createDispatcher(at: At, parts: Partial<ApplicationParts> = {}): Promise<Dispatcher> {
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  const nodes: Application[] = [];
  const urls: string[] = [];
  async function startNode() {
    const application = await createApplication({
      redis: targetOf(at),
      keys,
      log: createLog('silent', 'test'),
      clock,
      ...parts,
    });
    nodes.push(application);
    const here = `http://127.0.0.1:${await application.listen(0)}`;
    urls.push(here);
    return { application, url: here };
  }
  const { application, url } = await startNode();
  const shop = `shop-${createIds().conversation()}`;
  const clients: { disconnect(): void }[] = [];

  async function call(method: string, path: string, body?: unknown, credential = apiKey): Promise<unknown> {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${credential}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  }

  let apiKey = '';
  const created = (await call('POST', 'shops', { id: shop, name: 'Test' }, keys.adminKey)) as {
    apiKey: string;
    buyerSecret: string;
  };
  apiKey = created.apiKey;
  const inShop = (path: string) => `shops/${shop}/${path}`;
  const tokenFrom = async (path: string) => ((await call('POST', inShop(path))) as { token: string }).token;
  const agentToken = (id: string) => tokenFrom(`agents/${id}/token`);
  const buyerToken = (id: string) => tokenFrom(`buyers/${id}/token`);

  async function connected<C extends { connect(): Promise<void>; disconnect(): void }>(client: C): Promise<C> {
    clients.push(client);
    await client.connect();
    return client;
  }

  return {
    application,
    url,
    urls,
    shop,
    apiKey,
    buyerSecret: created.buyerSecret,
    call: (method, path, body, credential) => call(method, inShop(path), body, credential),
    get: (path) => call('GET', inShop(path)),
    async agent(id, put) {
      await call('PUT', inShop(`agents/${id}`), put);
    },
    async group(id, put) {
      await call('PUT', inShop(`groups/${id}`), put);
    },
    agentToken,
    buyerToken,
    connectAgent: async (id, options) => connected(new AgentClient({ url, token: await agentToken(id), ...options })),
    connectBuyer: async (id, options) => connected(new BuyerClient({ url, token: await buyerToken(id), ...options })),
    anotherNode: startNode,
    next: (client, event) => new Promise((resolve) => client.once(event as never, resolve as never)),
    advance(ms) {
      ahead += ms;
    },
    async workersCome() {
      await runShopJobs(application.house, shop, clock());
      await application.house.settled();
    },
    async close() {
      for (const client of clients) client.disconnect();
      for (const node of nodes) await node.close();
    },
  };
}
