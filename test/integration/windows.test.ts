/** What ends: contact windows, idle conversations; and what begins: the welcome. At virtual time. */
import { describe, expect, inject, it } from 'vitest';
import type { Settings } from '../../client-sdk/contract/index.ts';
import { getConversation } from '../../server/services/board.ts';
import { sweepContacts } from '../../server/services/contacts.ts';
import { open } from '../../server/services/dispatch.ts';
import { eraseBuyer } from '../../server/services/erasing.ts';
import { closeIdleConversations } from '../../server/services/idle.ts';
import { closeConversation } from '../../server/services/moves.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { listMessages, say } from '../../server/services/talk.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { createTestHouse } from '../support/house.ts';
import { useOwnShop } from '../support/own-shop.ts';
import { openShop, setPresences } from '../support/shop.ts';

const NOON = Date.parse('2026-03-02T12:00:00+08:00');
const HOUR = 3_600_000;

const own = useOwnShop('windows');

async function shopWith(settings: Partial<Settings> = {}): Promise<void> {
  await openShop(own.house, own.shop, { agents: { anna: {}, ben: {} }, settings }, NOON);
  await setPresences(own.house, own.shop, { anna: 'online' }, NOON);
}
const bob = () => ({ kind: 'buyer' as const, shop: own.shop, id: 'bob' });
const anna = () => ({ kind: 'agent' as const, shop: own.shop, id: 'anna', role: 'agent' as const });
const comes = async (at: number, id = 'bob') => (await open(own.house, own.shop, id, {}, at)).conversation;
async function tick(at: number): Promise<void> {
  await runShopJobs(own.house, own.shop, at);
  await own.house.settled();
}
const ended = (who: string) => ({
  cooled: own.heard.take(`agent:${who}`, 'contact:cooled').map(({ buyer }) => buyer),
  expired: own.heard.take(`agent:${who}`, 'contact:expired').map(({ buyer }) => buyer),
});
let said = 0;
function speak(who: ReturnType<typeof bob | typeof anna>, conversation: string, at: number) {
  said += 1;
  const body = { type: 'text' as const, text: '…' };
  return say(own.house, who, { conversation, clientId: `c${said}`, body }, at);
}
const stateOf = async (id: string) => (await getConversation(own.house, own.shop, 'program', id)).state;

describe('a contact', () => {
  it('cools after 24 hours and expires after 72, each told once, and not a moment before', async () => {
    await shopWith();
    await comes(NOON);
    await tick(NOON + 24 * HOUR);
    expect(ended('anna')).toEqual({ cooled: [], expired: [] });
    await tick(NOON + 24 * HOUR + 1);
    expect(ended('anna')).toEqual({ cooled: ['bob'], expired: [] });
    await tick(NOON + 72 * HOUR);
    expect(ended('anna')).toEqual({ cooled: [], expired: [] });
    await tick(NOON + 72 * HOUR + 1);
    expect(ended('anna')).toEqual({ cooled: [], expired: ['bob'] });
    await tick(NOON + 100 * HOUR);
    expect(ended('anna')).toEqual({ cooled: [], expired: [] });
  });

  it('that is refreshed counts from then, also after it has cooled', async () => {
    await shopWith();
    const { id } = await comes(NOON);
    await speak(bob(), id, NOON + 20 * HOUR);
    await tick(NOON + 25 * HOUR);
    expect(ended('anna').cooled).toEqual([]);
    await tick(NOON + 44 * HOUR + 1);
    expect(ended('anna').cooled).toEqual(['bob']);
    await speak(anna(), id, NOON + 50 * HOUR);
    await tick(NOON + 74 * HOUR + 1);
    expect(ended('anna')).toEqual({ cooled: ['bob'], expired: [] });
    await tick(NOON + 122 * HOUR + 1);
    expect(ended('anna')).toEqual({ cooled: [], expired: ['bob'] });
  });

  it('ends at once where the shop shortens its windows, and one sweep that comes late tells both', async () => {
    await shopWith();
    await comes(NOON);
    await patchSettings(own.house, own.shop, { contactWindows: { hotMs: HOUR, warmMs: 2 * HOUR } }, NOON + 3 * HOUR);
    await tick(NOON + 3 * HOUR);
    expect(ended('anna')).toEqual({ cooled: ['bob'], expired: ['bob'] });
  });

  it('goes by the settings as they are, also where another process has changed them', async () => {
    await shopWith();
    await comes(NOON);
    await tick(NOON + 2 * HOUR);
    const elsewhere = createTestHouse(inject('redisUrl'));
    const contactWindows = { hotMs: HOUR, warmMs: 50 * HOUR };
    await patchSettings(elsewhere.house, own.shop, { contactWindows, idleCloseMs: HOUR }, NOON + 2 * HOUR);
    await elsewhere.close();
    await closeIdleConversations(own.house, own.shop, NOON + 2 * HOUR);
    await sweepContacts(own.house, own.shop, NOON + 2 * HOUR);
    expect(ended('anna').cooled).toEqual(['bob']);
    expect(own.heard.take('agent:anna', 'conversation:released')).toMatchObject([{ cause: 'idle' }]);
  });

  it('of a buyer who was erased tells nobody', async () => {
    await shopWith();
    await comes(NOON);
    await eraseBuyer(own.house, own.shop, 'bob', NOON + HOUR);
    await tick(NOON + 80 * HOUR);
    expect(ended('anna')).toEqual({ cooled: [], expired: [] });
    const { scope } = await own.house.configs.get(own.shop);
    expect(await own.house.redis.exists(scope.keys.hot, scope.keys.warm)).toBe(0);
  });

  it('of many buyers is ended for all of them in one sweep', async () => {
    await shopWith({ contactWindows: { hotMs: HOUR, warmMs: HOUR } });
    await Promise.all(Array.from({ length: 1_200 }, (_, n) => comes(NOON + n, `b${n}`)));
    await tick(NOON + 2 * HOUR);
    const { cooled, expired } = ended('anna');
    expect([new Set(cooled).size, cooled.length, expired.length]).toEqual([1_200, 1_200, 1_200]);
  });
});

describe('a conversation in which nothing is said', () => {
  it('is closed after a day, and both sides are told why', async () => {
    await shopWith();
    const { id } = await comes(NOON);
    await speak(bob(), id, NOON + HOUR);
    await speak(anna(), id, NOON + 2 * HOUR);
    own.heard.forget();
    await tick(NOON + 26 * HOUR - 1);
    expect(await stateOf(id)).toBe('assigned');
    await tick(NOON + 26 * HOUR);
    expect(await stateOf(id)).toBe('closed');
    expect(own.heard.take('agent:anna', 'conversation:released')).toMatchObject([{ cause: 'idle' }]);
    expect(own.heard.take('buyer:bob', 'chat:changed')).toMatchObject([{ conversation: { state: 'closed' } }]);
  });

  it('stays open while the buyer waits for a reply, however long', async () => {
    await shopWith();
    const { id } = await comes(NOON);
    await speak(bob(), id, NOON + HOUR);
    await tick(NOON + 1_000 * HOUR);
    expect(await stateOf(id)).toBe('assigned');
    await speak(anna(), id, NOON + 1_001 * HOUR);
    await tick(NOON + 1_025 * HOUR - 1);
    expect(await stateOf(id)).toBe('assigned');
    await tick(NOON + 1_025 * HOUR);
    expect(await stateOf(id)).toBe('closed');
  });

  it('gives its place to who waits', async () => {
    await openShop(own.house, own.shop, { agents: { anna: { capacity: 1 } } }, NOON);
    await setPresences(own.house, own.shop, { anna: 'online' }, NOON);
    await comes(NOON, 'one');
    const { id, state } = await comes(NOON + HOUR, 'two');
    expect(state).toBe('queued');
    await tick(NOON + 24 * HOUR);
    expect(await stateOf(id)).toBe('assigned');
  });

  it('stays for ever where the shop closes nothing, and comes with a click to the same', async () => {
    await shopWith({ idleCloseMs: 0 });
    const { id } = await comes(NOON);
    await tick(NOON + 1_000 * HOUR);
    expect((await comes(NOON + 1_000 * HOUR)).id).toBe(id);
  });

  it('is kept open by a click', async () => {
    await shopWith();
    const { id } = await comes(NOON);
    await comes(NOON + 23 * HOUR);
    await tick(NOON + 25 * HOUR);
    expect(await stateOf(id)).toBe('assigned');
    await tick(NOON + 47 * HOUR);
    expect(await stateOf(id)).toBe('closed');
  });
});

describe('the welcome', () => {
  const welcome = { text: '欢迎光临！' };
  const messages = async (id: string) =>
    (await listMessages(own.house, bob(), { conversation: id, limit: 50 })).messages;

  it('is said once, at the first visit, to both sides', async () => {
    await shopWith({ welcome });
    const { id } = await comes(NOON);
    const said = { seq: 1, from: { kind: 'system', id: 'shop' }, body: { text: welcome.text } };
    expect(await messages(id)).toMatchObject([said]);
    expect(own.heard.take('buyer:bob', 'message:created')).toMatchObject([{ message: said }]);
    expect(own.heard.take('agent:anna', 'message:created')).toMatchObject([{ message: said }]);
    await comes(NOON + 1);
    await closeConversation(own.house, bob(), id, NOON + 2);
    const again = await comes(NOON + 3);
    expect(again.id).not.toBe(id);
    expect([await messages(id), await messages(again.id)]).toMatchObject([[said], []]);
  });

  it('is said also where nobody is here, and waits for nobody', async () => {
    await shopWith({ welcome });
    await setPresences(own.house, own.shop, { anna: 'offline' }, NOON);
    const { id, state } = await comes(NOON + HOUR);
    expect(state).toBe('pooled');
    expect(await messages(id)).toHaveLength(1);
    expect(await getConversation(own.house, own.shop, 'program', id)).not.toHaveProperty('waitingSince');
  });

  it('is said by whoever answers a click that was sent again, if it was not yet', async () => {
    await shopWith();
    const { house } = own;
    const { conversation } = await open(house, own.shop, 'bob', {}, NOON, 'click');
    await patchSettings(house, own.shop, { welcome }, NOON);
    await open(house, own.shop, 'bob', {}, NOON + 1, 'click');
    await open(house, own.shop, 'bob', {}, NOON + 2, 'click');
    expect(await messages(conversation.id)).toHaveLength(1);
  });

  it('is not said where the shop has none', async () => {
    await shopWith();
    expect(await messages((await comes(NOON)).id)).toEqual([]);
  });
});
