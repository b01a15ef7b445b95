/** What one process tells the clients of another: on a Redis that drops connections, goes away, or is not there at all. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createChannels } from '../../server/store/channels.ts';
import { connect } from '../../server/store/connect.ts';
import { createRelay } from '../../server/store/relay.ts';
import type { Connection } from '../../server/store/script.ts';
import { createDispatcher } from '../support/dispatcher.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { breath, until } from '../support/until.ts';

let redis: OwnRedis;
const undo: (() => unknown)[] = [];
beforeAll(async () => {
  redis = await startOwnRedis();
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(() => redis?.stop());

const quiet = () => undefined;

/** The root, buyers' and agents'. */
const NAMESPACES = 3;
/** How many listen to what is told to all of a namespace: each node does to each. */
async function listeners(admin: Connection): Promise<number> {
  const counts = (await admin.pubsub(
    'SHARDNUMSUB',
    ...['/', '/buyer', '/agent'].map((name) => `socket.io#${name}#`),
  )) as (string | number)[];
  return counts.filter((_, i) => i % 2 === 1).reduce<number>((sum, count) => sum + Number(count), 0);
}

/** What nobody waited for and failed; in production it would have ended the process. */
function watchRejections(): unknown[] {
  const rejected: unknown[] = [];
  const listen = (error: unknown) => rejected.push(error);
  process.on('unhandledRejection', listen);
  undo.push(() => process.off('unhandledRejection', listen));
  return rejected;
}

describe('channels', () => {
  it('go on after connections were lost, and those that nobody wants any more stay silent', async () => {
    const publisher = connect({ url: redis.url }, quiet);
    const channels = createChannels({ url: redis.url }, publisher, quiet);
    undo.push(() => publisher.disconnect(), channels.close);
    let heard: string[] = [];
    const hear = (message: Buffer, channel: Buffer) => heard.push(`${channel}: ${message}`);
    /** Says something in all of them until it was heard wherever it should be. */
    const say = async (what: string, ...expected: string[]) => {
      heard = [];
      await until(async () => {
        for (const channel of ['a', 'b', 'c']) await publisher.spublish(channel, what);
        return expected.every((channel) => heard.includes(`${channel}: ${what}`));
      });
      expect(heard.filter((one) => !expected.some((channel) => one.startsWith(channel)))).toEqual([]);
    };
    channels.sSubscribe('a', hear);
    channels.sSubscribe('b', hear);
    await say('hello', 'a', 'b');
    for (let round = 0; round < 3; round++) {
      await publisher.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      // Wanted, and no longer wanted, while the connection is gone.
      if (round === 1) channels.sSubscribe('c', hear);
      if (round === 2) channels.sUnsubscribe('b');
      await say(
        `round ${round}`,
        ...([
          ['a', 'b'],
          ['a', 'b', 'c'],
          ['a', 'c'],
        ][round] as string[]),
      );
    }
  });
});

describe('the relay', () => {
  it('carries what is said from node to node, both ways, again after connections were lost', async () => {
    const dispatcher = await createDispatcher(redis.url, { shared: true });
    const { url } = await dispatcher.anotherNode();
    const admin = connect({ url: redis.url }, quiet);
    undo.push(dispatcher.close, () => admin.disconnect());
    await dispatcher.agent('anna', { name: 'Anna' });
    // They ask for nothing of their own accord: what comes has been told.
    const anna = await dispatcher.connectAgent('anna', { checkEveryMs: 0 });
    await anna.setPresence('online');
    const bob = await dispatcher.connectBuyer('bob', { url, checkEveryMs: 0 });
    const { id } = (await bob.open()).conversation;

    const read: { anna?: number; bob?: number } = {};
    anna.on('message:seen', ({ seq }) => {
      read.anna = seq;
    });
    bob.on('message:seen', ({ seq }) => {
      read.bob = seq;
    });
    /** A message each way, and that it was read, which nobody could ask for later. */
    const talk = async (what: string) => {
      const atAnna = dispatcher.next(anna, 'message:created');
      await bob.send(id, `${what}?`);
      expect((await atAnna).message.body.text).toBe(`${what}?`);
      const atBob = dispatcher.next(bob, 'message:created');
      await anna.send(id, `${what}.`);
      expect((await atBob).message.body.text).toBe(`${what}.`);
      const { seq } = (await atBob).message;
      await Promise.all([anna.markRead(id, seq), bob.markRead(id, seq)]);
      await until(() => read.anna === seq && read.bob === seq);
    };
    /** Types until the other side sees it. */
    const reaches = async (from: typeof anna | typeof bob, to: typeof anna | typeof bob) => {
      let seen = 0;
      (to as typeof bob).on('typing:changed', () => {
        seen += 1;
      });
      await until(async () => {
        await from.setTyping(id, true);
        return seen > 0;
      });
    };
    await talk('fresh');
    for (const type of ['pubsub', 'normal']) await admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    // What is told before both nodes tell and listen again is lost: that they do is what is waited for.
    await until(async () => (await listeners(admin)) === NAMESPACES * 2);
    await reaches(bob, anna);
    await reaches(anna, bob);
    await talk('still fresh');
  });

  it.each([
    ['does not answer', async (_: OwnRedis, admin: Connection) => void (await admin.call('CLIENT', 'PAUSE', '60000'))],
    ['is gone', (own: OwnRedis) => own.stop()],
  ])('is closed while Redis %s, and nothing is left that could end the process', async (_, trouble) => {
    const rejected = watchRejections();
    const own = await startOwnRedis();
    const admin = connect({ url: own.url }, quiet);
    undo.push(own.stop, () => admin.disconnect());
    const relay = createRelay({ url: own.url }, quiet);
    const io = new Server(createServer(), { adapter: relay.adapter });
    const adapter = io.of('/agent').adapter;
    await adapter.addAll('socket-1', new Set(['agent:shop:anna']));
    await until(async () => ((await admin.pubsub('SHARDCHANNELS')) as string[]).some((name) => name.includes('anna')));
    await trouble(own, admin);
    await adapter.addAll('socket-2', new Set(['agent:shop:ben']));
    io.of('/agent').to('agent:shop:anna').emit('told', 'nobody');
    adapter.delAll('socket-1');
    await io.close();
    relay.close();
    // A connection that is ended closes a moment later, and only then is what was under way given up.
    const after = connect({ url: redis.url }, quiet);
    undo.push(() => after.disconnect());
    for (let i = 0; i < 20; i++) await after.ping().then(breath);
    expect(rejected).toEqual([]);
  });
});
