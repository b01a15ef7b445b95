/**
 * Two nodes cannot reach Redis for half a minute, one because nothing passes any more, one because it is refused; a third can.
 * Whoever is on the two gets clear answers in time, whoever is on the third notices nothing, and then all is as if nothing
 * had been: every acknowledged message once and in order, the agents as they chose.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { sweepGhosts } from '../../server/services/ghosts.ts';
import type { House } from '../../server/services/house.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import { problemsIn } from '../support/consistent.ts';
import { mutedLog, type NodeProcess, SECRET, useNodeHouse } from '../support/node-house.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { openTalks, type Talks } from '../support/talks.ts';
import { until } from '../support/until.ts';

const BEAT_MS = 1_000;
const DEAD_AFTER_MS = 5_000;
const GRACE_MS = 2_000;
/** So long the two nodes are cut off. */
const CUT_MS = 30_000;
/** Three processes, half a minute without Redis, and a machine that may be busy. */
const PATIENCE_MS = 240_000;

const own = useNodeHouse(BEAT_MS, mutedLog);
const { undo } = own;
let house: House;
beforeAll(() => {
  house = own.house;
});

async function startBehindProxy(): Promise<{ proxy: RedisProxy; node: NodeProcess }> {
  const proxy = await startRedisProxy(own.redisUrl);
  undo.push(proxy.close);
  return { proxy, node: await own.startNode({ url: proxy.url }) };
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** Every change of presence of an agent: `<presence> <cause>`. */
async function changesOf({ shop }: Talks, agent: string): Promise<string[]> {
  const events = await house.redis.xrange(keysOfShop(shop).events, '-', '+');
  return events
    .map(([, fields]) => Object.fromEntries(fields.flatMap((field, i) => (i % 2 ? [] : [[field, fields[i + 1]]]))))
    .filter((event) => event.type === 'presence' && event.agent === agent)
    .map((event) => `${event.presence} ${event.cause}`);
}

/** The node that each agent's socket is recorded under. */
async function nodesOf({ shop }: Talks): Promise<Map<string, string>> {
  const sockets = await house.redis.hgetall(keysOfShop(shop).sockets);
  return new Map(Object.entries(sockets).map(([field, node]) => [field.split(':')[0] ?? '', node]));
}

it('half a minute without Redis', { timeout: PATIENCE_MS }, async () => {
  const [swallowed, refused, other] = await Promise.all([startBehindProxy(), startBehindProxy(), own.startNode()]);
  const agents = { swallowed: names('swallowed', 3), refused: names('refused', 3), other: names('other', 3) };
  const cutOff = [...agents.swallowed, ...agents.refused];
  const talks = await openTalks(house, SECRET, Object.values(agents).flat(), { presenceGraceMs: GRACE_MS });
  undo.push(talks.disconnect);
  const at = { swallowed: swallowed.node.said.url, refused: refused.node.said.url, other: other.said.url };
  const buyers = {
    swallowed: names('buyer-swallowed-', 4),
    refused: names('buyer-refused-', 4),
    other: names('buyer-other-', 4),
  };
  const all = Object.values(buyers).flat();
  for (const where of ['swallowed', 'refused', 'other'] as const) {
    await Promise.all(agents[where].map((id) => talks.agent(at[where], id)));
  }
  for (const where of ['swallowed', 'refused', 'other'] as const) {
    await Promise.all(buyers[where].map((id) => talks.buyer(at[where], id)));
  }
  const refusals = (who: string) => talks.failures.filter((failure) => failure.who === who).length;
  await until(() => all.every((id) => talks.said(id) > 3));
  const before = await nodesOf(talks);
  expect(before.size).toBe(9);

  swallowed.proxy.swallow();
  refused.proxy.refuse();
  const cut = performance.now();
  const saidBefore = buyers.other.map((id) => talks.said(id));
  // As the workers do, every second.
  const sweeping = setInterval(() => void sweepGhosts(house, Date.now(), DEAD_AFTER_MS).catch(() => undefined), 500);
  undo.push(() => clearInterval(sweeping));

  await until(async () => (await fetch(`${at.swallowed}/readyz`)).status === 503);
  await until(async () => (await fetch(`${at.refused}/readyz`)).status === 503);
  // Their agents are away for everybody else; those of the third node are not.
  await until(async () => {
    const changes = await Promise.all(cutOff.map((id) => changesOf(talks, id)));
    return changes.every((own) => own.at(-1) === 'offline lost-connection');
  });
  await pause(Math.max(0, cut + CUT_MS - performance.now()));
  // Whoever cannot be served hears so, again and again, and keeps the connection. The others go on.
  for (const id of [...buyers.swallowed, ...buyers.refused]) expect(refusals(id)).toBeGreaterThan(5);
  for (const [i, id] of buyers.other.entries()) {
    expect(refusals(id)).toBe(0);
    expect(talks.said(id)).toBeGreaterThan(saidBefore[i] ?? 0);
  }
  expect([...talks.moved.keys()]).toEqual([]);

  swallowed.proxy.pass();
  refused.proxy.pass();
  await until(async () => {
    const changes = await Promise.all(cutOff.map((id) => changesOf(talks, id)));
    return changes.every((own) => own.at(-1) === 'online connected');
  });
  clearInterval(sweeping);
  // The same sockets, which nobody had to connect again, under ids that their nodes have not had before.
  const after = await nodesOf(talks);
  expect(after.size).toBe(9);
  for (const id of cutOff) expect([...before.values()]).not.toContain(after.get(id));
  for (const id of agents.other) expect(after.get(id)).toBe(before.get(id));

  const healed = all.map((id) => talks.said(id));
  await until(() => all.every((id, i) => talks.said(id) > (healed[i] ?? 0) + 3));
  await talks.finish();
  // A conversation whose holder was away is somebody else's by now: an agent who answers late is told so.
  const lost = talks.failures.filter(({ code }) => code !== 'unavailable');
  expect(lost.filter(({ who, code }) => all.includes(who) || !['not-found', 'forbidden'].includes(code))).toEqual([]);
  for (const id of agents.other) expect(await changesOf(talks, id)).toEqual(['online chose']);
  expect(await problemsIn(house.redis, talks.shop)).toEqual([]);
  console.log(`partition: ${talks.said()} messages acknowledged, ${talks.failures.length} commands refused`);
});
