/** A REST server on a port of its own, a shop with something of everything in it, and one way to call each route. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nanoid } from 'nanoid';
import { type RouteName, routes } from '../../client-sdk/contract/index.ts';
import { createHttpApp, type HttpParts } from '../../server/edge/http/http-app.ts';
import type { LimitChanges } from '../../server/services/allowances.ts';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { createLimits } from '../../server/services/limits.ts';
import { logIn, tokenForAgent } from '../../server/services/sessions.ts';
import { createShop, type NewShop, putAgent, putGroup } from '../../server/services/shops.ts';
import { say } from '../../server/services/talk.ts';

/** The present of these tests, in ms. */
export const NOW = 1_750_000_000_000;
export const keys = { secret: 'the secret of the tests', adminKey: 'the-admin-key-of-the-tests' };

export type Sent = {
  readonly as?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};
export type Got = {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON has come; each test says what it expects of it
  readonly body: any;
  readonly headers: Headers;
};

export type RestServer = {
  readonly url: string;
  /** Calls a path below /api/v1. A body that is a string or bytes is sent as it is, anything else as JSON. */
  call(method: string, path: string, sent?: Sent): Promise<Got>;
  close(): Promise<void>;
};

/** Calls of a server that listens at `url`. */
export function callsTo(url: string): RestServer['call'] {
  return async (method, path, { as, body, headers } = {}) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`${url}/api/v1${path}`, {
      method: method.toUpperCase(),
      headers: {
        ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
  };
}

export type RestParts = Partial<Omit<HttpParts, 'limits'>> & { readonly limits?: LimitChanges };

export async function startRest(house: House, { limits, ...parts }: RestParts = {}): Promise<RestServer> {
  const app = createHttpApp({ house, keys, clock: () => NOW, limits: createLimits(house, limits), ...parts });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    call: callsTo(url),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A shop with an owner, a supervisor, an agent who talks with a buyer, a robot and a group. */
export type SeededShop = Omit<NewShop, 'apiKey' | 'buyerSecret'> & {
  readonly id: string;
  /** As they are now: a call may have made them anew. */
  apiKey: string;
  buyerSecret: string;
  readonly conversation: string;
  readonly assignment: string;
  /** On its way to the webhook of the robot `hook`. */
  readonly delivery: string;
  readonly sessions: { readonly owner: string; readonly supervisor: string; readonly agent: string };
  /** Of a session of the agent; at one and the same time it can be used again and again. */
  readonly refreshToken: string;
};

export const SUPERVISOR = 'sue';
export const AGENT = 'ann';
export const PASSWORD = 'a good password';

/** The token of a new session. */
export const sessionOf = async (house: House, shop: string, agent: string) =>
  (await tokenForAgent(house, keys, { shop, agent }, NOW)).token;

export async function seedShop(house: House): Promise<SeededShop> {
  const id = `rest-${nanoid(10)}`;
  const made = await createShop(house, id, 'A shop', NOW);
  const person = { kind: 'human', password: PASSWORD } as const;
  await putAgent(house, id, SUPERVISOR, { ...person, name: 'Sue', role: 'supervisor' }, NOW);
  await putAgent(house, id, AGENT, { ...person, name: 'Ann', role: 'agent' }, NOW);
  await putAgent(house, id, 'robo', { name: 'Robo', role: 'agent', kind: 'robot' }, NOW);
  const webhook = { url: 'https://hook.invalid/fenliu' };
  await putAgent(house, id, 'hook', { name: 'Hook', role: 'agent', kind: 'robot', webhook }, NOW);
  const binds = { crowds: ['vip'], products: [], intents: [], orderStates: [] };
  const members = [{ agent: AGENT, level: 3 }];
  await putGroup(house, id, 'sales', { name: 'Sales', binds, members, mode: 'efficiency-first', robot: null }, NOW);
  await connectAgent(house, id, AGENT, 'socket', 'node', NOW);
  await choosePresence(house, id, AGENT, 'online', 'chose', NOW);
  const { conversation, assignment } = await open(house, id, 'bob', {}, NOW);
  for (const text of ['one', 'two', 'three']) {
    const saying = { conversation: conversation.id, clientId: text, body: { type: 'text', text } } as const;
    await say(house, { kind: 'buyer', shop: id, id: 'bob' }, saying, NOW);
  }
  const delivery = `delivery-${nanoid(10)}`;
  const about = { shop: id, agent: 'hook', conversation: conversation.id, at: NOW };
  await house.deliveries.add([{ id: delivery, type: 'conversation:assigned', ...about }]);
  const { refreshToken } = await logIn(house, keys, { shop: id, agent: AGENT, password: PASSWORD }, NOW);
  return {
    ...made,
    id,
    conversation: conversation.id,
    assignment: assignment.id,
    delivery,
    sessions: {
      owner: await sessionOf(house, id, made.owner.id),
      supervisor: await sessionOf(house, id, SUPERVISOR),
      agent: await sessionOf(house, id, AGENT),
    },
    refreshToken,
  };
}

type Example = {
  readonly params?: Record<string, string>;
  readonly query?: string;
  readonly body?: unknown;
  /** What has to be there before; done again before each call. */
  readonly first?: RouteName;
};

/** A call of each route that succeeds, again and again, for everybody who may make it. */
export const examples: Record<RouteName, (shop: SeededShop) => Example> = {
  createShop: () => ({ body: { id: `rest-${nanoid(10)}`, name: 'Another' } }),
  rotateApiKey: () => ({}),
  rotateBuyerSecret: () => ({}),
  getSettings: () => ({}),
  patchSettings: () => ({ body: { busyThreshold: 5, nightShift: { from: '01:00' } } }),
  listAgents: () => ({}),
  getAgent: () => ({ params: { agent: AGENT } }),
  putAgent: () => ({ params: { agent: 'new' }, body: { name: 'New', role: 'agent', kind: 'human', capacity: 3 } }),
  deleteAgent: () => ({ params: { agent: 'new' }, first: 'putAgent' }),
  setPresence: () => ({ params: { agent: AGENT }, body: { presence: 'online' } }),
  listShifts: () => ({ params: { agent: AGENT }, query: '?limit=10' }),
  agentToken: () => ({ params: { agent: 'robo' } }),
  endAgentSessions: () => ({ params: { agent: 'new' }, first: 'putAgent' }),
  listGroups: () => ({}),
  getGroup: () => ({ params: { group: 'sales' } }),
  putGroup: () => ({
    params: { group: 'care' },
    body: { name: 'Care', binds: { orderStates: ['paid'] }, members: [{ agent: SUPERVISOR, level: 1 }], robot: 'robo' },
  }),
  deleteGroup: () => ({ params: { group: 'care' }, first: 'putGroup' }),
  getBuyer: () => ({ params: { buyer: 'eve' }, first: 'putBuyer' }),
  putBuyer: () => ({ params: { buyer: 'eve' }, body: { name: 'Eve', crowds: ['vip'], exclusiveAgent: AGENT } }),
  deleteBuyer: () => ({ params: { buyer: 'eve' }, first: 'putBuyer' }),
  buyerToken: () => ({ params: { buyer: 'bob' } }),
  revokeBuyerTokens: () => ({ params: { buyer: 'nobody' } }),
  recordConversion: () => ({ body: { buyer: 'bob', order: `order-${nanoid(10)}` } }),
  createVisitor: () => ({}),
  refreshVisitor: () => ({}),
  createSession: ({ id }) => ({ body: { shop: id, agent: AGENT, password: PASSWORD } }),
  refreshSession: ({ id, refreshToken }) => ({ body: { shop: id, refreshToken } }),
  endSession: () => ({}),
  getLive: () => ({}),
  listConversations: () => ({ query: '?state=assigned&limit=10' }),
  getConversation: ({ conversation }) => ({ params: { conversation } }),
  listMessages: ({ conversation }) => ({ params: { conversation }, query: '?limit=2' }),
  getAssignment: ({ assignment }) => ({ params: { assignment } }),
  rotateWebhookSecret: () => ({ params: { agent: 'hook' } }),
  listAudit: () => ({ query: '?limit=2' }),
  listDeadLetters: () => ({ query: '?limit=2' }),
  retryDeadLetter: ({ delivery }) => ({ params: { delivery } }),
};

/** Makes the example call of a route; what it needs is made by the admin. */
export async function callExample(
  rest: Pick<RestServer, 'call'>,
  shop: SeededShop,
  name: RouteName,
  as?: string,
): Promise<Got> {
  const { params = {}, query = '', body, first } = examples[name](shop);
  if (first) await callExample(rest, shop, first, keys.adminKey);
  const all: Record<string, string> = { shop: shop.id, ...params };
  const path = routes[name].path.replace(/:(\w+)/g, (_, param: string) => all[param] ?? `no-${param}`);
  const got = await rest.call(routes[name].method, path + query, { as, ...(body === undefined ? {} : { body }) });
  if (got.status === 200 && name === 'rotateApiKey') shop.apiKey = got.body.apiKey;
  if (got.status === 200 && name === 'rotateBuyerSecret') shop.buyerSecret = got.body.buyerSecret;
  return got;
}
