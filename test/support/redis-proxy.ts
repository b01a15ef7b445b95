/** Stands between a node and Redis, and makes the way between them bad: slow, swallowing, refused. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

type Way =
  /** All answers come so many ms late, in order. */
  | { readonly kind: 'pass'; readonly lateMs: number }
  /** Connections are accepted and stay; nothing passes. What was swallowed is lost, also for later. */
  | { readonly kind: 'swallow' }
  /** Connections end, and new ones at once. */
  | { readonly kind: 'refuse' };

type Pair = {
  readonly near: Socket;
  readonly far: Socket;
  /** What Redis has answered and is on its way, with when it arrives. */
  readonly answers: { readonly bytes: Buffer; due: number }[];
  /** Nothing passes any more. */
  dead: boolean;
};

/** Hands on what has arrived by now. */
function deliver(pair: Pair): void {
  for (let next = pair.answers[0]; next; next = pair.answers[0]) {
    const wait = next.due - performance.now();
    if (wait > 0) {
      setTimeout(() => deliver(pair), wait);
      return;
    }
    pair.answers.shift();
    if (!pair.dead && pair.near.writable) pair.near.write(next.bytes);
  }
}

export type RedisProxy = {
  readonly url: string;
  pass(): void;
  slow(lateMs: number): void;
  swallow(): void;
  refuse(): void;
  close(): Promise<void>;
};

export async function startRedisProxy(redisUrl: string): Promise<RedisProxy> {
  const { hostname, port } = new URL(redisUrl);
  let way: Way = { kind: 'pass', lateMs: 0 };
  const pairs = new Set<Pair>();

  const server = createServer((near) => {
    near.on('error', () => undefined);
    if (way.kind === 'refuse') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(Number(port), hostname);
    const pair: Pair = { near, far, answers: [], dead: way.kind === 'swallow' };
    pairs.add(pair);
    far.on('error', () => undefined);
    near.on('data', (bytes) => void (pair.dead || far.write(bytes)));
    far.on('data', (bytes) => {
      pair.answers.push({ bytes, due: performance.now() + (way.kind === 'pass' ? way.lateMs : 0) });
      deliver(pair);
    });
    near.once('close', () => {
      pairs.delete(pair);
      far.destroy();
    });
    // Nobody hears of an end behind a network that swallows.
    far.once('close', () => void (pair.dead || near.destroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  // With the user and the password that Redis asks for.
  const url = new URL(redisUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    pass() {
      way = { kind: 'pass', lateMs: 0 };
      for (const pair of pairs) {
        for (const answer of pair.answers) answer.due = 0;
        deliver(pair);
      }
    },
    slow(lateMs) {
      way = { kind: 'pass', lateMs };
    },
    swallow() {
      way = { kind: 'swallow' };
      for (const pair of pairs) pair.dead = true;
    },
    refuse() {
      way = { kind: 'refuse' };
      for (const { near } of pairs) near.resetAndDestroy();
    },
    async close() {
      server.close();
      for (const { near } of pairs) near.destroy();
      await once(server, 'close');
    },
  };
}
