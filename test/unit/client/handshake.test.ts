/** Connecting: tokens, refusals, coming back. */
import { describe, expect, test, vi } from 'vitest';
import { BuyerClient } from '../../../client-sdk/index.ts';
import { buyer, failure, fast, serve, undo, until } from '../../support/made-up-server.ts';

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
