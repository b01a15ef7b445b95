/** What a look at the replies that are owed reads, where there are many. */
import type { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Settings } from '../../client-sdk/contract/index.ts';
import { open } from '../../server/services/dispatch.ts';
import { sweepReplies } from '../../server/services/replies.ts';
import { say } from '../../server/services/talk.ts';
import { type Owed, pagesOwed, readLook } from '../../server/store/replies.ts';
import { useOwnShop } from '../support/own-shop.ts';
import { openShop, setPresences } from '../support/shop.ts';

const NOON = Date.parse('2026-03-02T12:00:00+08:00');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const MANY = 20_000;
const ANY = { after: Number.NEGATIVE_INFINITY, until: NOON };

const own = useOwnShop('many');
const scopeNow = async () => (await own.house.configs.get(own.shop)).scope;

async function shopWith(settings: Partial<Settings>, ...agents: string[]): Promise<void> {
  await openShop(own.house, own.shop, { agents: Object.fromEntries(agents.map((id) => [id, {}])), settings }, NOON);
  await setPresences(own.house, own.shop, Object.fromEntries(agents.map((id) => [id, 'online'])), NOON);
}
/** A buyer clicks and writes. Answers the conversation. */
async function comes(id: string, at: number): Promise<string> {
  const { conversation } = await open(own.house, own.shop, id, {}, at);
  const body = { type: 'text' as const, text: '…' };
  await say(
    own.house,
    { kind: 'buyer', shop: own.shop, id },
    { conversation: conversation.id, clientId: id, body },
    at,
  );
  await own.house.settled();
  return conversation.id;
}

/** Entries of conversations that have been erased: they are owed by nobody, and read all the same. */
let made: string[] = [];
async function owe(since: readonly number[]): Promise<void> {
  const { redis, keys } = await scopeNow();
  made = since.map((_, i) => `made-${String(i).padStart(5, '0')}`);
  await redis.zadd(keys.owed, ...since.flatMap((at, i) => [at, made[i] ?? '']));
}
afterEach(async () => {
  vi.restoreAllMocks();
  const { redis, keys } = await scopeNow();
  if (made.length > 0) await redis.zrem(keys.owed, ...made);
  made = [];
});

/** The commands sent while something is done, and how many values came back in all. */
async function traffic(work: () => Promise<unknown>): Promise<{ commands: string[]; values: number }> {
  const seen = { commands: [] as string[], values: 0 };
  const redis = own.house.redis as Redis;
  const send = redis.sendCommand.bind(redis);
  const spy = vi.spyOn(redis, 'sendCommand').mockImplementation((command, ...rest) => {
    seen.commands.push(command.name);
    command.promise.then(
      (reply: unknown) => {
        seen.values += Array.isArray(reply) ? reply.length : 1;
      },
      () => {},
    );
    return send(command, ...rest);
  });
  await work();
  spy.mockRestore();
  return seen;
}

describe('20,000 replies are owed', () => {
  it('none for as long as the shortest period: one command finds that', async () => {
    await shopWith({ slowReplyMs: 100 * SECOND, reassignAfterMs: 30 * MINUTE }, 'anna');
    await owe(Array.from({ length: MANY }, (_, i) => NOON + i));
    const { commands } = await traffic(() => sweepReplies(own.house, own.shop, NOON + 100 * SECOND - 1));
    // The first is for the version of the configuration.
    expect(commands).toEqual(['hget', 'zrange']);
  });

  it('three are due: little more than those is read', async () => {
    await shopWith({ slowReplyMs: 100 * SECOND, reassignAfterMs: 30 * MINUTE }, 'anna');
    const conversations: string[] = [];
    for (const [i, buyer] of ['bob', 'cid', 'dan'].entries()) conversations.push(await comes(buyer, NOON + i));
    // All are slow; by how much differs, and none ends a period in the second that is looked at.
    await owe(Array.from({ length: MANY }, (_, i) => NOON - (i % 90) * 100 * SECOND - 10 * SECOND - (i % 50) * SECOND));
    await sweepReplies(own.house, own.shop, NOON + 99 * SECOND + 500);
    expect(own.heard.take('agent:anna', 'reply:slow')).toEqual([]);
    const { commands, values } = await traffic(() => sweepReplies(own.house, own.shop, NOON + 100 * SECOND + 500));
    const [told] = own.heard.take('agent:anna', 'reply:slow');
    expect(told.conversations).toMatchObject(conversations.map((conversation) => ({ conversation })));
    expect(commands.filter((name) => name === 'zrangebyscore')).toHaveLength(1);
    expect(commands.length).toBeLessThan(150);
    expect(values).toBeLessThan(300);
  });

  it('all are due: no answer of Redis is longer than a page', async () => {
    await shopWith({ slowReplyMs: 100 * SECOND }, 'anna');
    const bob = await comes('bob', NOON + MANY);
    await owe(Array.from({ length: MANY }, (_, i) => NOON + i));
    const { commands } = await traffic(() => sweepReplies(own.house, own.shop, NOON + MANY + 100 * SECOND));
    expect(commands.filter((name) => name === 'zrangebyscore')).toHaveLength(MANY / 1_000 + 1);
    expect(own.heard.take('agent:anna', 'reply:slow')).toEqual([
      { conversations: [{ conversation: bob, waitingSince: NOON + MANY }] },
    ]);
  });
});

it('one that nobody has answered for days costs a few commands', async () => {
  await shopWith({ slowReplyMs: 100 * SECOND }, 'anna');
  await owe([NOON - 72 * 60 * MINUTE]);
  await sweepReplies(own.house, own.shop, NOON);
  const { commands } = await traffic(() => sweepReplies(own.house, own.shop, NOON + SECOND));
  expect(commands).toEqual(['hget', 'zrange', 'hget', 'zcount', 'zrangebyscore', 'hset']);
});

it('everybody without a reply goes to somebody else, at the same moment', async () => {
  await shopWith({ slowReplyMs: 0, reassignAfterMs: MINUTE }, 'anna', 'ben');
  const buyers = Array.from({ length: 40 }, (_, i) => `b${i}`);
  for (const buyer of buyers) await comes(buyer, NOON);
  own.heard.forget();
  await sweepReplies(own.house, own.shop, NOON + MINUTE);
  await own.house.settled();
  const came = ['anna', 'ben'].flatMap((id) => own.heard.take(`agent:${id}`, 'conversation:assigned'));
  expect(came.map(({ conversation }) => conversation.buyer).sort()).toEqual([...buyers].sort());
});

it('what fails keeps nothing else from being done, and is done again at the next look', async () => {
  await shopWith({ slowReplyMs: MINUTE }, 'anna', 'ben');
  for (const buyer of ['bob', 'cid']) await comes(buyer, NOON);
  const told = () => ['anna', 'ben'].filter((id) => own.heard.take(`agent:${id}`, 'reply:slow').length > 0);
  const broken = vi.spyOn(own.house.tell, 'agent').mockImplementationOnce(() => {
    throw new Error('on purpose');
  });
  await expect(sweepReplies(own.house, own.shop, NOON + MINUTE)).rejects.toThrow('1 replies');
  expect(told()).toHaveLength(1);
  expect(await readLook(await scopeNow())).toBeUndefined();
  broken.mockRestore();
  await sweepReplies(own.house, own.shop, NOON + MINUTE + SECOND);
  expect(told()).toEqual(['anna', 'ben']);
  const periods = { slow: MINUTE, hangUp: 0, reassign: 0 };
  expect(await readLook(await scopeNow())).toEqual({ at: NOON + MINUTE + SECOND, periods });
});

describe('pages of what is owed', () => {
  const names = (page: readonly Owed[]) => page.map(({ conversation }) => conversation);

  it.each([
    ['at one moment', () => NOON],
    ['each at its own', (i: number) => NOON - 1_000 + i],
    ['some at one', (i: number) => NOON - 1_000 + Math.floor(i / 7)],
  ])('have each once, though nobody is settled: %s', async (_, since) => {
    await shopWith({}, 'anna');
    await owe(Array.from({ length: 50 }, (_, i) => since(i)));
    const read: string[] = [];
    for await (const page of pagesOwed(await scopeNow(), ANY, 4)) read.push(...names(page));
    expect(read).toEqual(made);
  });

  it.each([
    ['all of them', 1],
    ['every other one', 2],
    ['a few', 5],
  ])('have each once, though %s are settled before the next is read', async (_, nth) => {
    await shopWith({}, 'anna');
    await owe(Array.from({ length: 50 }, () => NOON));
    const { redis, keys } = await scopeNow();
    const read: string[] = [];
    for await (const page of pagesOwed(await scopeNow(), ANY, 4)) {
      read.push(...names(page));
      const gone = read.filter((_, i) => i % nth === 0);
      await redis.zrem(keys.owed, ...gone);
    }
    expect(read).toEqual(made);
  });

  it('leave out what began outside of the range', async () => {
    await shopWith({}, 'anna');
    await owe([NOON - 3, NOON - 2, NOON - 1, NOON, NOON + 1]);
    const read: Owed[] = [];
    for await (const page of pagesOwed(await scopeNow(), { after: NOON - 3, until: NOON - 1 })) read.push(...page);
    expect(read.map(({ since }) => since - NOON)).toEqual([-2, -1]);
  });
});
