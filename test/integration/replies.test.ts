/** Replies that do not come: reminders, automatic hang-up and resume, and buyers who go to somebody else. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Settings } from '../../client-sdk/contract/index.ts';
import { choosePresence, listShifts } from '../../server/services/attendance.ts';
import { live } from '../../server/services/board.ts';
import { open } from '../../server/services/dispatch.ts';
import { closeConversation, transferConversation } from '../../server/services/moves.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { say } from '../../server/services/talk.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { useOwnShop } from '../support/own-shop.ts';
import { openShop, setPresences } from '../support/shop.ts';

const NOON = Date.parse('2026-03-02T12:00:00+08:00');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const own = useOwnShop('replies');
/** The conversation of each buyer. */
let talks: Record<string, string>;
beforeEach(() => {
  talks = {};
});

async function shopWith(settings: Partial<Settings>, ...agents: string[]): Promise<void> {
  await openShop(own.house, own.shop, { agents: Object.fromEntries(agents.map((id) => [id, {}])), settings }, NOON);
  await setPresences(own.house, own.shop, Object.fromEntries(agents.map((id) => [id, 'online'])), NOON);
}
const buyer = (id: string) => ({ kind: 'buyer' as const, shop: own.shop, id });
const agent = (id: string) => ({ kind: 'agent' as const, shop: own.shop, id, role: 'agent' as const });
const settled = () => own.house.settled();
let said = 0;
async function speak(who: ReturnType<typeof buyer | typeof agent>, of: string, at: number): Promise<void> {
  said += 1;
  const body = { type: 'text' as const, text: '…' };
  await say(own.house, who, { conversation: talks[of] ?? '', clientId: `c${said}`, body }, at);
  await settled();
}
/** A buyer clicks and writes. Answers who got them. */
async function comes(id: string, at: number): Promise<string> {
  const { conversation } = await open(own.house, own.shop, id, {}, at);
  talks[id] = conversation.id;
  await speak(buyer(id), id, at);
  return conversation.agent ?? '';
}
async function tick(at: number): Promise<void> {
  await runShopJobs(own.house, own.shop, at);
  await settled();
}
const slowTold = (id: string) => own.heard.take(`agent:${id}`, 'reply:slow').map(({ conversations }) => conversations);
const agentsNow = async () =>
  Object.fromEntries((await live(own.house, own.shop, 'program', NOON)).agents.map((one) => [one.id, one]));

describe('a slow reply', () => {
  it('is told after 100 seconds, once, and again after as much time; all of an agent in one event', async () => {
    await shopWith({}, 'anna');
    await comes('bob', NOON);
    await comes('cid', NOON + SECOND);
    await tick(NOON + 99 * SECOND);
    expect(slowTold('anna')).toEqual([]);
    await tick(NOON + 101 * SECOND);
    const both = [
      { conversation: talks.bob, waitingSince: NOON },
      { conversation: talks.cid, waitingSince: NOON + SECOND },
    ];
    expect(slowTold('anna')).toEqual([both]);
    await tick(NOON + 102 * SECOND);
    expect(slowTold('anna')).toEqual([]);
    // However late the next look is.
    await tick(NOON + 250 * SECOND);
    expect(slowTold('anna')).toEqual([both]);
    await speak(agent('anna'), 'bob', NOON + 251 * SECOND);
    await tick(NOON + 301 * SECOND);
    expect(slowTold('anna')).toEqual([both.slice(1)]);
    await speak(agent('anna'), 'cid', NOON + 302 * SECOND);
    await tick(NOON + 500 * SECOND);
    expect(slowTold('anna')).toEqual([]);
  });

  it('counts from when the present holder got the conversation, and shows since when the buyer waits', async () => {
    await shopWith({}, 'anna', 'ben');
    const first = await comes('bob', NOON);
    const second = first === 'anna' ? 'ben' : 'anna';
    const to = { agent: second };
    await transferConversation(own.house, agent(first), talks.bob ?? '', to, NOON + 90 * SECOND);
    await tick(NOON + 120 * SECOND);
    expect([slowTold('anna'), slowTold('ben')]).toEqual([[], []]);
    await tick(NOON + 190 * SECOND);
    expect(slowTold(second)).toEqual([[{ conversation: talks.bob, waitingSince: NOON }]]);
  });

  it('is not looked for where the shop has switched it off', async () => {
    await shopWith({ slowReplyMs: 0 }, 'anna');
    await comes('bob', NOON);
    await tick(NOON + 3_600 * SECOND);
    expect(slowTold('anna')).toEqual([]);
  });
});

describe('a buyer without a reply', () => {
  it('goes to somebody else, never back to those who missed it, and starts anew once somebody replies', async () => {
    await shopWith({ reassignAfterMs: MINUTE }, 'anna', 'ben', 'cleo');
    const holders = [await comes('bob', NOON)];
    const holder = async () =>
      (await own.heard.take(`agent:${holders.at(-1)}`, 'conversation:released').at(-1))?.to?.agent;
    await tick(NOON + 59 * SECOND);
    expect(await holder()).toBeUndefined();
    for (let n = 1; n <= 2; n++) {
      await tick(NOON + n * MINUTE);
      holders.push((await holder()) ?? 'nobody');
    }
    expect([...holders].sort()).toEqual(['anna', 'ben', 'cleo']);
    const [came] = own.heard.take(`agent:${holders[2]}`, 'conversation:assigned');
    expect(came).toMatchObject({ cause: 'no-reply', conversation: { id: talks.bob, waitingSince: NOON } });
    // All have missed it: it stays with who has it.
    await tick(NOON + 3 * MINUTE);
    await tick(NOON + 4 * MINUTE);
    expect(await agentsNow()).toMatchObject({ [holders[2] ?? '']: { active: 1, pending: 1 } });
    await speak(agent(holders[2] ?? ''), 'bob', NOON + 5 * MINUTE);
    await speak(buyer('bob'), 'bob', NOON + 5 * MINUTE);
    await tick(NOON + 6 * MINUTE);
    expect(await holder()).toMatch(/anna|ben|cleo/);
  });

  it('stays where a reply came in time, though another message has come since', async () => {
    await shopWith({ reassignAfterMs: MINUTE }, 'anna', 'ben');
    const holder = await comes('bob', NOON);
    await speak(agent(holder), 'bob', NOON + 50 * SECOND);
    await speak(buyer('bob'), 'bob', NOON + 55 * SECOND);
    await tick(NOON + 100 * SECOND);
    expect(await agentsNow()).toMatchObject({ [holder]: { active: 1 } });
    await tick(NOON + 115 * SECOND);
    expect(await agentsNow()).toMatchObject({ [holder]: { active: 0 } });
  });
});

describe('a changed period', () => {
  const change = (settings: Partial<Settings>, at: number) => patchSettings(own.house, own.shop, settings, at);

  it('that is shorter holds at the next look for what has lasted it already, once', async () => {
    await shopWith({ reassignAfterMs: 90 * MINUTE }, 'anna', 'ben');
    const first = await comes('bob', NOON);
    const second = first === 'anna' ? 'ben' : 'anna';
    await tick(NOON + 62 * MINUTE);
    expect(await agentsNow()).toMatchObject({ [first]: { active: 1 } });
    own.heard.forget();
    await change({ reassignAfterMs: 30 * MINUTE }, NOON + 62 * MINUTE + SECOND);
    await tick(NOON + 62 * MINUTE + 2 * SECOND);
    expect(await agentsNow()).toMatchObject({ [first]: { active: 0 }, [second]: { active: 1 } });
    // By the other rules nothing is due anew.
    expect([...slowTold(first), ...slowTold(second)]).toEqual([]);
  });

  it('tells what is slow by it once, and then goes on by its multiples', async () => {
    await shopWith({ slowReplyMs: 300 * SECOND }, 'anna');
    await comes('bob', NOON);
    await tick(NOON + 310 * SECOND);
    expect(slowTold('anna')).toHaveLength(1);
    for (const [slowReplyMs, changed, looks] of [
      [100 * SECOND, 350, { 351: 1, 352: 0, 399: 0, 400: 1, 401: 0 }],
      [400 * SECOND, 450, { 451: 1, 452: 0, 700: 0, 800: 1, 801: 0 }],
      [1_000 * SECOND, 850, { 851: 0, 999: 0, 1000: 1, 1001: 0 }],
    ] as const) {
      await change({ slowReplyMs }, NOON + changed * SECOND);
      for (const [at, told] of Object.entries(looks)) {
        await tick(NOON + Number(at) * SECOND);
        expect(slowTold('anna'), `told at ${at}`).toHaveLength(told);
      }
    }
  });

  it('that is switched on holds for what has lasted it already', async () => {
    await shopWith({}, 'anna');
    await comes('bob', NOON);
    await tick(NOON + 10 * MINUTE);
    await change({ autoHangUp: { atActive: null, afterNoReplyMs: 4 * MINUTE } }, NOON + 10 * MINUTE + SECOND);
    await tick(NOON + 10 * MINUTE + 2 * SECOND);
    expect(await agentsNow()).toMatchObject({ anna: { presence: 'hung-up' } });
  });
});

describe('automatic hang-up', () => {
  const causes = async (id: string) =>
    (await listShifts(own.house, own.shop, id, { limit: 50 })).entries.map(
      ({ presence, cause }) => `${presence} ${cause}`,
    );

  it('by load: at so many conversations, and back below', async () => {
    await shopWith({ autoHangUp: { atActive: 2, afterNoReplyMs: null } }, 'anna');
    expect([await comes('b1', NOON), await comes('b2', NOON + 1)]).toEqual(['anna', 'anna']);
    expect(await agentsNow()).toMatchObject({ anna: { presence: 'hung-up', onDuty: false } });
    expect(own.heard.take('agent:anna', 'presence:changed').at(-1)).toEqual({
      agent: 'anna',
      presence: 'hung-up',
      cause: 'auto-hang-up',
    });
    // What they choose does not go beyond the rule.
    expect(await choosePresence(own.house, own.shop, 'anna', 'online', 'chose', NOON + 2)).toBe('hung-up');
    await closeConversation(own.house, agent('anna'), talks.b1 ?? '', NOON + 3);
    expect(await agentsNow()).toMatchObject({ anna: { presence: 'online', onDuty: true } });
    expect(await causes('anna')).toEqual(['online auto-resume', 'hung-up auto-hang-up', 'online connected']);
  });

  it('by load does not bring back who has hung up themselves', async () => {
    await shopWith({ autoHangUp: { atActive: 1, afterNoReplyMs: null } }, 'anna');
    await comes('b1', NOON);
    await choosePresence(own.house, own.shop, 'anna', 'hung-up', 'chose', NOON + 1);
    await closeConversation(own.house, agent('anna'), talks.b1 ?? '', NOON + 2);
    expect(await agentsNow()).toMatchObject({ anna: { presence: 'hung-up' } });
  });

  it('after so long without a reply, until they reply', async () => {
    await shopWith({ autoHangUp: { atActive: null, afterNoReplyMs: 5 * MINUTE } }, 'anna', 'ben');
    const silent = await comes('bob', NOON);
    await tick(NOON + 5 * MINUTE - 1);
    expect(await agentsNow()).toMatchObject({ [silent]: { presence: 'online' } });
    await tick(NOON + 5 * MINUTE);
    expect(await agentsNow()).toMatchObject({ [silent]: { presence: 'hung-up' } });
    await speak(agent(silent), 'bob', NOON + 6 * MINUTE);
    expect(await agentsNow()).toMatchObject({ [silent]: { presence: 'online' } });
    expect((await causes(silent)).slice(0, 2)).toEqual(['online auto-resume', 'hung-up auto-hang-up']);
  });

  it('ends with the rule', async () => {
    await shopWith({ autoHangUp: { atActive: 1, afterNoReplyMs: MINUTE } }, 'anna', 'ben');
    await comes('b1', NOON);
    await comes('b2', NOON);
    await tick(NOON + MINUTE);
    expect(await agentsNow()).toMatchObject({ anna: { presence: 'hung-up' }, ben: { presence: 'hung-up' } });
    await patchSettings(
      own.house,
      own.shop,
      { autoHangUp: { atActive: null, afterNoReplyMs: null } },
      NOON + 2 * MINUTE,
    );
    expect(await agentsNow()).toMatchObject({ anna: { presence: 'online' }, ben: { presence: 'online' } });
  });
});

describe('the log of presence', () => {
  it('has every change with its cause and who decided it, latest first, page by page, and of an agent alone', async () => {
    await shopWith({}, 'anna', 'ann');
    await choosePresence(own.house, own.shop, 'anna', 'hung-up', 'supervisor', NOON + 1, {
      kind: 'supervisor',
      id: 'sam',
    });
    await choosePresence(own.house, own.shop, 'anna', 'online', 'chose', NOON + 2);
    await choosePresence(own.house, own.shop, 'anna', 'online', 'chose', NOON + 3); // no change
    const page = await listShifts(own.house, own.shop, 'anna', { limit: 2 });
    expect(page.entries).toEqual([
      { at: NOON + 2, presence: 'online', cause: 'chose' },
      { at: NOON + 1, presence: 'hung-up', cause: 'supervisor', by: 'sam' },
    ]);
    const rest = await listShifts(own.house, own.shop, 'anna', { limit: 2, cursor: page.next });
    expect(rest).toEqual({ entries: [{ at: NOON, presence: 'online', cause: 'connected' }] });
    const between = await listShifts(own.house, own.shop, 'anna', { from: NOON + 1, until: NOON + 2, limit: 50 });
    expect(between.entries.map(({ at }) => at)).toEqual([NOON + 1]);
    expect((await listShifts(own.house, own.shop, 'ann', { limit: 50 })).entries).toHaveLength(1);
    await expect(listShifts(own.house, own.shop, 'nobody', { limit: 50 })).rejects.toThrow('no such agent');
  });
});
