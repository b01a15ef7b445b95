/**
 * A hundred thousand seeded inputs to one real server process: over sockets and over HTTP, most of them nearly right. Nothing
 * crashes, nothing is answered `internal`, memory does not grow, every shop keeps what must always hold, and people of another
 * shop talk meanwhile without noticing.
 */
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentCommands, buyerCommands } from '../../client-sdk/contract/index.ts';
import { AgentClient, BuyerClient } from '../../client-sdk/index.ts';
import { shopsKey } from '../../server/store/keys.ts';
import { type Bystanders, bystandersAt, type OpenShop, openShopAt, restOf } from '../support/bystanders.ts';
import { problemsIn } from '../support/consistent.ts';
import { createTestHouse } from '../support/house.ts';
import { type ObservedServer, observedKeys, observeServer } from '../support/observed-process.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { joinedSocket, type RawSocket, rawConnection } from '../support/raw.ts';
import { type Luck, luckOf } from './fuzz/luck.ts';
import { brokenHttp, type Callers, httpInput, upsetting } from './fuzz/rest-inputs.ts';
import { type Frame, type Place, socketInput } from './fuzz/socket-inputs.ts';

const SEED = 20_260_302;
const SOCKET_INPUTS = 60_000;
const HTTP_INPUTS = 38_000;
const BROKEN_INPUTS = 2_000;
/** Side by side. */
const SOCKETS = 32;
const CALLERS = 16;
/** Inputs of one connection, if it lives as long. */
const A_SOCKET = 200;
/** The server's memory is compared with that after the first part: by then it has everything it keeps. */
const PARTS = 5;
const MB = 1024 * 1024;
const ERROR = 50;
/** A node that is busy has answered long before. */
const FILLERS = 500;
const PATIENCE_MS = 900_000;

let redis: OwnRedis;
let server: ObservedServer;
let bystanders: Bystanders;
let shop: OpenShop;
let places: readonly (Place & { readonly token: string })[];
let callers: Callers;

/** Far out of the way: what is limited is tested elsewhere, and would hide everything behind it. */
const many = { count: 100_000_000, seconds: 60 };
const limits = { writesOfBuyer: many, callsOfAddress: many, callsOfShop: many, handshakes: many, visitors: many };

beforeAll(async () => {
  redis = await startOwnRedis();
  server = await observeServer({ REDIS_URL: redis.url, LIMITS: JSON.stringify(limits) });
  bystanders = await bystandersAt(server.url, observedKeys.adminKey);
  shop = await openShopAt(server.url, observedKeys.adminKey, 'fuzzed');
}, PATIENCE_MS);
afterAll(async () => {
  await redis?.stop();
});

/** Somebody is on duty, buyers have written, and whoever fuzzes has keys and tokens that serve. */
async function settle(): Promise<void> {
  const call = restOf(server.url);
  const rest = <T>(method: string, path: string, body?: object) =>
    call<T>(method, `shops/${shop.shop}/${path}`, observedKeys.adminKey, body);
  const tokenOf = async (path: string) => (await rest<{ token: string }>('POST', `${path}/token`)).token;
  const reset = { robotFirst: { enabled: false, robot: null }, nightShift: { enabled: false, proxy: null } };
  await rest('PATCH', 'settings', { ...reset, origins: [] });
  // Who serves as what they are not to be is taken out of it first.
  const { groups } = await rest<{ groups: { id: string }[] }>('GET', 'groups');
  for (const { id } of groups) await rest('DELETE', `groups/${id}`);
  await rest('PUT', 'agents/anna', { name: 'Anna' });
  await rest('PUT', 'agents/robo', { name: 'Robo', kind: 'robot' });
  await rest('PUT', 'agents/sue', { name: 'Sue', role: 'supervisor' });
  await rest('PUT', 'groups/sales', { name: 'Sales', members: [{ agent: 'anna', level: 2 }] });
  const { apiKey } = await rest<{ apiKey: string }>('POST', 'api-key');

  const agent = new AgentClient({ url: server.url, token: await tokenOf('agents/anna') });
  await agent.connect();
  await agent.setPresence('online');
  const conversations: string[] = [];
  const own = new Map<string, string>();
  const buyers = ['xia', 'yu', 'zoe'];
  for (const id of buyers) {
    const buyer = new BuyerClient({ url: server.url, token: await tokenOf(`buyers/${id}`) });
    await buyer.connect();
    const { conversation, assignment } = await buyer.open();
    await buyer.send(conversation.id, 'hello');
    conversations.push(conversation.id, assignment.id);
    own.set(id, conversation.id);
    buyer.disconnect();
  }
  agent.disconnect();
  const people = ['anna', 'ben', 'sue', 'robo', 'owner', 'sales', ...buyers];
  const known = { identifiers: [...conversations, ...conversations, ...people, 'new1', 'new2', 'c1', 'vip', 'tea'] };
  const asBuyer = async (id: string) => ({
    namespace: '/buyer' as const,
    commands: buyerCommands,
    // Mostly of what is their own.
    known: { identifiers: [...known.identifiers, ...Array<string>(20).fill(own.get(id) ?? '')] },
    token: await tokenOf(`buyers/${id}`),
  });
  const asAgent = async (id: string) => ({
    namespace: '/agent' as const,
    commands: agentCommands,
    known,
    token: await tokenOf(`agents/${id}`),
  });
  const agents = await Promise.all(['anna', 'sue', 'robo'].map(asAgent));
  places = [...(await Promise.all(buyers.map(asBuyer))), ...agents];
  const credentials = [apiKey, apiKey, observedKeys.adminKey, ...agents.map(({ token }) => token)];
  callers = { shop: shop.shop, credentials, known };
}

/** What somebody has made of no use is made anew, by whoever sees it first; what is fuzzed meanwhile may be in the way. */
let upset = false;
let settling: Promise<void> = Promise.resolve();
function settled(): Promise<void> {
  if (upset) {
    upset = false;
    settling = settling.then(settle).catch(() => {
      upset = true;
    });
  }
  return settling;
}

type Counts = Record<string, number>;
const answers: Counts = {};
const kinds: Counts = {};
const count = (counts: Counts, what: string) => {
  counts[what] = (counts[what] ?? 0) + 1;
};

/** Kinds of inputs after which the connection may be no more. */
const mayEnd: ReadonlySet<string> = new Set(['packet', 'frame', 'binary']);

function send({ websocket }: RawSocket, frame: Frame): void {
  if ('text' in frame) websocket.send(frame.text);
  else if ('binary' in frame) websocket.send(frame.binary);
  else (websocket as unknown as { _socket: NodeJS.WritableStream })._socket.write(frame.bytes);
}

/** Counts what the commands of a socket were answered. */
function countAnswers({ heard }: RawSocket): void {
  for (const line of heard) {
    const body = /^43\/\w+,\d+(\[.*\])$/s.exec(line)?.[1];
    if (!body) continue;
    const [answer] = JSON.parse(body) as [{ ok: boolean; error?: { code: string } }];
    count(answers, answer.ok ? 'socket ok' : `socket ${answer.error?.code}`);
  }
  if (heard.some((line) => line.startsWith('44'))) count(answers, 'socket refused');
}

/** One connection after another, until so many inputs have been sent. */
async function fuzzSockets(luck: Luck, inputs: number): Promise<void> {
  let left = inputs;
  while (left > 0) {
    const place = luck.pick(places);
    // Its agent may have been removed by now.
    const socket = await joinedSocket(server.url, place.namespace, place.token).catch(() => undefined);
    if (!socket) {
      count(answers, 'socket not let in');
      left -= 1;
      continue;
    }
    for (let i = 0; i < A_SOCKET && left > 0 && socket.websocket.readyState === socket.websocket.OPEN; i++) {
      const { kind, frame } = socketInput(place, luck, i + 1);
      send(socket, frame);
      count(kinds, kind);
      left -= 1;
      // What is behind a frame that ends the connection is not an input.
      if (i % 10 === 9 || mayEnd.has(kind)) await answeredOrEnded(socket, place, 1_000_000 + i);
    }
    if (socket.websocket.readyState === socket.websocket.OPEN) await answeredOrEnded(socket, place, 2_000_000);
    countAnswers(socket);
    socket.websocket.terminate();
  }
}

/** Everything before it has been read when this is answered. */
async function answeredOrEnded(socket: RawSocket, { namespace }: Place, id: number): Promise<void> {
  socket.websocket.send(`42${namespace},${id}["message:list",{"conversation":"none"}]`);
  const answered = socket.hears(`43${namespace},${id}[`);
  // A frame that claims to be longer than it is swallows what follows; one that claims to have megabytes is not waited for.
  let fed = 0;
  const filler = setInterval(() => {
    if (socket.websocket.readyState !== socket.websocket.OPEN) return;
    if (fed++ < FILLERS) socket.websocket.send('3'.repeat(20));
    else socket.websocket.terminate();
  }, 20);
  await answered;
  clearInterval(filler);
}

const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });

function ask(luck: Luck): Promise<void> {
  const { kind, method, path, headers, body } = httpInput(luck, callers);
  return new Promise((resolve) => {
    const sent = request({ agent, host: '127.0.0.1', port: server.port, method, path, headers: { ...headers } });
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => void parts.push(part));
      response.on('close', () => {
        const status = response.statusCode ?? 0;
        count(answers, `http ${status}`);
        if (status < 300 && upsetting.has(kind)) upset = true;
        if (status >= 500)
          unexpected.push(`${method} ${path} ${body?.toString() ?? ''}: ${status} ${Buffer.concat(parts)}`);
        resolve();
      });
    });
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve();
    });
    sent.on('error', () => {
      count(answers, 'http no answer');
      resolve();
    });
    sent.end(body);
  });
}
const unexpected: string[] = [];

async function fuzzHttp(luck: Luck, inputs: number): Promise<void> {
  for (let i = 0; i < inputs; i++) {
    await settled();
    await ask(luck);
  }
}

async function fuzzBroken(luck: Luck, inputs: number): Promise<void> {
  for (let i = 0; i < inputs; i++) {
    const connection = rawConnection(server.port, brokenHttp(luck, callers));
    connection.socket.end();
    const status = /^HTTP\/1\.1 (\d+)/.exec(await connection.ended)?.[1];
    count(answers, status ? `broken http ${status}` : 'broken http no answer');
  }
}

/** A share of all inputs, from as many connections as there are. */
async function fuzz(seed: number, share: number): Promise<void> {
  const each = (inputs: number, side: number) => Math.ceil((inputs * share) / side);
  await Promise.all([
    ...Array.from({ length: SOCKETS }, (_, i) => fuzzSockets(luckOf(seed + i), each(SOCKET_INPUTS, SOCKETS))),
    ...Array.from({ length: CALLERS }, (_, i) => fuzzHttp(luckOf(seed + 100 + i), each(HTTP_INPUTS, CALLERS))),
    fuzzBroken(luckOf(seed + 200), each(BROKEN_INPUTS, 1)),
  ]);
}

test(
  '100,000 inputs',
  async () => {
    let before = await server.memory();
    const heap: number[] = [];
    for (let part = 0; part < PARTS; part++) {
      // What has been removed meanwhile is put back, so that there is something to do.
      upset = true;
      while (upset) await settled();
      await fuzz(SEED + part * 1_000, 1 / PARTS);
      const now = await server.memory();
      if (part === 0) before = now;
      heap.push(Math.round(now.heapUsed / MB));
    }
    const after = await server.memory();
    agent.destroy();
    await bystanders.talk(20);
    const sorted = (counts: Counts) => Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
    const grown = `${Math.round((after.heapUsed - before.heapUsed) / MB)} MB of heap`;
    console.log(`seed ${SEED}; ${bystanders.rounds} rounds of bystanders; grown by ${grown}: ${heap.join(', ')} MB`);
    console.log('inputs', sorted(kinds), 'answers', sorted(answers));

    const errors = server.log().filter(({ level }) => level >= ERROR);
    expect(errors.slice(0, 5)).toEqual([]);
    await bystanders.leave();
    expect(unexpected.slice(0, 5)).toEqual([]);
    expect(answers['socket internal']).toBeUndefined();
    expect(answers['socket ok']).toBeGreaterThan(SOCKET_INPUTS / 20);
    expect(answers['http 200']).toBeGreaterThan(HTTP_INPUTS / 10);
    expect((after.heapUsed - before.heapUsed) / MB).toBeLessThan(40);
    expect(server.isAlive()).toBe(true);
    const code = await server.stop();
    expect(server.log().filter(({ level }) => level >= ERROR)).toEqual([]);
    expect(code).toBe(0);

    const home = createTestHouse(redis.url);
    const shops = await home.house.redis.smembers(shopsKey);
    const problems = await Promise.all(shops.map((one) => problemsIn(home.house.redis, one)));
    await home.close();
    expect(problems.flat()).toEqual([]);
  },
  PATIENCE_MS,
);
