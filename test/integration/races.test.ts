/** Many connections at once: nobody gets two of one place, no conversation two holders, and nothing acknowledged is lost. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Refusal } from '../../client-sdk/contract/index.ts';
import type { AgentActor } from '../../server/services/actor.ts';
import { choosePresence } from '../../server/services/attendance.ts';
import { getAssignment, getConversation, live } from '../../server/services/board.ts';
import { open } from '../../server/services/dispatch.ts';
import { claimFromPool, closeConversation, transferConversation } from '../../server/services/moves.ts';
import { patchSettings, putAgent, putGroup } from '../../server/services/shops.ts';
import { listMessages, say } from '../../server/services/talk.ts';
import { waitingIn } from '../../server/store/read.ts';
import { problemsIn } from '../support/consistent.ts';
import { openCrowd } from '../support/crowd.ts';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { groupPutOf, newShopId, removeShop } from '../support/shop.ts';

const NOON = Date.UTC(2026, 0, 5, 4);
const HOUSES = 8;

let tests: TestHouse[];
const shops: string[] = [];
beforeAll(() => {
  tests = Array.from({ length: HOUSES }, () => createTestHouse(inject('redis')));
});
afterAll(async () => {
  await settled();
  for (const shop of shops) await removeShop(house(0).redis, shop);
  await Promise.all(tests.map(({ close }) => close()));
});

/** One house after another, so that neighbours come over different connections. */
function house(turn: number) {
  const chosen = tests[turn % HOUSES];
  if (!chosen) throw new Error('there are no houses');
  return chosen.house;
}
const settled = () => Promise.all(tests.map(({ house: each }) => each.settled()));
const times = <T>(count: number, make: (turn: number) => T): T[] =>
  Array.from({ length: count }, (_, turn) => make(turn));

function newShop(): string {
  const shop = newShopId('race');
  shops.push(shop);
  return shop;
}

const agentOf = (shop: string, id: string): AgentActor => ({ kind: 'agent', shop, id, role: 'agent' });
const text = (words: string) => ({ type: 'text' as const, text: words });

/** What a call came to: its answer, or the code of its refusal. Throws what is no refusal. */
async function outcomeOf<T>(call: Promise<T>): Promise<{ answer: T } | { refused: string }> {
  try {
    return { answer: await call };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.code };
    throw error;
  }
}

test('2,000 buyers at once for 1,500 places: 1,500 are taken and 500 wait, each once', async () => {
  const shop = newShop();
  const agents = Object.fromEntries(times(30, (n) => [`a${n}`, 1 + (n % 5)]));
  await openCrowd(house(0), shop, { sales: agents }, NOON, { capacity: 50 });
  const opened = await Promise.all(times(2_000, (n) => open(house(n), shop, `buyer-${n}`, {}, NOON)));
  await settled();

  const cameTo = (outcome: string) => opened.filter(({ assignment }) => assignment.outcome === outcome);
  expect(cameTo('agent')).toHaveLength(1_500);
  expect(cameTo('queue')).toHaveLength(500);
  expect(new Set(opened.map(({ conversation }) => conversation.id)).size).toBe(2_000);
  expect(await problemsIn(house(0).redis, shop)).toEqual([]);
  const board = await live(house(0), shop, 'program', NOON);
  expect(board.agents.map(({ active }) => active)).toEqual(times(30, () => 50));
  expect(board.queue).toHaveLength(500);
});

test('places that come free while the queue is being filled go to those who wait, and are never given twice', async () => {
  const shop = newShop();
  await openCrowd(house(0), shop, { sales: { anna: 1, ben: 1 } }, NOON, { capacity: 5 });
  const closed: Promise<unknown>[] = [];
  await Promise.all(
    times(200, async (n) => {
      const { conversation } = await open(house(n), shop, `buyer-${n}`, {}, NOON);
      if (n % 2 === 0 && conversation.state === 'assigned') {
        closed.push(closeConversation(house(n + 1), agentOf(shop, conversation.agent ?? ''), conversation.id, NOON));
      }
    }),
  );
  await Promise.all(closed);
  await settled();
  expect(await problemsIn(house(0).redis, shop)).toEqual([]);
  const { scope } = await house(0).configs.get(shop);
  // Whoever waits does so because both are full, not because somebody forgot them.
  expect(await waitingIn(scope, 'queue')).toHaveLength(200 - closed.length - 10);
});

describe('one buyer', () => {
  test('the same click many times over several connections is one assignment of one conversation', async () => {
    const shop = newShop();
    await openCrowd(house(0), shop, { sales: { anna: 5, ben: 3 } }, NOON);
    const opened = await Promise.all(times(64, (n) => open(house(n), shop, 'bob', {}, NOON, 'click-1')));
    expect(new Set(opened.map(({ conversation }) => conversation.id)).size).toBe(1);
    expect(new Set(opened.map(({ assignment }) => JSON.stringify(assignment))).size).toBe(1);
    const { agents } = await live(house(0), shop, 'program', NOON);
    expect(agents.map(({ active }) => active).sort()).toEqual([0, 1]);
    expect(await problemsIn(house(0).redis, shop)).toEqual([]);
  });

  test('many clicks at once are as many assignments, of one conversation with one holder', async () => {
    const shop = newShop();
    await openCrowd(house(0), shop, { sales: { anna: 5, ben: 3 } }, NOON);
    const opened = await Promise.all(times(64, (n) => open(house(n), shop, 'bob', {}, NOON, `click-${n}`)));
    expect(new Set(opened.map(({ conversation }) => conversation.id)).size).toBe(1);
    expect(new Set(opened.map(({ assignment }) => assignment.id)).size).toBe(64);
    expect(new Set(opened.map(({ assignment }) => assignment.agent)).size).toBe(1);
    const { agents } = await live(house(0), shop, 'program', NOON);
    expect(agents.map(({ active }) => active).sort()).toEqual([0, 1]);
    expect(await problemsIn(house(0).redis, shop)).toEqual([]);
  });
});

test('of several agents who claim the same left message, one gets it', async () => {
  const shop = newShop();
  const crew = times(8, (n) => `a${n}`);
  // Nobody is given it by itself: only by hand.
  await openCrowd(house(0), shop, { sales: Object.fromEntries(crew.map((id) => [id, 1])) }, NOON, {
    settings: { leaveMessage: { to: 'pool', autoAssign: false } },
  });
  await Promise.all(crew.map((id) => choosePresence(house(0), shop, id, 'hung-up', 'chose', NOON)));
  for (let round = 0; round < 25; round++) {
    const { conversation } = await open(house(round), shop, `buyer-${round}`, {}, NOON);
    expect(conversation.state).toBe('pooled');
    const claims = await Promise.all(
      crew.map((id, n) => outcomeOf(claimFromPool(house(n), agentOf(shop, id), conversation.id, NOON))),
    );
    const winners = claims.flatMap((claimed) => ('answer' in claimed ? [claimed.answer.agent] : []));
    expect(winners).toHaveLength(1);
    expect(claims.filter((claimed) => 'refused' in claimed && claimed.refused === 'conflict')).toHaveLength(7);
    expect((await getConversation(house(0), shop, 'program', conversation.id)).agent).toBe(winners[0]);
  }
  await settled();
  expect(await problemsIn(house(0).redis, shop)).toEqual([]);
});

test('messages, transfers, clicks and a close race for one conversation: one holder, each message once, in order', async () => {
  const shop = newShop();
  const crew = { anna: 3, ben: 2, cleo: 1 };
  await openCrowd(house(0), shop, { sales: crew }, NOON);
  for (let round = 0; round < 20; round++) {
    const buyer = { kind: 'buyer' as const, shop, id: `buyer-${round}` };
    const { conversation } = await open(house(0), shop, buyer.id, {}, NOON);
    const { id } = conversation;
    const said = (turn: number, actor: typeof buyer | AgentActor) =>
      outcomeOf(
        say(house(turn), actor, { conversation: id, clientId: `c-${turn}`, body: text(`words ${turn}`) }, NOON),
      );
    const boss: AgentActor = { ...agentOf(shop, 'cleo'), role: 'supervisor' };
    const [messages] = await Promise.all([
      Promise.all([
        ...times(12, (n) => said(n, buyer)),
        ...Object.keys(crew).map((agent, n) => said(20 + n, agentOf(shop, agent))),
        // Sent again, over another connection: the same message.
        ...times(12, (n) => said(n, buyer)),
      ]),
      ...Object.keys(crew).map((agent, n) => outcomeOf(transferConversation(house(n + 3), boss, id, { agent }, NOON))),
      outcomeOf(transferConversation(house(6), boss, id, { group: 'sales' }, NOON)),
      open(house(7), shop, buyer.id, {}, NOON, 'again'),
      ...(round % 2 === 0 ? [outcomeOf(closeConversation(house(4), buyer, id, NOON))] : []),
    ]);
    const stored = await listMessages(house(1), boss, { conversation: id, limit: 200 });
    const acknowledged = messages.flatMap((message) => ('answer' in message ? [message.answer] : []));
    const bySeq = new Map(acknowledged.map((message) => [message.seq, message]));
    expect(stored.messages.map(({ seq }) => seq)).toEqual(stored.messages.map((_, i) => i + 1));
    expect(stored.messages).toEqual([...bySeq.values()].sort((a, b) => a.seq - b.seq));
    expect(new Set(stored.messages.map(({ clientId }) => clientId)).size).toBe(stored.messages.length);
    if (round % 2 === 1) expect(bySeq.size).toBeGreaterThanOrEqual(12);
  }
  await settled();
  expect(await problemsIn(house(0).redis, shop)).toEqual([]);
});

test('agents come and go while buyers click and write: loads and lines add up', async () => {
  const shop = newShop();
  const crew = times(6, (n) => `a${n}`);
  await openCrowd(house(0), shop, { sales: Object.fromEntries(crew.map((id) => [id, 2])) }, NOON, { capacity: 12 });
  await Promise.all([
    ...times(150, async (n) => {
      const { conversation } = await open(house(n), shop, `buyer-${n}`, {}, NOON);
      const saying = { conversation: conversation.id, clientId: 'one', body: text('hello') };
      await say(house(n + 1), { kind: 'buyer', shop, id: `buyer-${n}` }, saying, NOON);
    }),
    ...times(90, (n) =>
      choosePresence(
        house(n + 3),
        shop,
        crew[n % crew.length] ?? '',
        (['hung-up', 'online', 'offline'] as const)[Math.floor(n / 6) % 3] ?? 'online',
        'chose',
        NOON,
      ),
    ),
  ]);
  await Promise.all(crew.map((id, n) => choosePresence(house(n), shop, id, 'online', 'chose', NOON)));
  await settled();
  expect(await problemsIn(house(0).redis, shop)).toEqual([]);
  const board = await live(house(0), shop, 'program', NOON);
  const held = board.agents.reduce((sum, { active }) => sum + active, 0);
  expect(held + board.queue.length + board.pool.length).toBe(150);
  expect(held).toBeLessThanOrEqual(72);
  // Nobody queues while there is a place. What was left in the pool while all were away may wait for replies: it is
  // handed out to nobody who has as many pending as the hand-over limit allows.
  if (board.queue.length > 0) expect(held).toBe(72);
  if (held < 72) for (const { pending, onDuty } of board.agents) expect(!onDuty || pending >= 4).toBe(true);
});

test('the configuration changes while buyers click: every click is answered, assigned and explained', async () => {
  const shop = newShop();
  const crew = { anna: 5, ben: 3, cleo: 1 };
  await openCrowd(house(0), shop, { sales: crew }, NOON, { capacity: 1_000 });
  const changes = times(24, (n) => async () => {
    const at = house(n);
    if (n % 4 === 0) await patchSettings(at, shop, { busyThreshold: 1 + n }, NOON);
    if (n % 4 === 1)
      await putGroup(at, shop, `extra-${n}`, groupPutOf('extra', { members: { anna: 1 + (n % 5) } }), NOON);
    if (n % 4 === 2) await putAgent(at, shop, `new-${n}`, { name: 'New', role: 'agent', kind: 'human' }, NOON);
    if (n % 4 === 3) {
      await putGroup(at, shop, 'sales', groupPutOf('sales', { members: { ...crew, ben: 1 + (n % 5) } }), NOON);
    }
  });
  const [opened] = await Promise.all([
    Promise.all(times(400, (n) => open(house(n), shop, `buyer-${n}`, {}, NOON))),
    Promise.all(changes.map((change) => change())),
  ]);
  await settled();
  expect(await problemsIn(house(0).redis, shop)).toEqual([]);
  for (const { assignment, conversation } of opened) {
    expect(assignment.outcome).toBe('agent');
    expect(await getAssignment(house(0), shop, 'program', assignment.id)).toEqual(assignment);
    expect(await getConversation(house(0), shop, 'program', conversation.id)).toEqual(conversation);
  }
  const { config } = await house(0).configs.fresh(shop);
  expect([...config.groups.keys()].filter((id) => id.startsWith('extra')).length).toBe(6);
  expect([...config.agents.keys()].filter((id) => id.startsWith('new')).length).toBe(6);
});
