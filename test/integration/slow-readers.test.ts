/** Who does not read is ended, and nobody else; what waits for them does not stay in our memory. */
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { buyerRoom } from '../../server/edge/sockets/rooms.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { breath, until } from '../support/until.ts';

let dispatcher: Dispatcher;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  dispatcher = await createDispatcher(inject('redisUrl'));
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(() => dispatcher?.close());

async function connect(transport: 'websocket' | 'polling'): Promise<Socket> {
  const token = await dispatcher.buyerToken('bob');
  const options = { transports: [transport], auth: { token }, forceNew: true, reconnection: false };
  const socket = io(`${dispatcher.url}/buyer`, options);
  undo.push(() => socket.disconnect());
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Stops taking anything from the network, as a program that hangs does. */
function stopReading(socket: Socket): void {
  const { transport } = socket.io.engine as unknown as { transport: { ws: { _socket: { pause(): void } } } };
  transport.ws._socket.pause();
}

/** Stops asking for more: what is sent waits for the next poll. */
function stopPolling(socket: Socket): void {
  const { transport } = socket.io.engine as unknown as { transport: { doPoll(): void } };
  transport.doPoll = () => undefined;
}

const connected = () => dispatcher.application.io.of('/buyer').sockets.size;
/** 64 kB each, 25 MB in all. */
const EVENTS = 400;
const text = 'x'.repeat(64 * 1024);

/** Tells the buyer so much that it does not fit into what the system keeps, at the pace of whoever reads. */
async function tellMuch(reader: { readonly heard: number }): Promise<void> {
  const room = dispatcher.application.io.of('/buyer').to(buyerRoom(dispatcher.shop, 'bob'));
  for (let n = 1; n <= EVENTS; n++) {
    room.emit('typing:changed', { text });
    await until(() => reader.heard >= n - 5);
    await breath();
  }
}

for (const [transport, stop] of [
  ['websocket', stopReading],
  ['polling', stopPolling],
] as const) {
  it(`over ${transport}: the one that does not read is ended, the one that does hears everything`, async () => {
    const [reads, does] = [await connect('websocket'), await connect(transport)];
    const reader = { heard: 0 };
    reads.on('typing:changed', () => reader.heard++);
    await until(() => connected() === 2);
    let ended = '';
    const there = dispatcher.application.io.of('/buyer').sockets.get(does.id ?? '');
    there?.once('disconnect', (reason) => {
      ended = reason;
    });
    stop(does);
    await tellMuch(reader);
    await until(() => reader.heard === EVENTS && connected() === 1);
    // Not because it answers no ping: until then anything could wait for it.
    expect(ended).toMatch(/^(transport|forced) (close|error)$/);
    expect(reads.connected).toBe(true);
  });
}

it('who reads is not ended, however much there is to read', async () => {
  const reads = await connect('websocket');
  const reader = { heard: 0 };
  reads.on('typing:changed', () => reader.heard++);
  await tellMuch(reader);
  await until(() => reader.heard === EVENTS);
  expect(connected()).toBe(1);
});
