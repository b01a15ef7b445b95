/** Messages of a client: each once, in order, gaps filled. */

import { describe, expect, test } from 'vitest';
import type { ClientOptions } from '../../../client-sdk/index.ts';
import { assignment, buyer, conversation, serve, storing, told, until, upTo } from '../../support/made-up-server.ts';

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

  test('of a click that is answered only on the next connection all is told, though others spoke of it before', async () => {
    const { server, store, client, seqs } = await opened();
    const began = () => conversation('c', 2, { openedAt: 2 });
    server.handle('chat:open', () => {
      store('c', 'welcome');
      store('c', 'hello');
      server.handle('chat:open', (_data, socket) => {
        socket.emit('chat:changed', { conversation: began() });
        socket.emit('message:created', { message: store('c', 'there?') });
        return { ok: true, data: { conversation: began(), assignment: assignment('c', 2) } };
      });
      return 'kill';
    });
    await client.open();
    await until(() => expect(seqs).toEqual([1, 2, 3]));
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
