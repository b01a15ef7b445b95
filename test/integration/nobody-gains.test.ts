/** Nobody gains by leaving: agents who go and come back at once, and agents who are full at every turn. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { closeConversation } from '../../server/services/moves.ts';
import { say } from '../../server/services/talk.ts';
import { seeded } from '../support/draw.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { newShopId, openShop, removeShop, setPresences } from '../support/shop.ts';

const NOW = Date.UTC(2026, 2, 2, 2);

let test: TestHouse;
let house: House;
const shops: string[] = [];
beforeAll(() => {
  test = createTestHouse(inject('redisUrl'));
  house = test.house;
});
afterAll(async () => {
  for (const shop of shops) await removeShop(house.redis, shop);
  await test.close();
});

/** The longest run of one agent whose share is under a third, over 400 new buyers; `flap` says who goes and comes back before each. */
async function longestRun(seed: number, flap: (draw: () => number, ids: string[], last: string) => string) {
  const draw = seeded(seed);
  const ids = Array.from({ length: 8 }, (_, i) => `a${i}`);
  const levels = Object.fromEntries(ids.map((id) => [id, 1 + Math.floor(draw() * 3)]));
  const total = Object.values(levels).reduce((a, b) => a + b, 0);
  const shop = newShopId('flap');
  shops.push(shop);
  const agents = Object.fromEntries(ids.map((id) => [id, {}]));
  await openShop(house, shop, { agents, groups: { g: { members: levels } } }, NOW);
  await setPresences(house, shop, Object.fromEntries(ids.map((id) => [id, 'online'])), NOW);
  let run: string[] = [];
  let longest: string[] = [];
  for (let i = 0; i < 400; i++) {
    const id = flap(draw, ids, run.at(-1) ?? '');
    if (id) {
      await setPresences(house, shop, { [id]: 'hung-up' }, NOW);
      await setPresences(house, shop, { [id]: 'online' }, NOW);
    }
    const taker = (await open(house, shop, `b-${i}`, {}, NOW)).assignment.agent ?? '';
    if ((levels[taker] ?? 0) * 3 >= total) run = [];
    else run = run.at(-1) === taker ? [...run, taker] : [taker];
    if (run.length > longest.length) longest = run;
  }
  return longest;
}

it.each([1, 2, 3])('anybody going and coming back at once gets no more than two in a row (seed %i)', async (seed) => {
  const run = await longestRun(seed, (draw, ids) => ids[Math.floor(draw() * ids.length)] as string);
  expect(run.length, run.join()).toBeLessThanOrEqual(2);
});

it.each([4, 5, 6])('nor does who was served last (seed %i)', async (seed) => {
  const run = await longestRun(seed, (_draw, _ids, last) => last);
  expect(run.length, run.join()).toBeLessThanOrEqual(2);
});

it('who left busy comes back as they are: what was pending is no debt', async () => {
  const shop = newShopId('debt');
  shops.push(shop);
  await openShop(house, shop, { agents: { a: {}, b: {} }, groups: { g: { members: { a: 1, b: 1 } } } }, NOW);
  await setPresences(house, shop, { a: 'online' }, NOW);
  const held: string[] = [];
  for (let i = 0; i < 12; i++) {
    const { conversation } = await open(house, shop, `w-${i}`, {}, NOW);
    const buyer = { kind: 'buyer', shop, id: `w-${i}` } as const;
    await say(house, buyer, { conversation: conversation.id, clientId: 'c', body: { type: 'text', text: 'hi' } }, NOW);
    held.push(conversation.id);
  }
  await setPresences(house, shop, { b: 'online' }, NOW);
  await setPresences(house, shop, { a: 'hung-up' }, NOW);
  const a = { kind: 'agent', shop, id: 'a', role: 'agent' } as const;
  for (const id of held) await closeConversation(house, a, id, NOW);
  await setPresences(house, shop, { a: 'online' }, NOW);
  const takers = [];
  for (let i = 0; i < 20; i++) takers.push((await open(house, shop, `n-${i}`, {}, NOW)).assignment.agent);
  expect(Math.abs(takers.filter((agent) => agent === 'a').length - 10)).toBeLessThanOrEqual(1);
});
