/** The queue as its buyers see it: places, reasons and estimates as they change, priorities, leaving, and its end. */
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../client-sdk/contract/index.ts';
import { live } from '../../server/services/board.ts';
import { open } from '../../server/services/dispatch.ts';
import type { Tell } from '../../server/services/house.ts';
import { closeConversation } from '../../server/services/moves.ts';
import { leaveQueue, tellPlaces } from '../../server/services/queue.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { say } from '../../server/services/talk.ts';
import { readBuyer } from '../../server/store/buyers.ts';
import { close } from '../../server/store/moves.ts';
import { readConversation } from '../../server/store/read.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { useOwnShop } from '../support/own-shop.ts';
import { openShop, type ShopSpec, setPresences } from '../support/shop.ts';

const NOON = Date.parse('2026-03-02T12:00:00+08:00');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const own = useOwnShop('queue');

/** Anna has one place, taken by somebody; whoever comes now waits. */
async function full(spec: Partial<ShopSpec> = {}, settings: Partial<Settings> = {}): Promise<void> {
  const { house } = own;
  await openShop(
    house,
    own.shop,
    { agents: { anna: { capacity: 1 }, boss: { role: 'owner' } }, settings, ...spec },
    NOON,
  );
  await setPresences(house, own.shop, { anna: 'online' }, NOON);
  await open(house, own.shop, 'first', {}, NOON);
}
async function wait(at: number, ...buyers: string[]): Promise<string[]> {
  const opened = [];
  for (const buyer of buyers) opened.push(await open(own.house, own.shop, buyer, {}, at));
  await own.house.settled();
  return opened.map(({ conversation }) => conversation.id);
}
const buyer = (id: string) => ({ kind: 'buyer' as const, shop: own.shop, id });
const anna = () => ({ kind: 'agent' as const, shop: own.shop, id: 'anna', role: 'agent' as const });
/** Anna is done with whom she has; what follows from it follows. */
async function done(at: number): Promise<void> {
  const { house } = own;
  const { scope } = await house.configs.get(own.shop);
  const [member = ''] = await house.redis.zrangebylex(scope.keys.held, '[anna:', '(anna;');
  await closeConversation(house, anna(), member.slice('anna:'.length), at);
  await house.settled();
}
const talkOf = async (id: string) => {
  const { scope } = await own.house.configs.get(own.shop);
  const record = await readConversation(scope, (await readBuyer(scope, id))?.newest ?? '');
  if (!record) throw new Error(`${id} has no conversation`);
  return record.conversation;
};
const tick = (at: number) => runShopJobs(own.house, own.shop, at);
const placesTold = (who: string) => own.heard.take(`buyer:${who}`, 'chat:changed').map(({ queue }) => queue);
const inQueue = async (at: number) => (await live(own.house, own.shop, 'program', at)).queue.map((one) => one.buyer);
const inPool = async (at: number) => (await live(own.house, own.shop, 'program', at)).pool.map((one) => one.buyer);

describe('a buyer in the queue', () => {
  it('hears of their place when they come, and when it changes, and not otherwise', async () => {
    await full();
    await wait(NOON, 'bob', 'cid', 'dan');
    expect(placesTold('cid')).toEqual([{ position: 2, reason: 'others-wait-first' }]);
    await tick(NOON + 2 * SECOND);
    expect(placesTold('cid')).toEqual([]);

    await done(NOON + 3 * SECOND);
    await tick(NOON + 3 * SECOND);
    expect(placesTold('cid')).toEqual([{ position: 1, reason: 'everyone-full' }]);
    expect(placesTold('dan').slice(1)).toEqual([{ position: 2, reason: 'others-wait-first' }]);
    await tick(NOON + 4 * SECOND);
    expect(placesTold('cid')).toEqual([]);
    // What was kept of those who are served is forgotten.
    const { scope } = await own.house.configs.get(own.shop);
    expect(await own.house.redis.hlen(scope.keys.places)).toBe(2);
  });

  it('hears an estimate once there is something to estimate from', async () => {
    await full();
    await wait(NOON, 'b1', 'b2', 'b3', 'b4', 'b5', 'b6');
    for (let n = 1; n <= 3; n++) await done(NOON + n * MINUTE);
    await tick(NOON + 4 * MINUTE);
    expect(placesTold('b4').at(-1)).toEqual({ position: 1, reason: 'everyone-full', etaMs: MINUTE });
    expect(placesTold('b6').at(-1)).toEqual({ position: 3, reason: 'others-wait-first', etaMs: 3 * MINUTE });
    const [late] = await wait(NOON + 4 * MINUTE, 'late');
    expect(placesTold('late')).toEqual([{ position: 4, reason: 'others-wait-first', etaMs: 4 * MINUTE }]);
    expect(late).toBeDefined();
    // A queue that begins anew has its own pace.
    for (let n = 0; n < 4; n++) await done(NOON + 5 * MINUTE);
    expect(await inQueue(NOON + 5 * MINUTE)).toEqual([]);
    await wait(NOON + 6 * MINUTE, 'another');
    expect(placesTold('another')).toEqual([{ position: 1, reason: 'everyone-full' }]);
  });

  it('who leaves while they are told is told how it stands after that', async () => {
    await full();
    const [bob = ''] = await wait(NOON, 'bob', 'cid');
    await done(NOON + SECOND);
    const { house } = own;
    const { scope } = await house.configs.get(own.shop);
    own.heard.forget();
    // Between what is read of the queue and what is kept of it.
    const tell: Tell = {
      ...own.heard,
      buyer(shop, who, event, data) {
        own.heard.buyer(shop, who, event, data);
        if (who === 'cid' && event === 'chat:changed' && !left) left = close(scope, place, by, NOON + 2 * SECOND);
      },
    };
    let left: Promise<unknown> | undefined;
    const place = { conversation: (await talkOf('cid')).id, buyer: 'cid' };
    const by = { kind: 'buyer', id: 'cid' } as const;
    await tellPlaces({ ...house, tell }, own.shop, NOON + 2 * SECOND);
    await left;
    const states = own.heard.take('buyer:cid', 'chat:changed').map(({ conversation }) => conversation.state);
    expect(states).toEqual(['queued', 'closed']);
    expect((await talkOf('bob')).id).toBe(bob);
    expect(await house.redis.hlen(scope.keys.places)).toBe(0);
  });

  it('is told of no storm: of a hundred who move up by one, the ten at the head and some others hear', async () => {
    await full();
    const buyers = Array.from({ length: 100 }, (_, n) => `b${n + 1}`);
    await wait(NOON, ...buyers);
    await tick(NOON + SECOND);
    for (const who of buyers) placesTold(who);
    await done(NOON + 2 * SECOND);
    await tick(NOON + 2 * SECOND);
    const told = buyers.slice(1).map((who) => placesTold(who).length);
    // Of the others those for whom one place is a tenth: who was 11th is 10th now.
    expect(told.slice(0, 10)).toEqual(Array(10).fill(1));
    expect(told.slice(10).every((times) => times === 0)).toBe(true);
  });
});

describe('priority', () => {
  const settings = { queue: { priorities: { vip: 2, gold: 5 }, leaveAfterMs: null } };

  it('of a crowd comes before everybody, and within it who came first', async () => {
    await full({ buyers: { v1: { crowds: ['vip'] }, v2: { crowds: ['vip'] }, g: { crowds: ['gold'] } } }, settings);
    await wait(NOON, 'b1', 'v1', 'b2', 'v2', 'g');
    expect(await inQueue(NOON)).toEqual(['g', 'v1', 'v2', 'b1', 'b2']);
    expect(placesTold('g')).toEqual([{ position: 1, reason: 'everyone-full' }]);
    await tick(NOON + SECOND);
    expect(placesTold('b1').at(-1)).toMatchObject({ position: 4 });
    await done(NOON + 2 * SECOND);
    expect(await inQueue(NOON)).toEqual(['v1', 'v2', 'b1', 'b2']);
  });
});

describe('leaving the queue', () => {
  it('by choice leaves a message: into the pool, at the place of the wait, and the others move up', async () => {
    await full({}, { leaveMessage: { to: 'pool', autoAssign: false } });
    const [bob = '', cid = ''] = await wait(NOON, 'bob', 'cid');
    expect(await leaveQueue(own.house, buyer('cid'), cid, NOON + SECOND, 'r')).toMatchObject({ state: 'pooled' });
    expect(await leaveQueue(own.house, buyer('bob'), bob, NOON + 2 * SECOND)).toMatchObject({ state: 'pooled' });
    // Who has waited longer is first there too, though they left later.
    expect(await inPool(NOON)).toEqual(['bob', 'cid']);
    expect(own.heard.take('buyer:cid', 'chat:changed').at(-1)).toMatchObject({ conversation: { state: 'pooled' } });
    // The same request, and a conversation that does not wait: as they are.
    expect(await leaveQueue(own.house, buyer('cid'), cid, NOON + MINUTE, 'r')).toMatchObject({ state: 'pooled' });
    await expect(leaveQueue(own.house, buyer('bob'), cid, NOON + MINUTE)).rejects.toThrow('no such conversation');
  });

  it('goes to the owner where the shop says so, with the reason in its trace', async () => {
    await full({}, { leaveMessage: { to: 'owner', autoAssign: true } });
    const [bob = ''] = await wait(NOON, 'bob');
    await leaveQueue(own.house, buyer('bob'), bob, NOON + SECOND);
    const [told] = own.heard.take('agent:boss', 'conversation:assigned');
    expect(told).toMatchObject({
      cause: 'queue-left',
      conversation: { buyer: 'bob', agent: 'boss' },
      assignment: { outcome: 'owner', step: 'full', trace: [{ why: 'left-the-queue' }] },
    });
  });

  it('comes of itself at the limit of waiting, of every priority, and not before', async () => {
    const queue = { priorities: { vip: 9 }, leaveAfterMs: MINUTE };
    await full({ buyers: { vip: { crowds: ['vip'] } } }, { queue, leaveMessage: { to: 'pool', autoAssign: false } });
    await wait(NOON, 'bob', 'vip');
    await wait(NOON + SECOND, 'cid');
    await tick(NOON + MINUTE - 1);
    expect(await inQueue(NOON)).toEqual(['vip', 'bob', 'cid']);
    // A place is a time, moved on by one where two come at once.
    await tick(NOON + MINUTE + 1);
    expect(await inQueue(NOON)).toEqual(['cid']);
    expect(await inPool(NOON)).toEqual(['bob', 'vip']);
    await patchSettings(own.house, own.shop, { queue: { leaveAfterMs: null } }, NOON + MINUTE + 2);
    await tick(NOON + 60 * MINUTE);
    expect(await inQueue(NOON)).toEqual(['cid']);
  });

  it('does not keep what was written while waiting from who takes it', async () => {
    await full({}, { leaveMessage: { to: 'pool', autoAssign: true } });
    const [bob = ''] = await wait(NOON, 'bob');
    const body = { type: 'text' as const, text: '…' };
    await say(own.house, buyer('bob'), { conversation: bob, clientId: 'c', body }, NOON + 1);
    await leaveQueue(own.house, buyer('bob'), bob, NOON + 2);
    await done(NOON + MINUTE);
    expect(await inPool(NOON)).toEqual([]);
    const { agents } = await live(own.house, own.shop, 'program', NOON);
    expect(agents.find(({ id }) => id === 'anna')).toMatchObject({ active: 1, pending: 1 });
  });
});
