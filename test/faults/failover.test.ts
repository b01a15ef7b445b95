/**
 * A Redis Cluster whose masters have replicas. One that is told to takes over without a loss while people talk; one that has
 * to, because its master died, may lack what it had not been told yet: that is lost, and everybody goes on.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { keysOfShop } from '../../server/store/keys.ts';
import { bookOfAgent } from '../support/book.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { problemsIn } from '../support/consistent.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { startTalkingShop, TALKING_BUYERS } from '../support/talking-shop.ts';
import { until } from '../support/until.ts';

const PATIENCE_MS = 240_000;

let cluster: TestCluster;
const undo: (() => unknown)[] = [];
beforeAll(async () => {
  cluster = await startCluster({ replicas: true });
}, PATIENCE_MS);
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(() => cluster?.stop());

async function twoNodes(): Promise<{ dispatcher: Dispatcher; other: string }> {
  const dispatcher = await createDispatcher(cluster.target, { shared: true, beatMs: 500 });
  undo.push(dispatcher.close);
  const { url } = await dispatcher.anotherNode();
  return { dispatcher, other: url };
}
const soundness = ({ application, shop }: Dispatcher) => problemsIn(application.house.redis, shop);

test('replicas take over from all masters while people talk: nothing is lost', { timeout: PATIENCE_MS }, async () => {
  const { dispatcher, worker, talkers, isReminded } = await startTalkingShop(cluster.target, undo);
  const replicas = cluster.nodes.slice(3);
  for (const replica of replicas) {
    const before = talkers.acknowledged();
    await cluster.takeOver(replica);
    await until(() => talkers.acknowledged() >= before + 10 * TALKING_BUYERS);
  }
  await isReminded('waiter');
  expect(await talkers.stop()).toEqual([]);
  console.log(
    `taken over ${replicas.length} times under load: ${talkers.acknowledged()} messages acknowledged, ${talkers.refused()} to be sent again`,
  );
  expect(await worker.end('SIGTERM')).toBe(0);
  expect(await soundness(dispatcher)).toEqual([]);
});

test('a replica that lacks the last messages takes over from a dead master: what comes after is as it should be', {
  timeout: PATIENCE_MS,
}, async () => {
  const { dispatcher, other } = await twoNodes();
  await dispatcher.agent('anna', { name: 'Anna' });
  await dispatcher.agent('ben', { name: 'Ben' });
  const often = { checkEveryMs: 500, patienceMs: PATIENCE_MS, timeoutMs: PATIENCE_MS };
  const anna = await dispatcher.connectAgent('anna', often);
  await anna.setPresence('online');
  const lily = await dispatcher.connectBuyer('lily', { ...often, url: other });
  const told = { anna: [] as string[], lily: [] as string[] };
  anna.on('message:created', ({ message }) => told.anna.push(message.body.text));
  lily.on('message:created', ({ message }) => told.lily.push(message.body.text));
  const all = (texts: readonly string[]) =>
    until(() => [told.anna, told.lily].every((heard) => heard.join() === texts.join()));
  const book = bookOfAgent(anna);
  const { conversation } = await lily.open();
  // By the event or, should that be lost on the way, by a heartbeat: what is said after it is told.
  await until(() => book.held.has(conversation.id));
  await lily.send(conversation.id, 'one');
  await anna.send(conversation.id, 'two');
  await all(['one', 'two']);

  const token = await dispatcher.agentToken('ben');
  const master = await cluster.ownerOf(keysOfShop(dispatcher.shop).live);
  const replica = cluster.partnerOf(master);
  await cluster.on(master).wait(1, 10_000);
  await cluster.cutOff(replica);
  await lily.send(conversation.id, 'lost');
  await anna.send(conversation.id, 'lost too');
  await dispatcher.connectAgent('ben', { ...often, token });
  await all(['one', 'two', 'lost', 'lost too']);
  await cluster.kill(master);
  cluster.rejoin(replica);

  // Sent again until the replica is the master.
  expect(await lily.send(conversation.id, 'three')).toMatchObject({ seq: 3 });
  expect(await cluster.ownerOf(keysOfShop(dispatcher.shop).live)).toBe(replica);
  await anna.send(conversation.id, 'four');
  await all(['one', 'two', 'lost', 'lost too', 'three', 'four']);
  const { messages } = await anna.list(conversation.id);
  expect(messages.map(({ body }) => body.text)).toEqual(['one', 'two', 'three', 'four']);
  // He came when it was lost that he had.
  type Shown = { readonly id: string; readonly connected: boolean };
  const isConnected = async (id: string) =>
    ((await dispatcher.get('live')).agents as Shown[]).some((one) => one.id === id && one.connected);
  await until(() => isConnected('ben'));
  await dispatcher.application.house.settled();
  expect(await soundness(dispatcher)).toEqual([]);
  // Who was dead comes back as the replica of the other.
  await cluster.restart(master);
});
