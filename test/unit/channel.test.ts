import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Namespace, Server, type ServerOptions, type Socket } from 'socket.io';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type {
  Ack,
  Assignment,
  Conversation,
  Failure,
  HeldConversation,
  Message,
} from '../../client-sdk/contract/index.ts';
import { AgentClient, BuyerClient, type ClientOptions, CommandError } from '../../client-sdk/index.ts';

/** What is to be undone after each test, last first. */
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 20_000, interval: 5 });

type Data = Record<string, unknown> & { conversation: string; clientId: string; afterSeq: number };
type Handler = (data: Data, socket: Socket) => Ack<unknown> | 'silent' | 'kill';

/** A server that keeps what it receives and does with it what the test says. */
async function serve(options: Partial<ServerOptions> = {}) {
  const http = createServer();
  const io = new Server(http, options);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  undo.push(() => io.close());

  const received: { name: string; data: Data; connection: number }[] = [];
  const handlers = new Map<string, Handler>();
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

const fast = { backoff: { minMs: 1, maxMs: 20 }, checkEveryMs: 0 };

function buyer(server: Served, options: Partial<ClientOptions> = {}): BuyerClient {
  const client = new BuyerClient({ url: server.url, token: 't', ...fast, ...options });
  undo.push(() => client.disconnect());
  return client;
}
function agent(server: Served, options: Partial<ClientOptions> = {}): AgentClient {
  const client = new AgentClient({ url: server.url, token: 't', ...fast, ...options });
  undo.push(() => client.disconnect());
  return client;
}

function conversation(id: string, lastSeq: number, more: Partial<Conversation> = {}): Conversation {
  return { id, shop: 's', buyer: 'b', state: 'assigned', overnight: false, lastSeq, openedAt: 1, ...more };
}
function assignment(of: string, at: number): Assignment {
  return { id: `${of}.1`, conversation: of, buyer: 'b', at, outcome: 'agent', step: 'group', trace: [] };
}

/** Stores messages as the server does: the same clientId is stored once. */
function storing(server: Served) {
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
  server.handle('message:list', ({ conversation: id, afterSeq }) => {
    // Two at a time, so that filling has to go on.
    const after = of(id).filter((message) => message.seq > (afterSeq ?? 0));
    return { ok: true, data: { messages: after.slice(0, 2), hasMore: after.length > 2 } };
  });
  return { store, send, of };
}

/** The seqs a client tells, in the order it tells them. */
function told(client: BuyerClient | AgentClient): number[] {
  const seqs: number[] = [];
  // One signature for both kinds of client.
  (client as BuyerClient).on('message:created', ({ message }) => seqs.push(message.seq));
  return seqs;
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const failure = (of: Promise<unknown>) => of.then(() => undefined).catch((error: CommandError) => error);

describe('commands', () => {
  test('an answer resolves, an error ack throws with code, message and details', async () => {
    const server = await serve();
    server.handle('chat:rate', () => ({
      ok: false,
      error: { code: 'invalid', message: 'no', details: [{ path: 'score' }] },
    }));
    const client = buyer(server);
    await client.connect();
    await client.markRead('c', 3);
    expect(server.named('message:read')).toEqual([{ conversation: 'c', seq: 3 }]);
    const error = await failure(client.rate('c', 9));
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ code: 'invalid', message: 'no', details: [{ path: 'score' }] });
  });

  test('what was not acknowledged is sent again with the same clientId, and stored once', async () => {
    const server = await serve();
    const { send, of } = storing(server);
    let kills = 2;
    server.handle('message:send', (data, socket) => {
      const answer = send(data, socket);
      kills -= 1;
      return kills >= 0 ? 'kill' : answer;
    });
    const client = buyer(server);
    await client.connect();
    const message = await client.send('c', 'hello');
    expect(message.seq).toBe(1);
    expect(of('c')).toHaveLength(1);
    const ids = server.named('message:send').map(({ clientId }) => clientId);
    expect(ids).toEqual([ids[0], ids[0], ids[0]]);
    expect(server.connections()).toBe(3);
  });

  test('commands that take a requestId get one, and keep it when sent again', async () => {
    const server = await serve();
    let kills = 1;
    server.handle('chat:open', () => {
      kills -= 1;
      return kills >= 0
        ? 'kill'
        : { ok: true, data: { conversation: conversation('c', 0), assignment: assignment('c', 1) } };
    });
    const client = buyer(server);
    await client.connect();
    await client.open({ product: 'p' });
    await client.command('chat:rate', { conversation: 'c', score: 5, requestId: 'mine' });
    await client.setTyping('c', true);
    const opens = server.named('chat:open');
    expect(opens).toHaveLength(2);
    expect(opens[0]).toEqual({ product: 'p', requestId: expect.stringMatching(/^[\w-]{10,64}$/) });
    expect(opens[1]).toEqual(opens[0]);
    expect(server.named('chat:rate')[0]?.requestId).toBe('mine');
    expect(server.named('typing:set')[0]).toEqual({ conversation: 'c', typing: true });
  });

  test('the order of calls is the order of sending, also across broken connections', async () => {
    const server = await serve();
    const { send, of } = storing(server);
    let count = 0;
    server.handle('message:send', (data, socket) => {
      count += 1;
      // Some die before they are stored, some after, and some are never answered on a connection.
      if (count % 14 === 0) return 'kill';
      const answer = send(data, socket);
      if (count % 7 === 0) return 'kill';
      return count % 7 === 5 ? 'silent' : answer;
    });
    const client = buyer(server);
    const sent: Promise<Message>[] = [];
    const more = () => {
      for (let i = 0; i < 5 && sent.length < 40; i += 1) sent.push(client.send('c', `${sent.length}`));
    };
    // Before the connection stands, while it stands, and while it is broken.
    void client.connect();
    more();
    client.on('status', more);
    client.on('message:created', more);
    await until(() => expect(sent).toHaveLength(40));
    server.handle('message:send', send);
    server.kill();
    const messages = await Promise.all(sent);
    expect(messages.map(({ seq }) => seq)).toEqual(upTo(40));
    expect(of('c').map(({ body }) => body.text)).toEqual(upTo(39, 0).map(String));
    // On each connection, whatever is sent is sent in the order of the calls.
    for (let connection = 1; connection <= server.connections(); connection += 1) {
      const texts = server.received
        .filter((entry) => entry.name === 'message:send' && entry.connection === connection)
        .map(({ data }) => Number((data.body as { text: string }).text));
      expect(texts).toEqual([...texts].sort((a, b) => a - b));
    }
  });

  test('a server that hangs up on purpose is connected to again', async () => {
    const server = await serve();
    const client = buyer(server);
    await client.connect();
    server.buyers.disconnectSockets(true);
    await until(() => expect(server.connections()).toBe(2));
    await client.markRead('c', 1);
  });

  test('without WebSocket, polling serves', async () => {
    const server = await serve({ transports: ['polling'] });
    const { store } = storing(server);
    const client = buyer(server);
    const seqs = told(client);
    await client.connect();
    await client.send('c', 'one');
    server.buyers.emit('message:created', { message: store('c', 'two') });
    await until(() => expect(seqs).toEqual([1, 2]));
  });

  test('closing rejects what is outstanding, and what comes after, with a clear error', async () => {
    const server = await serve();
    server.handle('chat:rate', () => 'silent');
    const client = buyer(server);
    expect(await failure(client.rate('c', 5))).toMatchObject({ code: 'closed' });
    await client.connect();
    const outstanding = [client.rate('c', 4), client.rate('c', 5)].map(failure);
    await until(() => expect(server.named('chat:rate')).toHaveLength(2));
    client.disconnect();
    for (const error of await Promise.all(outstanding)) expect(error).toMatchObject({ code: 'closed' });
    expect(await failure(client.rate('c', 5))).toMatchObject({ code: 'closed' });
    expect(client.connected).toBe(false);
    // And it can begin again.
    await client.connect();
    await client.markRead('c', 1);
  });

  test('closing before the connection stands rejects connect', async () => {
    const client = buyer(await serve());
    const connecting = failure(client.connect());
    const command = failure(client.markRead('c', 1));
    client.disconnect();
    expect(await connecting).toMatchObject({ code: 'closed' });
    expect(await command).toMatchObject({ code: 'closed' });
  });

  test('a command may have a time limit, its own or the one of the client', async () => {
    const server = await serve();
    server.handle('chat:close', () => 'silent');
    const client = buyer(server, { commandTimeoutMs: 30, language: 'zh' });
    await client.connect();
    expect(await failure(client.close('c'))).toMatchObject({ code: 'timeout', message: expect.stringMatching('超时') });
    const own = client.command('chat:close', { conversation: 'c' }, { timeoutMs: 5 });
    expect(await failure(own)).toMatchObject({ code: 'timeout' });
    // Given up is given up: it is not sent again.
    const before = server.named('chat:close').length;
    server.kill();
    await until(() => expect(server.connections()).toBe(2));
    await client.markRead('c', 1);
    expect(server.named('chat:close')).toHaveLength(before);
  });

  test('what is too large to be sent at once is refused here, and disturbs nothing else', async () => {
    const server = await serve();
    const client = buyer(server);
    await client.connect();
    expect(await failure(client.send('c', '长'.repeat(40_000)))).toMatchObject({ code: 'too-large' });
    await client.markRead('c', 1);
    expect(server.connections()).toBe(1);
  });
});

describe('handshake', () => {
  test('a refusal ends it: connect, event, commands', async () => {
    const server = await serve();
    server.refuse(() => ({ code: 'forbidden', message: 'not here' }));
    const client = buyer(server);
    const refused = vi.fn();
    client.on('refused', refused);
    const connecting = failure(client.connect());
    const command = failure(client.open());
    expect(await connecting).toMatchObject({ code: 'forbidden', message: 'not here' });
    expect(await command).toMatchObject({ code: 'forbidden' });
    expect(refused).toHaveBeenCalledExactlyOnceWith({ error: await connecting, final: true });
    expect(await failure(client.open())).toMatchObject({ code: 'forbidden' });
    // Once the reason is gone, it can begin again.
    server.refuse(() => undefined);
    await client.connect();
    expect(client.connected).toBe(true);
  });

  test('unauthorized asks for a fresh token', async () => {
    const server = await serve();
    server.refuse((token) => (token === 'fresh' ? undefined : { code: 'unauthorized' }));
    const getToken = vi.fn(() => Promise.resolve('fresh'));
    const client = buyer(server, { token: 'stale', getToken });
    await client.connect();
    expect(getToken).toHaveBeenCalledTimes(1);
  });

  test('unauthorized twice gives up; without a way to ask, at once', async () => {
    const server = await serve();
    server.refuse(() => ({ code: 'unauthorized' }));
    const getToken = vi.fn(() => 'stale');
    const asking = new BuyerClient({ url: server.url, getToken, ...fast });
    expect(await failure(asking.connect())).toMatchObject({ code: 'unauthorized' });
    expect(getToken).toHaveBeenCalledTimes(2);
    expect(await failure(buyer(server).connect())).toMatchObject({ code: 'unauthorized' });
  });

  test('a token that expires while connected is asked for again, and commands go on', async () => {
    const server = await serve();
    let valid = 'one';
    server.refuse((token) => (token === valid ? undefined : { code: 'unauthorized' }));
    const client = new BuyerClient({ url: server.url, getToken: () => valid, ...fast });
    undo.push(() => client.disconnect());
    await client.connect();
    for (const next of ['two', 'three']) {
      valid = next;
      server.kill();
      await until(() => expect(client.connected).toBe(false));
      await client.markRead('c', 1);
    }
    expect(server.connections()).toBe(3);
  });

  test('a refusal that passes is waited for, as is a token that cannot be had just now', async () => {
    const server = await serve();
    let times = 0;
    server.refuse(() => {
      times += 1;
      return times < 4 ? { code: 'unavailable' } : undefined;
    });
    let asked = 0;
    const getToken = () => {
      asked += 1;
      if (asked < 3) throw new Error('no network');
      return 't';
    };
    const client = new BuyerClient({ url: server.url, getToken, ...fast });
    undo.push(() => client.disconnect());
    const refused = vi.fn();
    client.on('refused', refused);
    await client.connect();
    expect(times).toBe(4);
    expect(refused.mock.calls.map(([{ error, final }]) => [error.code, final])).toEqual(
      Array.from({ length: 3 }, () => ['unavailable', false]),
    );
  });
});

describe('messages', () => {
  async function opened(options: Partial<ClientOptions> = {}) {
    const server = await serve();
    const messages = storing(server);
    server.handle('chat:open', () => ({
      ok: true,
      data: { conversation: conversation('c', messages.of('c').length), assignment: assignment('c', 2) },
    }));
    const client = buyer(server, options);
    const seqs = told(client);
    await client.connect();
    return { server, ...messages, client, seqs };
  }

  test('a gap is fetched; history is not told', async () => {
    const { server, store, client, seqs } = await opened();
    for (let i = 1; i <= 3; i += 1) store('c', `${i}`);
    await client.open();
    for (let i = 4; i <= 9; i += 1) store('c', `${i}`);
    server.buyers.emit('message:created', { message: store('c', '10') });
    await until(() => expect(seqs).toEqual(upTo(10, 4)));
    server.buyers.emit('message:created', { message: store('c', '11') });
    await until(() => expect(seqs).toEqual(upTo(11, 4)));
    expect(
      server
        .named('message:list')
        .map(({ afterSeq }) => afterSeq)
        .slice(0, 3),
    ).toEqual([3, 5, 7]);
  });

  test("one's own messages are told once, among the others, whichever arrives first", async () => {
    const { server, store, of, client, seqs } = await opened();
    await client.open();
    server.handle('message:list', () => ({ ok: false, error: { code: 'unavailable', message: 'not now' } }));
    const theirs = store('c', 'theirs');
    const mine = await client.send('c', 'mine');
    expect([mine.seq, seqs]).toEqual([2, []]);
    server.buyers.emit('message:created', { message: theirs });
    server.buyers.emit('message:created', { message: mine });
    await until(() => expect(seqs).toEqual([1, 2]));
    await client.send('c', 'again');
    expect(seqs).toEqual(of('c').map(({ seq }) => seq));
  });

  test('what came while the connection was broken is fetched, for every conversation known', async () => {
    const { server, store, client } = await opened();
    await client.open();
    server.buyers.emit('chat:changed', { conversation: conversation('d', 0) });
    const texts: string[] = [];
    client.on('message:created', ({ message }) => texts.push(message.body.text));
    server.buyers.emit('message:created', { message: store('d', 'd1') });
    await until(() => expect(texts).toEqual(['d1']));
    server.refuse(() => ({ code: 'unavailable' }));
    server.kill();
    await until(() => expect(client.connected).toBe(false));
    for (const text of ['c1', 'c2', 'c3', 'c4', 'c5']) store('c', text);
    for (const text of ['d2', 'd3']) store('d', text);
    server.refuse(() => undefined);
    await until(() => expect(texts).toHaveLength(8));
    expect(texts.filter((text) => text.startsWith('c'))).toEqual(['c1', 'c2', 'c3', 'c4', 'c5']);
    expect(texts.filter((text) => text.startsWith('d'))).toEqual(['d1', 'd2', 'd3']);
  });

  test('what nothing else reveals is found by asking now and then', async () => {
    const { store, client, seqs } = await opened({ checkEveryMs: 10 });
    await client.open();
    store('c', 'lost');
    await until(() => expect(seqs).toEqual([1]));
  });

  test('of a conversation that this click began, everything is told, whatever came first', async () => {
    const { server, store, client, seqs } = await opened();
    server.handle('chat:open', () => {
      store('c', 'welcome');
      return { ok: true, data: { conversation: conversation('c', 1), assignment: assignment('c', 1) } };
    });
    await client.open();
    await until(() => expect(seqs).toEqual([1]));
  });

  test('a conversation that has ended is told to its end, and asked after no more', async () => {
    const { server, store, client, seqs } = await opened();
    await client.open();
    store('c', 'goodbye');
    server.buyers.emit('chat:changed', { conversation: conversation('c', 1, { state: 'closed' }) });
    await until(() => expect(seqs).toEqual([1]));
    const asked = server.named('message:list').length;
    server.kill();
    await until(() => expect(server.connections()).toBe(2));
    await client.markRead('c', 1);
    expect(server.named('message:list')).toHaveLength(asked);
  });

  test('a listing that fails for the moment is asked again', async () => {
    const { server, store, of, client, seqs } = await opened();
    await client.open();
    let failures = 1;
    server.handle('message:list', () => {
      failures -= 1;
      return failures >= 0
        ? { ok: false, error: { code: 'unavailable', message: 'not now' } }
        : { ok: true, data: { messages: of('c'), hasMore: false } };
    });
    store('c', 'one');
    server.buyers.emit('message:created', { message: store('c', 'two') });
    await until(() => expect(seqs).toEqual([1, 2]));
  });
});

describe('an agent', () => {
  async function atDesk(conversations: () => HeldConversation[], options: Partial<ClientOptions> = {}) {
    const server = await serve();
    const messages = storing(server);
    server.handle('conversation:list', () => ({ ok: true, data: { conversations: conversations() } }));
    const client = agent(server, options);
    const seqs = told(client);
    const snapshots: string[][] = [];
    client.on('conversations', (data) => snapshots.push(data.conversations.map(({ id }) => id)));
    await client.connect();
    return { server, ...messages, client, seqs, snapshots };
  }
  const holding = (id: string, lastSeq: number): HeldConversation => ({
    ...conversation(id, lastSeq),
    pending: false,
  });
  const assigned = (id: string, lastSeq: number) => ({
    conversation: conversation(id, lastSeq),
    assignment: assignment(id, 1),
    cause: 'open',
  });

  test('hears all it holds after each connection, and the messages that came meanwhile', async () => {
    let held = [holding('c', 0)];
    const { server, store, client, seqs, snapshots } = await atDesk(() => held);
    await until(() => expect(snapshots).toEqual([['c']]));
    server.refuse(() => ({ code: 'unavailable' }));
    server.kill();
    await until(() => expect(client.connected).toBe(false));
    for (const text of ['1', '2', '3']) store('c', text);
    held = [holding('c', 3), holding('d', 5)];
    server.refuse(() => undefined);
    await until(() => expect(snapshots).toEqual([['c'], ['c', 'd']]));
    await until(() => expect(seqs).toEqual([1, 2, 3]));
  });

  test('what is assigned begins after its last seq, also when a message comes ahead of it', async () => {
    const { server, store, seqs, snapshots } = await atDesk(() => []);
    await until(() => expect(snapshots).toEqual([[]]));
    for (let i = 1; i <= 7; i += 1) store('c', `${i}`);
    server.agents.emit('conversation:assigned', assigned('c', 7));
    store('c', '8');
    server.agents.emit('message:created', { message: store('c', '9') });
    await until(() => expect(seqs).toEqual([8, 9]));

    for (let i = 1; i <= 3; i += 1) store('d', `${i}`);
    const early = store('d', '4');
    server.agents.emit('message:created', { message: early });
    server.agents.emit('conversation:assigned', assigned('d', 3));
    server.agents.emit('message:created', { message: early });
    server.agents.emit('message:created', { message: store('d', '5') });
    await until(() => expect(seqs).toEqual([8, 9, 4, 5]));
  });

  test('an assignment that was missed is found, by a message or by asking now and then', async () => {
    let held: HeldConversation[] = [];
    const byMessage = await atDesk(() => held);
    await until(() => expect(byMessage.snapshots).toEqual([[]]));
    held = [holding('c', 1)];
    byMessage.server.agents.emit('message:created', { message: byMessage.store('c', 'one') });
    await until(() => expect(byMessage.snapshots).toEqual([[], ['c']]));
    expect(byMessage.seqs).toEqual([1]);

    const byAsking = await atDesk(() => held, { checkEveryMs: 10 });
    await until(() => expect(byAsking.snapshots).toEqual([['c']]));
    held = [];
    await until(() => expect(byAsking.snapshots).toEqual([['c'], []]));
  });

  test('a list overtaken by events says what they say', async () => {
    const { server, client, snapshots } = await atDesk(() => [holding('c', 0), holding('d', 0)]);
    await until(() => expect(snapshots).toEqual([['c', 'd']]));
    server.handle('conversation:list', (_data, socket) => {
      socket.emit('conversation:assigned', assigned('e', 0));
      socket.emit('conversation:released', { conversation: conversation('c', 0), cause: 'transfer' });
      return { ok: true, data: { conversations: [holding('c', 0), holding('d', 0)] } };
    });
    const conversations = await client.conversations();
    expect(conversations.map(({ id, pending }) => [id, pending])).toEqual([
      ['d', false],
      ['e', false],
    ]);
  });

  test('a list asked again after a broken connection knows better than events before it', async () => {
    const { server, client, snapshots } = await atDesk(() => [holding('c', 0)]);
    await until(() => expect(snapshots).toEqual([['c']]));
    const assignedTo: string[] = [];
    client.on('conversation:assigned', (event) => assignedTo.push(event.conversation.id));
    server.handle('conversation:list', () => 'silent');
    const listing = client.conversations();
    server.agents.emit('conversation:assigned', assigned('e', 0));
    await until(() => expect(assignedTo).toEqual(['e']));
    server.handle('conversation:list', () => ({ ok: true, data: { conversations: [holding('d', 0)] } }));
    server.kill();
    expect((await listing).map(({ id }) => id)).toEqual(['d']);
    await until(() => expect(snapshots).toEqual([['c'], ['d']]));
  });

  test('what may not be read any more holds nothing back', async () => {
    const { server, client, store, seqs } = await atDesk(() => [holding('c', 0)]);
    await until(() => expect(server.named('conversation:list')).toHaveLength(1));
    server.handle('message:list', () => ({ ok: false, error: { code: 'forbidden', message: 'not yours' } }));
    server.agents.emit('message:created', { message: store('c', '1') });
    store('c', '2');
    const last = store('c', '3');
    server.agents.emit('message:created', { message: last });
    await until(() => expect(server.named('message:list')).toHaveLength(1));
    await client.setPresence('online').catch(() => {});
    server.agents.emit('conversation:assigned', assigned('c', 3));
    server.agents.emit('message:created', { message: store('c', '4') });
    await until(() => expect(seqs).toEqual([1, 4]));
  });
});
