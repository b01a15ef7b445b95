/**
 * A Redis that comes back without its latest writes, as after a power cut with `appendfsync everysec`, or when a replica
 * takes over. What it has lost is lost. Nobody loads a page again, and yet everything after it goes as it should.
 */
import { afterEach, expect, test } from 'vitest';
import { sweepGhosts } from '../../server/services/ghosts.ts';
import { problemsIn } from '../support/consistent.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { type LastingRedis, startLastingRedis } from '../support/lasting-redis.ts';
import { until } from '../support/until.ts';

/** So seldom that Redis is back before a node is late: what is noticed is that it is another one. */
const BEAT_MS = 2_000;
const DEAD_AFTER_MS = 3 * BEAT_MS;

const undone: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of undone.splice(0).reverse()) await undo();
});

/** Two nodes, of which one has what happens on it told by the other, too. */
async function twoNodes() {
  const redis = await startLastingRedis('everysec');
  undone.push(redis.remove);
  const dispatcher = await createDispatcher(redis.url, { shared: true, beatMs: BEAT_MS });
  undone.push(dispatcher.close);
  const other = await dispatcher.anotherNode();
  await dispatcher.agent('anna', { name: 'Anna' });
  await dispatcher.agent('ben', { name: 'Ben' });
  return { redis, dispatcher, other };
}

/** What is done in `meanwhile` is lost. */
async function cutPower(redis: LastingRedis, meanwhile: () => Promise<unknown>): Promise<void> {
  const mark = await redis.mark();
  await meanwhile();
  await redis.kill();
  await redis.loseSince(mark);
  await redis.start();
}

const serves = ({ get }: Dispatcher) =>
  until(async () => {
    try {
      await get('live');
      return true;
    } catch {
      return false;
    }
  });

test('messages after it are told to everybody, once, though their numbers were given before', async () => {
  const { redis, dispatcher, other } = await twoNodes();
  const often = { checkEveryMs: 100 };
  const anna = await dispatcher.connectAgent('anna', often);
  await anna.setPresence('online');
  const lily = await dispatcher.connectBuyer('lily', { ...often, url: other.url });
  const told = { anna: [] as string[], lily: [] as string[] };
  anna.on('message:created', ({ message }) => told.anna.push(message.body.text));
  lily.on('message:created', ({ message }) => told.lily.push(message.body.text));
  const { conversation } = await lily.open();
  const all = (texts: readonly string[]) =>
    until(() => [told.anna, told.lily].every((heard) => heard.join() === texts.join()));

  await lily.send(conversation.id, 'one');
  await anna.send(conversation.id, 'two');
  await all(['one', 'two']);
  await cutPower(redis, async () => {
    await lily.send(conversation.id, 'lost');
    await anna.send(conversation.id, 'lost too');
    await all(['one', 'two', 'lost', 'lost too']);
  });
  // Under the number of the first that was lost.
  expect(await lily.send(conversation.id, 'three')).toMatchObject({ seq: 3 });
  expect(await anna.send(conversation.id, 'four')).toMatchObject({ seq: 4 });
  await lily.send(conversation.id, 'five');
  await all(['one', 'two', 'lost', 'lost too', 'three', 'four', 'five']);
  const { messages } = await anna.list(conversation.id);
  expect(messages.map(({ body }) => body.text)).toEqual(['one', 'two', 'three', 'four', 'five']);
});

test('an agent who came just before is there, and one who went just before is gone', async () => {
  const { redis, dispatcher, other } = await twoNodes();
  await dispatcher.call('PATCH', 'settings', { presenceGraceMs: 0 });
  const ben = await dispatcher.connectAgent('ben');
  await ben.setPresence('online');
  // She has chosen to be online before, and comes back.
  const before = await dispatcher.connectAgent('anna');
  await before.setPresence('online');
  before.disconnect();
  const connectedOf = async (): Promise<string[]> =>
    (await dispatcher.get('live')).agents
      .filter(({ connected }: { connected: boolean }) => connected)
      .map(({ id }: { id: string }) => id);
  await until(async () => (await connectedOf()).join() === 'ben');
  // Whose session began in the lost moment would have to log in again.
  const token = await dispatcher.agentToken('anna');
  await cutPower(redis, async () => {
    await dispatcher.connectAgent('anna', { url: other.url, token });
    ben.disconnect();
    await until(async () => (await connectedOf()).join() === 'anna');
  });
  await serves(dispatcher);
  await until(async () => (await connectedOf()).includes('anna'));
  // His socket stands under an id that no node has any more: it is swept as of a node that has died.
  await until(async () => {
    await sweepGhosts(dispatcher.application.house, Date.now(), DEAD_AFTER_MS);
    return (await connectedOf()).join() === 'anna';
  });
  expect(await problemsIn(dispatcher.application.house.redis, dispatcher.shop)).toEqual([]);
  const lily = await dispatcher.connectBuyer('lily');
  expect((await lily.open()).conversation.agent).toBe('anna');
});

test('a setting that was lost is not remembered, also where its version is given anew', async () => {
  const { redis, dispatcher, other } = await twoNodes();
  const threshold = async (url: string) => {
    const response = await fetch(`${url}/api/v1/shops/${dispatcher.shop}/settings`, {
      headers: { authorization: `Bearer ${dispatcher.apiKey}` },
    });
    return ((await response.json()) as { busyThreshold: number }).busyThreshold;
  };
  const urls = [dispatcher.url, other.url];
  await cutPower(redis, async () => {
    await dispatcher.call('PATCH', 'settings', { busyThreshold: 7 });
    expect(await Promise.all(urls.map(threshold))).toEqual([7, 7]);
  });
  await serves(dispatcher);
  await dispatcher.call('PATCH', 'settings', { busyThreshold: 3 });
  expect(await Promise.all(urls.map(threshold))).toEqual([3, 3]);
});
