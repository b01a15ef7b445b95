/** What a client missed it is told all the same, by the heartbeat: as the events it missed, each once. */
import { describe, expect, test } from 'vitest';
import type { Presence } from '../../../client-sdk/contract/index.ts';
import { chatDigest, digestsOf, heldFact, partOf } from '../../../client-sdk/contract/sync.ts';
import { agent, assignment, buyer, conversation, serve, storing, told, until } from '../../support/made-up-server.ts';

/** Beats as fast as it can. */
const often = { checkEveryMs: 10 };
const nothing = { messages: [], hasMore: false, ended: [], seen: [] };
/** Several more heartbeats have been answered since. */
async function someBeats(server: Awaited<ReturnType<typeof serve>>): Promise<void> {
  const before = server.named('state:sync').length;
  await until(() => expect(server.named('state:sync').length).toBeGreaterThan(before + 3));
}

describe('a buyer who missed', () => {
  const chat = (id: string, state: 'queued' | 'assigned' | 'closed', position?: number) => ({
    conversation: conversation(id, 0, { state }),
    ...(position === undefined ? {} : { queue: { position, reason: 'next' } }),
  });

  test('how the chat stands is told, once', async () => {
    const server = await serve();
    let now = chat('c', 'queued', 2);
    server.handle('state:sync', ({ chat: known }) => ({
      ok: true,
      data: { ...nothing, ...(known !== chatDigest(now) && { chat: now }) },
    }));
    const client = buyer(server, often);
    const heard: unknown[] = [];
    client.on('chat:changed', (changed) => heard.push([changed.conversation.state, changed.queue?.position]));
    await client.connect();
    await until(() => expect(heard).toEqual([['queued', 2]]));
    now = chat('c', 'queued', 1);
    await until(() => expect(heard).toHaveLength(2));
    now = chat('c', 'assigned');
    await until(() => expect(heard).toHaveLength(3));
    await someBeats(server);
    expect(heard).toEqual([
      ['queued', 2],
      ['queued', 1],
      ['assigned', undefined],
    ]);
  });

  test('an answer that an event has overtaken is passed over', async () => {
    const server = await serve();
    const client = buyer(server, often);
    const heard: string[] = [];
    client.on('chat:changed', (changed) => heard.push(changed.conversation.state));
    let beats = 0;
    server.handle('state:sync', (_data, socket) => {
      beats += 1;
      // Read before the event, answered after it.
      if (beats === 1) socket.emit('chat:changed', chat('c', 'assigned'));
      return { ok: true, data: { ...nothing, ...(beats === 1 && { chat: chat('c', 'queued', 1) }) } };
    });
    await client.connect();
    await someBeats(server);
    expect(heard).toEqual(['assigned']);
  });

  test('messages come in pages, and what has ended is asked about no more', async () => {
    const server = await serve();
    const { store } = storing(server);
    server.handle('chat:open', () => ({
      ok: true,
      data: { conversation: conversation('c', 0), assignment: assignment('c', 1) },
    }));
    const client = buyer(server, often);
    const seqs = told(client);
    await client.connect();
    await client.open();
    for (let i = 1; i <= 5; i += 1) store('c', `${i}`);
    await until(() => expect(seqs).toEqual([1, 2, 3, 4, 5]));
    // Not one of them by asking for a gap.
    expect(server.named('message:list')).toEqual([]);
    server.handle('state:sync', () => ({ ok: true, data: { ...nothing, ended: ['c'] } }));
    await until(() => expect(server.named('state:sync').at(-1)?.known).toEqual([]));
  });

  test('how far the other side has seen it is told, once', async () => {
    const server = await serve();
    const client = buyer(server, often);
    const heard: unknown[] = [];
    client.on('message:seen', (seen) => heard.push(seen));
    await client.connect();
    server.buyers.emit('chat:changed', chat('c', 'assigned'));
    const seen = { conversation: 'c', by: { kind: 'agent', id: 'anna' }, seq: 4 };
    server.handle('state:sync', ({ known }) => ({
      ok: true,
      data: {
        ...nothing,
        seen: (known as unknown as { seen: number }[]).filter((one) => one.seen < 4).map(() => seen),
      },
    }));
    await until(() => expect(heard).toEqual([seen]));
    await someBeats(server);
    expect(heard).toEqual([seen]);
  });
});

describe('an agent who missed', () => {
  /** Answers as a server on which this is so. */
  async function standing(so: { presences: Map<string, Presence>; load: { pending: number; active: number } }) {
    const server = await serve();
    server.handle('conversation:list', () => ({ ok: true, data: { conversations: [] } }));
    server.handle('state:sync', (data) => {
      const known = data.presences as number[];
      const of = Math.max(1, known.length);
      const present = new Map([...so.presences].filter(([, presence]) => presence !== 'offline'));
      const parts = digestsOf(present, of).flatMap((digest, part) => (digest === known[part] ? [] : [part]));
      const changes = [...so.presences].flatMap(([id, presence]) =>
        parts.includes(partOf(id, of)) ? [{ agent: id, presence, cause: 'chose' }] : [],
      );
      const same = JSON.stringify(data.load) === JSON.stringify(so.load);
      return {
        ok: true,
        data: { ...(!same && { load: so.load }), ...(parts.length && { presences: { parts, changes } }) },
      };
    });
    const client = agent(server, often);
    const heard: unknown[] = [];
    client.on('presence:changed', ({ agent: id, presence }) => heard.push(`${id} ${presence}`));
    client.on('load:changed', ({ pending, active }) => heard.push([pending, active]));
    await client.connect();
    return { server, heard };
  }

  test('presences and the load are told, each once', async () => {
    const so = {
      presences: new Map<string, Presence>([
        ['anna', 'online'],
        ['ben', 'offline'],
      ]),
      load: { pending: 0, active: 0 },
    };
    const { server, heard } = await standing(so);
    await until(() => expect(heard).toEqual([[0, 0], 'anna online']));
    so.presences.set('ben', 'hung-up').set('anna', 'offline');
    so.load = { pending: 1, active: 2 };
    await until(() => expect(heard).toHaveLength(5));
    expect(heard.slice(2).map(String).sort()).toEqual(['1,2', 'anna offline', 'ben hung-up']);
    await someBeats(server);
    expect(heard).toHaveLength(5);
  });

  test('an answer that an event has overtaken is passed over', async () => {
    const server = await serve();
    server.handle('conversation:list', () => ({ ok: true, data: { conversations: [] } }));
    let beats = 0;
    server.handle('state:sync', (_data, socket) => {
      beats += 1;
      if (beats > 1) return { ok: true, data: {} };
      socket.emit('load:changed', { pending: 2, active: 2 });
      socket.emit('presence:changed', { agent: 'anna', presence: 'hung-up', cause: 'chose' });
      const changes = [{ agent: 'anna', presence: 'online', cause: 'chose' }];
      return { ok: true, data: { load: { pending: 1, active: 1 }, presences: { parts: [0], changes } } };
    });
    const client = agent(server, often);
    const heard: unknown[] = [];
    client.on('presence:changed', ({ presence }) => heard.push(presence));
    client.on('load:changed', ({ pending }) => heard.push(pending));
    await client.connect();
    await someBeats(server);
    expect(heard).toEqual([2, 'hung-up']);
  });

  test('a message is found without a list of all that is held, and an assignment with one', async () => {
    const server = await serve();
    const { store } = storing(server);
    let held = conversation('c', 0, { assignment: 'c.1' });
    server.handle('conversation:list', () => ({ ok: true, data: { conversations: [{ ...held, pending: false }] } }));
    server.handle('state:sync', (data) => {
      const { id, assignment, lastSeq } = held;
      const mark = { conversation: id, buyer: 'b', lastSeq, ...(assignment && { assignment }), seen: 0 };
      const [digest] = digestsOf(new Map([[id, heldFact(mark)]]), 1);
      const same = (data.held as number[])[0] === digest;
      return { ok: true, data: same ? {} : { held: { parts: [0], conversations: [mark] } } };
    });
    const client = agent(server, often);
    const seqs = told(client);
    const lists: unknown[] = [];
    client.on('conversations', ({ conversations }) => lists.push(conversations.map((one) => one.assignment)));
    await client.connect();
    await someBeats(server);
    store('c', 'lost');
    held = { ...held, lastSeq: 1 };
    await until(() => expect(seqs).toEqual([1]));
    expect(server.named('conversation:list')).toHaveLength(1);
    // Its buyer came again.
    held = { ...held, assignment: 'c.2' };
    await until(() => expect(lists).toEqual([['c.1'], ['c.2']]));
    await someBeats(server);
    expect(server.named('conversation:list')).toHaveLength(2);
  });
});

test('what came of a command of their own is told an agent, though its event was missed', async () => {
  const server = await serve();
  let held = [{ ...conversation('c', 0), pending: false }];
  server.handle('conversation:list', () => ({ ok: true, data: { conversations: held } }));
  server.handle('state:sync', (data) => {
    const marks = held.map(({ id }) => ({ conversation: id, buyer: 'b', lastSeq: 0, seen: 0 }));
    const digests = digestsOf(new Map(marks.map((mark) => [mark.conversation, heldFact(mark)])));
    const same = String(digests) === String(data.held);
    return { ok: true, data: same ? {} : { held: { parts: [0], conversations: marks } } };
  });
  server.handle('conversation:close', () => {
    held = [];
    return { ok: true, data: { conversation: conversation('c', 0, { state: 'closed' }) } };
  });
  const client = agent(server, often);
  const lists: string[][] = [];
  client.on('conversations', ({ conversations }) => lists.push(conversations.map(({ id }) => id)));
  await client.connect();
  await until(() => expect(lists).toEqual([['c']]));
  await client.close('c');
  await until(() => expect(lists).toEqual([['c'], []]));
});

describe('the heartbeat', () => {
  test('that is not answered is over a broken connection: another is made', async () => {
    const server = await serve();
    const { store } = storing(server);
    const client = buyer(server, { answerMs: 50, checkEveryMs: 20 });
    const seqs = told(client);
    await client.connect();
    server.buyers.emit('chat:changed', { conversation: conversation('c', 0) });
    await someBeats(server);
    // It hears nothing, and nobody hangs up.
    const first = server.connections();
    const sync = server.handler('state:sync');
    server.handle('state:sync', (data, socket) => (server.connections() === first ? 'silent' : sync(data, socket)));
    store('c', 'meanwhile');
    await until(() => expect(server.connections()).toBeGreaterThan(first));
    await until(() => expect(seqs).toEqual([1]));
  });

  test('that cannot be answered just now leaves the connection alone, and is tried again', async () => {
    const server = await serve();
    let refusals = 2;
    server.handle('state:sync', () => {
      refusals -= 1;
      const error = { code: 'unavailable' as const, message: 'not now' };
      return refusals >= 0 ? { ok: false, error } : { ok: true, data: nothing };
    });
    const client = buyer(server);
    await client.connect();
    await until(() => expect(server.named('state:sync')).toHaveLength(3));
    expect(server.connections()).toBe(1);
  });

  test('of a server that does not know it asks for what that knows', async () => {
    const server = await serve();
    const { store } = storing(server);
    const unknown = () => ({ ok: false as const, error: { code: 'invalid' as const, message: 'no such command' } });
    server.handle('state:sync', unknown);
    server.handle('conversation:list', () => ({ ok: true, data: { conversations: [] } }));
    const client = buyer(server, often);
    const seqs = told(client);
    await client.connect();
    server.buyers.emit('chat:changed', { conversation: conversation('c', 0) });
    await someBeats(server);
    store('c', 'lost');
    await until(() => expect(seqs).toEqual([1]));
    await agent(server, often).connect();
    await until(() => expect(server.named('conversation:list').length).toBeGreaterThan(2));
  });
});
