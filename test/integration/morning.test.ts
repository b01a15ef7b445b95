/** What the morning agent is handed: that it was overnight, since when, and what the proxy said. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { choosePresence } from '../../server/services/attendance.ts';
import { getConversation } from '../../server/services/board.ts';
import { open } from '../../server/services/dispatch.ts';
import { say } from '../../server/services/talk.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { type Listening, listening } from '../support/heard.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { newShopId, openShop, removeShop, setPresences } from '../support/shop.ts';

const ONE = Date.parse('2026-03-02T01:00:00+08:00');
const EIGHT = Date.parse('2026-03-02T08:00:00+08:00');
const MINUTE = 60_000;

let test: TestHouse;
let heard: Listening;
const shop = newShopId('morning');
beforeAll(() => {
  heard = listening();
  test = createTestHouse(inject('redisUrl'), { tell: heard });
});
afterAll(async () => {
  await removeShop(test.house.redis, shop);
  await test.close();
});

it('a conversation of the night comes with its night', async () => {
  const { house } = test;
  const nightShift = { enabled: true, proxy: 'nora', from: '00:00', until: '08:00' };
  await openShop(house, shop, { agents: { anna: {}, nora: {} }, settings: { nightShift } }, ONE);
  const bob = { kind: 'buyer' as const, shop, id: 'bob' };
  const nora = { kind: 'agent' as const, shop, id: 'nora', role: 'agent' as const };
  const { conversation } = await open(house, shop, 'bob', {}, ONE);
  expect(conversation).toMatchObject({ agent: 'nora', overnight: true, overnightSince: ONE });
  let n = 0;
  const speak = (who: typeof bob | typeof nora, text: string, at: number) => {
    n += 1;
    return say(house, who, { conversation: conversation.id, clientId: `c${n}`, body: { type: 'text', text } }, at);
  };
  await speak(bob, 'Is it in stock?', ONE + 1);
  for (let line = 1; line <= 6; line++) await speak(nora, `line ${line}`, ONE + 1 + line);
  await speak(bob, 'Anybody?', ONE + MINUTE);
  // A second click in the night does not begin it anew.
  await open(house, shop, 'bob', {}, ONE + 2 * MINUTE);

  await setPresences(house, shop, { anna: 'online' }, EIGHT - MINUTE);
  await runShopJobs(house, shop, EIGHT - 1);
  expect(heard.take('agent:anna', 'conversation:assigned')).toEqual([]);
  await runShopJobs(house, shop, EIGHT);
  const [handed] = heard.take('agent:anna', 'conversation:assigned');
  expect(handed).toMatchObject({
    cause: 'morning',
    conversation: {
      id: conversation.id,
      agent: 'anna',
      overnight: true,
      overnightSince: ONE,
      waitingSince: ONE + MINUTE,
    },
    overnight: { since: ONE, proxy: 'nora' },
  });
  expect(handed.overnight.said.map(({ body }: { body: { text: string } }) => body.text)).toEqual(
    [2, 3, 4, 5, 6].map((line) => `line ${line}`),
  );
  expect(heard.take('agent:nora', 'conversation:released').at(-1)).toMatchObject({
    cause: 'morning',
    to: { agent: 'anna' },
  });

  // By day it is like any other: the next click makes it so.
  await choosePresence(house, shop, 'anna', 'online', 'chose', EIGHT);
  await open(house, shop, 'bob', {}, EIGHT + MINUTE);
  const now = await getConversation(house, shop, 'program', conversation.id);
  expect(now).toMatchObject({ overnight: false });
  expect(now).not.toHaveProperty('overnightSince');
});
