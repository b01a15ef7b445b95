// One POST to somebody else's URL, against real servers that do not behave.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createPost } from '../../server/services/webhook-post.ts';

let server: Server;
let port: number;
let listener: RequestListener;
let requests = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests++;
    listener(request, response);
  });
  // Every address, so that whatever `localhost` is here would be answered.
  server.listen(0);
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  requests = 0;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const post = createPost({ privateAddresses: true, timeoutMs: 5_000 });
const send = (by = post, host = '127.0.0.1') => by(`http://${host}:${port}/x?y=z`, { 'X-Test': '1' }, '{"a":"你"}');

test('sends the body and headers, and answers the text', async () => {
  listener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url, headers } = request;
    response.writeHead(201).end(JSON.stringify([method, url, headers['x-test'], Buffer.concat(chunks).toString()]));
  };
  expect(JSON.parse(await send())).toEqual(['POST', '/x?y=z', '1', '{"a":"你"}']);
});

describe('fails, and says why', () => {
  test.each<[string, RequestListener, string]>([
    ['a status that is no success', (_, response) => response.writeHead(404).end(), 'answered 404'],
    [
      'a redirect, which is not followed',
      (_, response) => response.writeHead(307, { Location: `http://127.0.0.1:${port}/` }).end(),
      'answered 307; redirects are not followed',
    ],
    ['too large an answer', (_, response) => response.end('x'.repeat(256 * 1024 + 1)), 'the answer is over 256 KB'],
    ['an endless answer', (_, response) => void endless(response), 'the answer is over 256 KB'],
    ['a connection that is cut', (request) => request.socket.destroy(), 'no connection, or it broke (ECONNRESET)'],
    [
      'an answer that is cut',
      (request, response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('half', () => request.socket.destroy());
      },
      'no connection, or it broke (ECONNRESET)',
    ],
  ])('%s', async (_, behaves, why) => {
    listener = behaves;
    await expect(send()).rejects.toThrow(why);
    expect(requests).toBe(1);
  });

  test.each<[string, RequestListener]>([
    ['no answer', () => {}],
    ['half an answer', (_, response) => void response.write('{')],
  ])('%s in time', async (_, behaves) => {
    listener = behaves;
    const impatient = createPost({ privateAddresses: true, timeoutMs: 50 });
    await expect(send(impatient)).rejects.toThrow('no answer within 50 ms');
  });
});

function endless(response: Parameters<RequestListener>[1]): void {
  if (!response.destroyed) response.write('x'.repeat(64 * 1024), () => endless(response));
}

test.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0x7f000001', '2130706433', '0', 'localhost', 'localhost.'])(
  '%s is refused before anything is sent, unless that is allowed',
  async (host) => {
    listener = (_, response) => response.end('inside');
    const strict = createPost({ privateAddresses: false });
    await expect(send(strict, host)).rejects.toThrow(/not public|ENOTFOUND|EAI_AGAIN/);
    expect(requests).toBe(0);
  },
);

test('a name is resolved for the connection itself: what it resolves to is what is checked', async () => {
  listener = (_, response) => response.end('inside');
  await expect(send(createPost({ privateAddresses: false }), 'localhost')).rejects.toThrow('not public');
  expect(await send(post, 'localhost')).toBe('inside');
});
