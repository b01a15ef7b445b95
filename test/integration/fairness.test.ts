/** Shares inside a group and among groups: in proportion to weight, at every moment, and without luck. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Assignment, Presence } from '../../client-sdk/contract/index.ts';
import { choosePresence } from '../../server/services/attendance.ts';
import { open } from '../../server/services/dispatch.ts';
import { say } from '../../server/services/talk.ts';
import { clicks, openCrowd } from '../support/crowd.ts';
import { seeded } from '../support/draw.ts';
import { createTestHouse } from '../support/house.ts';
import { newShopId } from '../support/shop.ts';

const NOON = Date.UTC(2026, 0, 5, 4);
const { house, close } = createTestHouse(inject('redisUrl'));
afterAll(close);
// A script that Redis does not know yet is sent twice, and what is in flight then changes its order: let it know them all.
beforeAll(async () => {
  const shop = newShopId('fair');
  await openCrowd(house, shop, { sales: { anna: 1 } }, NOON);
  await clicks(house, shop, 1, NOON);
});

const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
const levelsOf = (levels: readonly number[]) => Object.fromEntries(levels.map((level, i) => [`a${i}`, level]));

/** The farthest that anybody's count ever is from their due share, as buyers come one after another. */
function farthest(names: readonly string[], weights: Readonly<Record<string, number>>): number {
  const total = sum(Object.values(weights));
  const got = new Map<string, number>();
  let far = 0;
  names.forEach((name, i) => {
    got.set(name, (got.get(name) ?? 0) + 1);
    for (const [each, weight] of Object.entries(weights)) {
      far = Math.max(far, Math.abs((got.get(each) ?? 0) - ((i + 1) * weight) / total));
    }
  });
  return far;
}

const agentsOf = (assignments: readonly Assignment[]) => assignments.map(({ agent }) => agent ?? 'nobody');

describe('inside a group', () => {
  const random = seeded(20_260_105);
  test.each([
    ['levels 5, 4, 3, 2, 1', [5, 4, 3, 2, 1]],
    ['one of level 5 among fifty of level 1', [5, ...Array.from({ length: 50 }, () => 1)]],
    ['200 agents of any level', Array.from({ length: 200 }, () => 1 + Math.floor(random() * 5))],
  ])('%s: nobody is ever 1.5 buyers from their due share', async (_, levels) => {
    const shop = newShopId('fair');
    const weights = levelsOf(levels);
    await openCrowd(house, shop, { sales: weights }, NOON);
    const names: string[] = [];
    while (names.length < 5_000) {
      names.push(...agentsOf(await clicks(house, shop, 500, NOON, `buyer-${names.length}`)));
    }
    expect(farthest(names, weights)).toBeLessThan(1.5);
  });

  test('the busy get fewer, by 1 / (1 + pending - threshold), and not none', async () => {
    const shop = newShopId('fair');
    const levels = { anna: 5, ben: 5, cleo: 2, dora: 1 };
    await openCrowd(house, shop, { sales: levels }, NOON);
    // Buyers write until everybody has as many waiting as this test wants of them; nobody answers.
    const wanted = { anna: 6, ben: 5, cleo: 4, dora: 0 } as Record<string, number>;
    for (let n = 0; sum(Object.values(wanted)) > 0; n++) {
      const { conversation, assignment } = await open(house, shop, `early-${n}`, {}, NOON);
      const agent = assignment.agent ?? 'nobody';
      if (!wanted[agent]) continue;
      wanted[agent] -= 1;
      await say(
        house,
        { kind: 'buyer', shop, id: `early-${n}` },
        { conversation: conversation.id, clientId: 'one', body: { type: 'text', text: 'hello' } },
        NOON,
      );
    }
    const names: string[] = [];
    while (names.length < 1_000) names.push(...agentsOf(await clicks(house, shop, 250, NOON, `late-${names.length}`)));
    // The threshold is 4: six waiting make a third of it, five a half.
    expect(farthest(names, { anna: 5 / 3, ben: 5 / 2, cleo: 2, dora: 1 })).toBeLessThan(1.5);
  });
});

describe('among groups', () => {
  test('each is drawn in proportion to the levels on duty in it', async () => {
    const shop = newShopId('fair');
    const groups = {
      big: { a1: 5, a2: 4, a3: 3, a4: 1 },
      middle: { b1: 4, b2: 2 },
      small: { c1: 1 },
      asleep: { d1: 5 },
    };
    await openCrowd(house, shop, groups, NOON, {
      products: { shoes: ['big', 'middle', 'small', 'asleep'], hats: ['middle', 'small'] },
    });
    await choosePresence(house, shop, 'd1', 'hung-up', 'chose', NOON);
    const shoes = await clicks(house, shop, 2_000, NOON, 'shoes', 'shoes');
    expect(
      farthest(
        shoes.map(({ group }) => group ?? 'none'),
        { big: 13, middle: 6, small: 1, asleep: 0 },
      ),
    ).toBeLessThan(1.5);
    // Another set of groups counts for itself.
    const hats = await clicks(house, shop, 700, NOON, 'hats', 'hats');
    expect(
      farthest(
        hats.map(({ group }) => group ?? 'none'),
        { middle: 6, small: 1 },
      ),
    ).toBeLessThan(1.5);
    // Somebody goes: what is drawn follows who is here.
    await choosePresence(house, shop, 'a1', 'hung-up', 'chose', NOON);
    const fewer = await clicks(house, shop, 1_500, NOON, 'fewer', 'shoes');
    expect(
      farthest(
        fewer.map(({ group }) => group ?? 'none'),
        { big: 8, middle: 6, small: 1, asleep: 0 },
      ),
    ).toBeLessThan(1.5);
  });
});

describe('with agents coming and going', () => {
  type Click = { readonly agent: string; readonly share: number };

  /** Buyers come while agents do, and go: each buyer's agent, and what share that agent had when it happened. */
  async function restless(seed: number, levels: readonly number[], buyers: number, restlessness: number) {
    const random = seeded(seed);
    const shop = newShopId('fair');
    const weights = levelsOf(levels);
    const ids = Object.keys(weights);
    await openCrowd(house, shop, { sales: weights }, NOON);
    const here = new Set(ids);
    const underWay: Promise<Click>[] = [];
    const changes: Promise<Presence>[] = [];
    for (let n = 0; n < buyers; n++) {
      while (random() < restlessness) {
        const id = ids[Math.floor(random() * ids.length)] ?? 'a0';
        if (here.has(id) && here.size < 4) continue;
        const presence = here.has(id) ? (random() < 0.5 ? 'hung-up' : 'offline') : 'online';
        if (presence === 'online') here.add(id);
        else here.delete(id);
        changes.push(choosePresence(house, shop, id, presence, 'chose', NOON));
      }
      // Taken down when it is sent: one connection carries everything in this order.
      const total = sum([...here].map((id) => weights[id] ?? 0));
      const shares = new Map([...here].map((id) => [id, (weights[id] ?? 0) / total]));
      underWay.push(
        open(house, shop, `buyer-${n}`, {}, NOON).then(({ assignment }) => {
          const agent = assignment.agent ?? 'nobody';
          const share = shares.get(agent);
          if (share === undefined) throw new Error(`${agent} was given a buyer while not on duty`);
          return { agent, share };
        }),
      );
      if (underWay.length % 200 === 0) await Promise.all([...underWay, ...changes]);
    }
    await Promise.all(changes);
    const clicked = await Promise.all(underWay);
    await house.settled();
    return clicked;
  }

  /** How long the rows are of buyers to one agent whose share was under a third all along. */
  function rows(clicked: readonly Click[]): number[] {
    const lengths: number[] = [];
    let last = '';
    for (const { agent, share } of clicked) {
      if (share >= 1 / 3) last = '';
      else if (agent === last) lengths.push((lengths.pop() ?? 0) + 1);
      else lengths.push(1);
      if (share < 1 / 3) last = agent;
    }
    return lengths;
  }

  test.each([
    ['ten of level 1', Array.from({ length: 10 }, () => 1)],
    ['two of each level', [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]],
  ])('%s: nobody gets more than two in a row while their share is under a third', async (_, levels) => {
    for (const seed of [1, 2, 3, 4]) {
      for (const restlessness of [0.1, 0.6]) {
        const longest = Math.max(...rows(await restless(seed, levels, 1_000, restlessness)));
        expect(longest, `seed ${seed}`).toBeLessThanOrEqual(2);
      }
    }
  });

  test('one of level 5 among twenty of level 1: nor do they, but for once in a thousand', async () => {
    // The places of those who happen to be here are uneven: one who is as strong as five may fit in between three times.
    const lengths: number[] = [];
    for (const seed of [1, 2, 3, 4]) {
      for (const restlessness of [0.1, 0.6]) {
        lengths.push(...rows(await restless(seed, [5, ...Array.from({ length: 20 }, () => 1)], 1_000, restlessness)));
      }
    }
    expect(Math.max(...lengths)).toBeLessThanOrEqual(3);
    expect(lengths.filter((length) => length > 2).length).toBeLessThanOrEqual(8);
  });
});
