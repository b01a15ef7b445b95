/**
 * Clients that take their time, against a real process: half a request, half a body, an answer that is not read, a connection that
 * says nothing. All of them are let go of in the end, and people of another shop talk meanwhile without noticing.
 */
import { beforeAll, expect, test } from 'vitest';
import { useBesieged } from '../support/besieged.ts';
import type { Bystanders, OpenShop } from '../support/bystanders.ts';
import type { ObservedServer } from '../support/observed-process.ts';
import { type RawConnection, rawConnection } from '../support/raw.ts';
import { until } from '../support/until.ts';

const MANY = 1_000;
const FEW = 50;
/** As many as a connection may have under way. */
const PIPELINED = 10;
const PATIENCE_MS = 240_000;

const besieged = useBesieged('slow');
let server: ObservedServer;
let bystanders: Bystanders;
let shop: OpenShop;
beforeAll(() => {
  server = besieged.server();
  bystanders = besieged.bystanders();
  shop = besieged.shop();
});

/** So many of them, each with a little more to say from time to time; resolves when the server has ended them all. */
async function slow(count: number, begin: string, more: string): Promise<string[]> {
  const connections: RawConnection[] = Array.from({ length: count }, () => rawConnection(server.port, begin));
  const dripping = setInterval(() => {
    for (const { socket } of connections) if (socket.writable && more) socket.write(more);
  }, 1_000);
  try {
    return await Promise.all(connections.map(({ ended }) => ended));
  } finally {
    clearInterval(dripping);
  }
}

/** Connections of the server, and whatever else it has open. */
async function openFiles(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^process_open_fds (\d+)/m.exec(text)?.[1]);
}

const outOfTime = /^(HTTP\/1\.1 (408|400) |$)/;

test(
  'slowloris: headers, bodies and silence without an end',
  async () => {
    const post = [
      `PUT /api/v1/shops/${shop.shop}/agents/ben HTTP/1.1`,
      'Host: x',
      `Authorization: Bearer ${shop.apiKey}`,
      'Content-Type: application/json',
      'Content-Length: 200000',
      '',
      '{"name":"',
    ].join('\r\n');
    const results = await Promise.all([
      slow(MANY, '', ''),
      slow(MANY, 'GET /healthz HTTP/1.1\r\nHost: x\r\n', 'X-More: x\r\n'),
      slow(MANY, 'GET /healthz HT', ''),
      slow(FEW, post, 'x'),
      slow(
        FEW,
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n',
        'X-More: x\r\n',
      ),
      bystanders.talk(100),
    ]);
    for (const ended of results.slice(0, 5)) for (const heard of ended ?? []) expect(heard).toMatch(outOfTime);
    expect(server.isAlive()).toBe(true);
  },
  PATIENCE_MS,
);

test(
  'answers that nobody reads: they are not kept',
  async () => {
    const before = await server.memory();
    const open = await openFiles();
    const asks = 'GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(PIPELINED);
    const connections = Array.from({ length: FEW }, () => {
      const connection = rawConnection(server.port, asks);
      connection.socket.pause();
      return connection;
    });
    await until(async () => (await openFiles()) >= open + FEW);
    await bystanders.talk(20);
    const { external, heapUsed } = await server.memory();
    expect((external + heapUsed - before.external - before.heapUsed) / 2 ** 20).toBeLessThan(60);
    // Nobody here looks at them: the server itself lets go.
    await until(async () => (await openFiles()) < open + FEW / 2);
    for (const { socket } of connections) socket.destroy();
  },
  PATIENCE_MS,
);

test('a thousand requests at once on one connection: it is ended', async () => {
  const before = await server.memory();
  const asks = 'GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000);
  const connections = Array.from({ length: FEW }, () => rawConnection(server.port, asks));
  const heard = await Promise.all(connections.map(({ ended }) => ended));
  for (const answers of heard) expect(answers.split('HTTP/1.1 200').length - 1).toBeLessThanOrEqual(PIPELINED);
  await bystanders.talk(5);
  const { external, heapUsed } = await server.memory();
  expect((external + heapUsed - before.external - before.heapUsed) / 2 ** 20).toBeLessThan(60);
});
