/**
 * Who gets what, cell by cell: every REST call and every socket command × every kind of caller, with the answer each must
 * get. The rows are written by hand and not made from the tables of the contract: they are the second opinion. A call
 * without a row fails. Whoever is refused has changed nothing, and whoever is of another shop has changed nothing here.
 */
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Ack,
  agentCommands,
  buyerCommands,
  type ErrorCode,
  errorCatalogue,
  type RouteName,
  routes,
} from '../../client-sdk/contract/index.ts';
import { type Application, createApplication } from '../../server/application.ts';
import { createLog } from '../../server/log.ts';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { BUYER_TOKEN_MS } from '../../server/services/buyer-tokens.ts';
import { open } from '../../server/services/dispatch.ts';
import { transferConversation } from '../../server/services/moves.ts';
import { patchSettings, putAgent } from '../../server/services/shops.ts';
import { signBuyer } from '../../server/services/tokens.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import {
  AGENT,
  callExample,
  callsTo,
  keys,
  NOW,
  type SeededShop,
  SUPERVISOR,
  seedShop,
  sessionOf,
} from '../support/rest.ts';
import { dump } from '../support/shop.ts';

const COLLEAGUE = 'cal';
const ROBOT = 'robo';

/** Of its own: what is looked at before and after each cell is found by going over all keys there are. */
let redis: OwnRedis;
let application: Application;
let url = '';
let shop: SeededShop;
let other: SeededShop;

beforeAll(async () => {
  redis = await startOwnRedis();
  application = await createApplication({
    redis: { url: redis.url },
    keys,
    log: createLog('silent', 'test'),
    clock: () => NOW,
  });
  url = `http://127.0.0.1:${await application.listen(0)}`;
  const { house } = application;
  shop = await seedShop(house);
  other = await seedShop(house);
  for (const { id } of [shop, other]) {
    await putAgent(house, id, COLLEAGUE, { name: 'Cal', role: 'agent', kind: 'human' }, NOW);
    // What is left in the pool stays there for whoever takes it.
    await patchSettings(house, id, { leaveMessage: { autoAssign: false } }, NOW);
    // Only Ann is given new buyers.
    for (const agent of [COLLEAGUE, SUPERVISOR, 'owner'])
      await choosePresence(house, id, agent, 'hung-up', 'chose', NOW);
    await connectAgent(house, id, ROBOT, 'socket', 'node', NOW);
  }
});
afterAll(async () => {
  await application?.close();
  await redis?.stop();
});

const session = (agent: string, of = shop) => sessionOf(application.house, of.id, agent);
const buyerToken = (buyer: string, of = shop) =>
  signBuyer({ id: buyer, shop: of.id, since: NOW }, of.buyerSecret, NOW, NOW + BUYER_TOKEN_MS);

/** The cells of a row, by the names of its columns. */
function cells(columns: readonly string[], row: string): [column: string, expected: string][] {
  const expected = row.replaceAll('|', ' ').trim().split(/\s+/);
  if (expected.length !== columns.length)
    throw new Error(`${expected.length} cells for ${columns.length} columns: ${row}`);
  return columns.map((column, i) => [column, expected[i] ?? '']);
}

/** Does something that must leave a shop as it is. */
async function leaves(untouched: SeededShop, attempt: () => Promise<void>): Promise<void> {
  const { house } = application;
  await house.settled();
  const before = await dump(house.redis, untouched.id);
  await attempt();
  await house.settled();
  expect(await dump(house.redis, untouched.id)).toEqual(before);
}

describe('REST', () => {
  const callers: Record<string, () => string | undefined | Promise<string>> = {
    nobody: () => undefined,
    'the buyer': () => buyerToken('bob'),
    'another buyer': () => buyerToken('ivy'),
    'the agent who holds it': () => session(AGENT),
    'a colleague': () => session(COLLEAGUE),
    'a supervisor': () => session(SUPERVISOR),
    'the owner': () => session('owner'),
    'the API key': () => shop.apiKey,
    'the admin key': () => keys.adminKey,
    "another shop's agent": () => session(AGENT, other),
    "another shop's owner": () => session('owner', other),
    "another shop's API key": () => other.apiKey,
  };

  // Columns: nobody, buyer, another buyer | holder, colleague, supervisor, owner | API key, admin key | another shop's agent,
  // owner, API key. Where a path names no shop, any session is one.
  const rows: Record<RouteName, string> = {
    createShop: '401 401 401 | 403 403 403 403 | 401 201 | 403 403 401',
    rotateApiKey: '401 401 401 | 403 403 403 200 | 403 200 | 401 401 401',
    rotateBuyerSecret: '401 401 401 | 403 403 403 200 | 403 200 | 401 401 401',
    getSettings: '401 401 401 | 200 200 200 200 | 200 200 | 401 401 401',
    patchSettings: '401 401 401 | 403 403 403 200 | 200 200 | 401 401 401',
    listAgents: '401 401 401 | 200 200 200 200 | 200 200 | 401 401 401',
    getAgent: '401 401 401 | 200 200 200 200 | 200 200 | 401 401 401',
    putAgent: '401 401 401 | 403 403 403 200 | 200 200 | 401 401 401',
    deleteAgent: '401 401 401 | 403 403 403 200 | 200 200 | 401 401 401',
    setPresence: '401 401 401 | 403 403 200 200 | 200 200 | 401 401 401',
    listShifts: '401 401 401 | 200 403 200 200 | 200 200 | 401 401 401',
    agentToken: '401 401 401 | 403 403 403 403 | 200 200 | 401 401 401',
    endAgentSessions: '401 401 401 | 403 403 200 200 | 200 200 | 401 401 401',
    rotateWebhookSecret: '401 401 401 | 403 403 403 200 | 200 200 | 401 401 401',
    listGroups: '401 401 401 | 200 200 200 200 | 200 200 | 401 401 401',
    getGroup: '401 401 401 | 200 200 200 200 | 200 200 | 401 401 401',
    putGroup: '401 401 401 | 403 403 403 200 | 200 200 | 401 401 401',
    deleteGroup: '401 401 401 | 403 403 403 200 | 200 200 | 401 401 401',
    getBuyer: '401 401 401 | 403 403 200 200 | 200 200 | 401 401 401',
    putBuyer: '401 401 401 | 403 403 200 200 | 200 200 | 401 401 401',
    deleteBuyer: '401 401 401 | 403 403 403 200 | 200 200 | 401 401 401',
    buyerToken: '401 401 401 | 403 403 403 403 | 200 200 | 401 401 401',
    revokeBuyerTokens: '401 401 401 | 403 403 200 200 | 200 200 | 401 401 401',
    recordConversion: '401 401 401 | 403 403 403 403 | 200 200 | 401 401 401',
    createVisitor: '200 200 200 | 200 200 200 200 | 200 200 | 200 200 200',
    refreshVisitor: '401 200 200 | 403 403 403 403 | 403 403 | 401 401 401',
    createSession: '200 200 200 | 200 200 200 200 | 200 200 | 200 200 200',
    refreshSession: '200 200 200 | 200 200 200 200 | 200 200 | 200 200 200',
    endSession: '401 401 401 | 200 200 200 200 | 401 403 | 200 200 401',
    getLive: '401 401 401 | 200 200 200 200 | 200 200 | 401 401 401',
    listConversations: '401 401 401 | 200 200 200 200 | 200 200 | 401 401 401',
    getConversation: '401 401 401 | 200 404 200 200 | 200 200 | 401 401 401',
    listMessages: '401 401 401 | 200 404 200 200 | 200 200 | 401 401 401',
    getAssignment: '401 401 401 | 200 404 200 200 | 200 200 | 401 401 401',
    listAudit: '401 401 401 | 403 403 403 200 | 200 200 | 401 401 401',
    listDeadLetters: '401 401 401 | 403 403 200 200 | 200 200 | 401 401 401',
    retryDeadLetter: '401 401 401 | 403 403 200 200 | 200 200 | 401 401 401',
  };

  test('every call has a row', () => {
    expect(Object.keys(rows).sort()).toEqual(Object.keys(routes).sort());
  });

  describe.each(Object.keys(rows) as RouteName[])('%s', (name) => {
    test.each(cells(Object.keys(callers), rows[name]))('%s: %s', async (caller, expected) => {
      const as = await callers[caller]?.();
      const call = async () => {
        const { status, body } = await callExample({ call: callsTo(url) }, shop, name, as);
        expect({ status: String(status), body }).toMatchObject({ status: expected });
        const code = body.error?.code as ErrorCode | undefined;
        expect(code === undefined ? status < 300 : errorCatalogue[code].status === status).toBe(true);
      };
      await (Number(expected) >= 400 ? leaves(other, call) : call());
    });
  });
});

describe('sockets', () => {
  const members: Record<
    string,
    { namespace: '/buyer' | '/agent'; token: () => Promise<string>; of: () => SeededShop }
  > = {
    'the buyer': { namespace: '/buyer', token: () => buyerToken(buyer), of: () => shop },
    'another buyer': { namespace: '/buyer', token: () => buyerToken('ivy'), of: () => shop },
    "another shop's buyer": { namespace: '/buyer', token: () => buyerToken(buyer, other), of: () => other },
    'the agent who holds it': { namespace: '/agent', token: () => session(AGENT), of: () => shop },
    'a colleague': { namespace: '/agent', token: () => session(COLLEAGUE), of: () => shop },
    'a supervisor': { namespace: '/agent', token: () => session(SUPERVISOR), of: () => shop },
    'the owner': { namespace: '/agent', token: () => session('owner'), of: () => shop },
    'a robot': { namespace: '/agent', token: () => session(ROBOT), of: () => shop },
    "another shop's agent": { namespace: '/agent', token: () => session(AGENT, other), of: () => other },
    "another shop's owner": { namespace: '/agent', token: () => session('owner', other), of: () => other },
  };
  const columns = Object.keys(members);
  const ofBuyers = columns.filter((column) => members[column]?.namespace === '/buyer');
  const ofAgents = columns.filter((column) => members[column]?.namespace === '/agent');

  type Name = keyof typeof buyerCommands | keyof typeof agentCommands;
  /** What is asked, of the conversation `id`, and where that stands unless Ann holds it. */
  const asked: Record<Name, { data(id: string): object; held?: 'robot' | 'pool' }> = {
    'chat:open': { data: () => ({}) },
    'message:send': {
      data: (conversation) => ({ conversation, clientId: 'one', body: { type: 'text', text: 'hello' } }),
    },
    'message:list': { data: (conversation) => ({ conversation }) },
    'typing:set': { data: (conversation) => ({ conversation, typing: true }) },
    'message:read': { data: (conversation) => ({ conversation, seq: 0 }) },
    'chat:human': { data: (conversation) => ({ conversation }), held: 'robot' },
    'chat:rate': { data: (conversation) => ({ conversation, score: 5 }) },
    'chat:close': { data: (conversation) => ({ conversation }) },
    'queue:leave': { data: (conversation) => ({ conversation }) },
    'state:sync': { data: () => ({}) },
    'presence:set': { data: () => ({ presence: 'hung-up' }) },
    'conversation:list': { data: () => ({}) },
    'conversation:transfer': { data: (conversation) => ({ conversation, to: { agent: COLLEAGUE } }) },
    'conversation:close': { data: (conversation) => ({ conversation }) },
    'pool:claim': { data: (conversation) => ({ conversation }), held: 'pool' },
    'conversation:handover': { data: (conversation) => ({ conversation }), held: 'robot' },
  };

  // Columns: the buyer, another buyer, another shop's buyer.
  const buyerRows: Record<keyof typeof buyerCommands, string> = {
    'chat:open': 'ok ok ok',
    'message:send': 'ok not-found not-found',
    'message:list': 'ok not-found not-found',
    'typing:set': 'ok not-found not-found',
    'message:read': 'ok not-found not-found',
    'chat:human': 'ok not-found not-found',
    'chat:rate': 'ok not-found not-found',
    'chat:close': 'ok not-found not-found',
    'queue:leave': 'ok not-found not-found',
    'state:sync': 'ok ok ok',
  };
  // Columns: holder, colleague | supervisor, owner | robot | another shop's agent, owner.
  const agentRows: Record<keyof typeof agentCommands, string> = {
    'message:send': 'ok not-found | forbidden forbidden | not-found | not-found not-found',
    'message:list': 'ok not-found | ok ok | not-found | not-found not-found',
    'typing:set': 'ok not-found | ok ok | not-found | not-found not-found',
    'message:read': 'ok not-found | forbidden forbidden | not-found | not-found not-found',
    'presence:set': 'ok ok | ok ok | ok | ok ok',
    'conversation:list': 'ok ok | ok ok | ok | ok ok',
    'conversation:transfer': 'ok not-found | ok ok | not-found | not-found not-found',
    'conversation:close': 'ok not-found | ok ok | not-found | not-found not-found',
    'pool:claim': 'ok ok | ok ok | forbidden | not-found not-found',
    'conversation:handover': 'forbidden forbidden | ok ok | ok | forbidden not-found',
    'state:sync': 'ok ok | ok ok | ok | ok ok',
  };

  test('every command has a row', () => {
    expect(Object.keys(buyerRows).sort()).toEqual(Object.keys(buyerCommands).sort());
    expect(Object.keys(agentRows).sort()).toEqual(Object.keys(agentCommands).sort());
    expect(Object.keys(asked).sort()).toEqual(
      [...new Set([...Object.keys(buyerRows), ...Object.keys(agentRows)])].sort(),
    );
  });

  let buyer = '';
  let clicks = 0;
  /** A conversation of a buyer of this cell's own: held by Ann, by the robot, or by nobody. */
  async function conversationFor(name: Name): Promise<string> {
    const { house } = application;
    buyer = `buyer-${++clicks}`;
    const { held } = asked[name];
    await choosePresence(house, shop.id, AGENT, held === 'pool' ? 'offline' : 'online', 'chose', NOW);
    const { conversation } = await open(house, shop.id, buyer, {}, NOW);
    await choosePresence(house, shop.id, AGENT, 'online', 'chose', NOW);
    expect(conversation.state).toBe(held === 'pool' ? 'pooled' : 'assigned');
    if (held === 'robot') {
      await choosePresence(house, shop.id, ROBOT, 'online', 'chose', NOW);
      const supervisor = { kind: 'agent', shop: shop.id, id: SUPERVISOR, role: 'supervisor' } as const;
      await transferConversation(house, supervisor, conversation.id, { agent: ROBOT }, NOW);
    }
    return conversation.id;
  }

  function connect(namespace: string, token: string): Promise<Socket> {
    const socket = io(`${url}${namespace}`, {
      auth: { token },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(socket));
      socket.once('connect_error', (error) => {
        socket.close();
        reject(error);
      });
    });
  }

  const everyCell = [
    ...Object.entries(buyerRows).flatMap(([name, row]) => cells(ofBuyers, row).map((cell) => [name, ...cell] as const)),
    ...Object.entries(agentRows).flatMap(([name, row]) => cells(ofAgents, row).map((cell) => [name, ...cell] as const)),
  ] as [Name, string, string][];

  test.each(everyCell)('%s, %s: %s', async (name, column, expected) => {
    const conversation = await conversationFor(name);
    const member = members[column];
    if (!member) throw new Error(`no such caller: ${column}`);
    const socket = await connect(member.namespace, await member.token());
    try {
      // Whatever connecting brings about has come about.
      await socket.emitWithAck(member.namespace === '/agent' ? 'conversation:list' : 'nothing', {});
      const ask = async () => {
        const answer = (await socket.emitWithAck(name, asked[name].data(conversation))) as Ack<Record<string, unknown>>;
        expect(answer.ok ? 'ok' : answer.error.code, JSON.stringify(answer)).toBe(expected);
        if (member.of() === other) expect(JSON.stringify(answer)).not.toContain(shop.id);
      };
      await (expected !== 'ok' || member.of() === other ? leaves(shop, ask) : leaves(other, ask));
    } finally {
      socket.close();
    }
  });

  test.each([
    ['/buyer', 'an agent', () => session(AGENT)],
    ['/buyer', 'the API key', () => shop.apiKey],
    ['/buyer', 'the admin key', () => keys.adminKey],
    ['/agent', 'a buyer', () => buyerToken('bob')],
    ['/agent', 'a buyer named like an agent', () => buyerToken(AGENT)],
    ['/agent', 'the API key', () => shop.apiKey],
    ['/agent', 'the admin key', () => keys.adminKey],
  ])('%s lets in nobody as %s', async (namespace, _who, token) => {
    await expect(connect(namespace, await token())).rejects.toMatchObject({ data: { code: 'unauthorized' } });
  });
});
