/** Commands of a client: sent in order, sent again after a lost connection, refused, timed out. */
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../client-sdk/contract/index.ts';
import { CommandError } from '../../../client-sdk/index.ts';
import {
  assignment,
  buyer,
  conversation,
  failure,
  serve,
  storing,
  told,
  until,
  upTo,
} from '../../support/made-up-server.ts';

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
      // Some die before they are stored, some after, and some are not answered before the connection dies.
      if (count % 14 === 0) return 'kill';
      const answer = send(data, socket);
      if (count % 7 === 0) return 'kill';
      if (count % 7 !== 5) return answer;
      setTimeout(() => socket.conn.close(), 5);
      return 'silent';
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
    const outstanding = [client.rate('c', 4), client.rate('d', 5), client.rate('d', 3)].map(failure);
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
