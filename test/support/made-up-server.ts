/** A server that tests of the clients make up as they go: it keeps what it receives and answers what the test says. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Namespace, Server, type ServerOptions, type Socket } from 'socket.io';
import { afterEach, vi } from 'vitest';
import type { Ack, Assignment, Conversation, Failure, Message } from '../../client-sdk/contract/index.ts';
import { AgentClient, BuyerClient, type ClientOptions, type CommandError } from '../../client-sdk/index.ts';

/** What is to be undone after each test, last first. */
export const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

export const until = (condition: () => void) => vi.waitFor(condition, { timeout: 20_000, interval: 5 });

type Data = Record<string, unknown> & {
  conversation: string;
  clientId: string;
  afterSeq: number;
  known: { conversation: string; seq: number }[];
};
type Handler = (data: Data, socket: Socket) => Ack<unknown> | 'silent' | 'kill';

/** A server that keeps what it receives and does with it what the test says. */
export async function serve(options: Partial<ServerOptions> = {}) {
  const http = createServer();
  const io = new Server(http, options);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  undo.push(() => io.close());

  const received: { name: string; data: Data; connection: number }[] = [];
  const nothingMissed = { messages: [], hasMore: false, ended: [], seen: [] };
  const handlers = new Map<string, Handler>([['state:sync', () => ({ ok: true, data: nothingMissed })]]);
  let connections = 0;
  let refuse: (token: unknown) => (Partial<Failure> & { code: string }) | undefined = () => undefined;

  function attend(namespace: Namespace): Namespace {
    namespace.use((socket, next) => {
      const refusal = refuse(socket.handshake.auth.token);
      next(refusal && Object.assign(new Error(refusal.code), { data: refusal }));
    });
    namespace.on('connection', (socket) => {
      connections += 1;
      const connection = connections;
      let killed = false;
      socket.onAny((name: string, data: Data, ack: (answer: Ack<unknown>) => void) => {
        // What is still on its way when a connection dies does not arrive.
        if (killed) return;
        received.push({ name, data, connection });
        const answer = handlers.get(name)?.(data, socket) ?? { ok: true, data: {} };
        killed = answer === 'kill';
        if (killed) socket.conn.close();
        else if (typeof answer === 'object') ack(answer);
      });
    });
    return namespace;
  }

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    buyers: attend(io.of('/buyer')),
    agents: attend(io.of('/agent')),
    received,
    named: (name: string) => received.filter((entry) => entry.name === name).map((entry) => entry.data),
    handle: (name: string, handler: Handler) => handlers.set(name, handler),
    handler: (name: string) => handlers.get(name) as Handler,
    refuse: (how: typeof refuse) => {
      refuse = how;
    },
    connections: () => connections,
    kill: () => {
      for (const namespace of ['/buyer', '/agent']) {
        for (const socket of io.of(namespace).sockets.values()) socket.conn.close();
      }
    },
  };
}
type Served = Awaited<ReturnType<typeof serve>>;

export const fast = { backoff: { minMs: 1, maxMs: 20 }, checkEveryMs: 0 };

export function buyer(server: Served, options: Partial<ClientOptions> = {}): BuyerClient {
  const client = new BuyerClient({ url: server.url, token: 't', ...fast, ...options });
  undo.push(() => client.disconnect());
  return client;
}
export function agent(server: Served, options: Partial<ClientOptions> = {}): AgentClient {
  const client = new AgentClient({ url: server.url, token: 't', ...fast, ...options });
  undo.push(() => client.disconnect());
  return client;
}

export function conversation(id: string, lastSeq: number, more: Partial<Conversation> = {}): Conversation {
  return { id, shop: 's', buyer: 'b', state: 'assigned', overnight: false, lastSeq, openedAt: 1, ...more };
}
export function assignment(of: string, at: number): Assignment {
  return { id: `${of}.1`, conversation: of, buyer: 'b', at, outcome: 'agent', step: 'group', trace: [] };
}

/** Stores messages as the server does: the same clientId is stored once. */
export function storing(server: Served) {
  const stored = new Map<string, Message[]>();
  const of = (id: string) => {
    if (!stored.has(id)) stored.set(id, []);
    return stored.get(id) as Message[];
  };
  function store(id: string, text: string, clientId?: string, kind: 'buyer' | 'agent' = 'agent'): Message {
    const earlier = clientId && of(id).find((message) => message.clientId === clientId);
    if (earlier) return earlier;
    const seq = of(id).length + 1;
    const message: Message = {
      id: `${id}-${seq}`,
      conversation: id,
      seq,
      from: { kind, id: kind },
      body: { type: 'text', text },
      ...(clientId !== undefined && { clientId }),
      at: seq,
    };
    of(id).push(message);
    return message;
  }
  const send: Handler = ({ conversation: id, clientId, body }) => ({
    ok: true,
    data: { message: store(id, (body as { text: string }).text, clientId, 'buyer') },
  });
  server.handle('message:send', send);
  server.handle('state:sync', ({ known }) => {
    // Two at a time, so that asking has to go on.
    const missing = known.flatMap(({ conversation: id, seq }) => of(id).filter((message) => message.seq > seq));
    const answer = { messages: missing.slice(0, 2), hasMore: missing.length > 2, ended: [], seen: [] };
    return { ok: true, data: answer };
  });
  server.handle('message:list', ({ conversation: id, afterSeq }) => {
    // Two at a time, so that filling has to go on.
    const after = of(id).filter((message) => message.seq > (afterSeq ?? 0));
    return { ok: true, data: { messages: after.slice(0, 2), hasMore: after.length > 2 } };
  });
  return { store, send, of };
}

/** The seqs a client tells, in the order it tells them. */
export function told(client: BuyerClient | AgentClient): number[] {
  const seqs: number[] = [];
  // One signature for both kinds of client.
  (client as BuyerClient).on('message:created', ({ message }) => seqs.push(message.seq));
  return seqs;
}

export const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
export const failure = (of: Promise<unknown>) => of.then(() => undefined).catch((error: CommandError) => error);
