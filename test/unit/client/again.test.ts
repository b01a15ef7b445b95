/** What the server cannot do just now is tried again, in its order, for a while. */
import { describe, expect, test } from 'vitest';
import type { Ack, Failure } from '../../../client-sdk/contract/index.ts';
import { BuyerClient } from '../../../client-sdk/index.ts';
import { buyer, failure, fast, serve, storing, undo, until } from '../../support/made-up-server.ts';

const refuse = (code: Failure['code'], details?: unknown): Ack<unknown> => ({
  ok: false,
  error: { code, message: 'not now', ...(details === undefined ? {} : { details }) },
});

describe('a command that the server cannot carry out just now', () => {
  test('goes through after a hiccup, and nothing of its conversation overtakes it', async () => {
    const server = await serve();
    const { send, of } = storing(server);
    let refusals = 3;
    server.handle('message:send', (data, socket) => {
      if (data.conversation !== 'c' || refusals === 0) return send(data, socket);
      refusals -= 1;
      return refuse('unavailable');
    });
    const closed: number[] = [];
    server.handle('chat:close', () => {
      closed.push(of('c').length);
      return { ok: true, data: {} };
    });
    const client = buyer(server);
    await client.connect();
    const sent = ['one', 'two', 'three'].map((text) => client.send('c', text));
    const closing = client.close('c');
    // Another conversation does not wait for it.
    await client.send('d', 'meanwhile');
    expect(of('c')).toEqual([]);
    expect((await Promise.all(sent)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    await closing;
    expect(of('c').map(({ body }) => body.text)).toEqual(['one', 'two', 'three']);
    // What ends the conversation came after all that was said in it.
    expect(closed).toEqual([3]);
    const ids = server
      .named('message:send')
      .flatMap(({ conversation, clientId }) => (conversation === 'c' ? clientId : []));
    expect(new Set(ids.slice(0, 4)).size).toBe(1);
    expect(ids).toHaveLength(6);
  });

  test('is rejected when its patience has ended, and the next one has its turn', async () => {
    const server = await serve();
    const { send } = storing(server);
    server.handle('message:send', (data, socket) =>
      (data.body as { text: string }).text === 'never' ? refuse('unavailable') : send(data, socket),
    );
    const client = buyer(server, { patienceMs: 400 });
    await client.connect();
    const never = failure(client.send('c', 'never'));
    const next = client.send('c', 'next');
    expect(await never).toMatchObject({ code: 'unavailable', message: 'not now' });
    expect((await next).seq).toBe(1);
    expect(server.named('message:send').length).toBeGreaterThan(2);
    const impatient = client.command('chat:rate', { conversation: 'c', score: 1 }, { patienceMs: 0 });
    server.handle('chat:rate', () => refuse('unavailable'));
    expect(await failure(impatient)).toMatchObject({ code: 'unavailable' });
    expect(server.named('chat:rate')).toHaveLength(1);
  });

  test('waits as long as the server says; longer than its patience, it is told so', async () => {
    const server = await serve();
    const { send } = storing(server);
    let open = false;
    server.handle('message:send', (data, socket) => {
      if (open) return send(data, socket);
      setTimeout(() => {
        open = true;
      }, 200);
      return refuse('rate-limited', { retryAfterMs: 200 });
    });
    const client = buyer(server);
    await client.connect();
    const sending = client.send('c', 'soon');
    await until(() => expect(server.named('message:send')).toHaveLength(1));
    // Not even over a new connection is it sent sooner.
    server.kill();
    await sending;
    expect(server.named('message:send')).toHaveLength(2);
    server.handle('message:send', () => refuse('rate-limited', { retryAfterMs: 3_600_000 }));
    expect(await failure(client.send('c', 'late'))).toMatchObject({
      code: 'rate-limited',
      details: { retryAfterMs: 3_600_000 },
    });
  });

  test('is sent at once over a new connection', async () => {
    const server = await serve();
    const { send } = storing(server);
    server.handle('message:send', (data, socket) =>
      server.connections() === 1 ? refuse('unavailable') : send(data, socket),
    );
    const client = buyer(server);
    await client.connect();
    const sending = client.send('c', 'one');
    await until(() => expect(server.named('message:send').length).toBeGreaterThan(0));
    server.kill();
    expect((await sending).seq).toBe(1);
  });

  test('no more waits than there is room for', async () => {
    const server = await serve();
    server.handle('message:send', () => 'silent');
    const client = buyer(server);
    await client.connect();
    const sent = Array.from({ length: 200 }, () => failure(client.send('c', 'x'.repeat(60_000))));
    await until(() => expect(server.named('message:send')).toHaveLength(1));
    client.disconnect();
    const codes = (await Promise.all(sent)).map((error) => error?.code);
    const kept = codes.indexOf('too-many');
    expect(kept).toBeGreaterThan(50);
    expect(codes).toEqual(codes.map((_, n) => (n < kept ? 'closed' : 'too-many')));
    // There is room again.
    server.handle('message:send', storing(server).send);
    await client.connect();
    expect((await client.send('c', 'x'.repeat(60_000))).seq).toBe(1);
  });

  test('a handshake that is refused with a time to wait waits for it', async () => {
    const server = await serve();
    let open = false;
    let refused = 0;
    server.refuse(() => {
      if (open) return undefined;
      refused += 1;
      setTimeout(() => {
        open = true;
      }, 200);
      return { code: 'rate-limited', details: { retryAfterMs: 200 } };
    });
    const client = new BuyerClient({ url: server.url, token: 't', ...fast });
    undo.push(() => client.disconnect());
    await client.connect();
    expect(refused).toBe(1);
  });
});
