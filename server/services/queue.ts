/** The queue as its buyers see it: what they are told of their place, and leaving it. */
import { type Conversation, Refusal } from '../../client-sdk/contract/index.ts';
import { HEAD, type Place, placeAt, placesToLookAt, worthTelling } from '../plan/queue.ts';
import { nextTurn, queueLength, readPlaces, rememberPlaces, waitingSince } from '../store/queue.ts';
import { readConversation, readConversations } from '../store/read.ts';
import type { BuyerActor } from './actor.ts';
import type { Shop } from './configs.ts';
import { dispatchAgain } from './dispatch.ts';
import type { House } from './house.ts';
import { visible } from './talk.ts';
import { kept, placeIn, tellBuyer, tellChat } from './told.ts';

/** Told together; few enough that what is read of them is not old when they are told. */
const TOLD_TOGETHER = 100;

/** Tells these buyers their places. What had changed by the time they were told is put right at once. */
async function tellNews(house: House, at: Shop, news: ReadonlyMap<string, Place>, now: number): Promise<void> {
  const told = new Map<string, string>();
  for (const record of await readConversations(at.scope, [...news.keys()])) {
    const place = record && news.get(record.conversation.id);
    if (!place || record.conversation.state !== 'queued') continue;
    tellChat(house, at, record.conversation, place);
    told.set(record.conversation.id, kept(place));
  }
  const gone = await rememberPlaces(at.scope, told, now);
  for (const record of await readConversations(at.scope, gone)) {
    if (record) await tellBuyer(house, at, record.conversation, now);
  }
}

/**
 * Tells the buyers in the queue their place, reason and estimate where these have changed enough to be news. Run now
 * and then and not with each step of the queue, so that nobody is told twice a second, however fast it moves. What is
 * told is remembered only afterwards: told twice is better than not at all. `now` in ms.
 */
export async function tellPlaces(house: House, shop: string, now: number): Promise<void> {
  const at = await house.configs.fresh(shop);
  const { length, served } = await queueLength(at.scope);
  let news = new Map<string, Place>();
  const turn = length > HEAD ? await nextTurn(at.scope) : 0;
  for (const [from, to] of placesToLookAt(length, turn)) {
    for (const { conversation, position, told } of await readPlaces(at.scope, from, to)) {
      const place = placeAt(served, position, now);
      if (worthTelling(placeIn(told), place)) news.set(conversation, place);
      if (news.size < TOLD_TOGETHER) continue;
      await tellNews(house, at, news, now);
      news = new Map();
    }
  }
  await tellNews(house, at, news, now);
}

/** How many leave in one turn. */
const LEAVE_TOGETHER = 500;

/**
 * Whoever has waited for the shop's limit leaves the queue, and the rule for left messages applies. Answers true where it
 * stopped at a turn's bound. `now` in ms.
 */
export async function endLongWaits(house: House, shop: string, now: number): Promise<boolean> {
  const { config, scope } = await house.configs.get(shop);
  const { leaveAfterMs } = config.settings.queue;
  if (leaveAfterMs === null) return false;
  const overdue = await waitingSince(scope, now - leaveAfterMs, LEAVE_TOGETHER);
  let left = 0;
  for (const record of await readConversations(scope, overdue)) {
    if (!record) continue;
    const claimed = await dispatchAgain(house, shop, { mode: 'leave', why: 'waited-too-long', record }, now);
    if (claimed.kind === 'assigned') left += 1;
  }
  // Where none of so many left, somebody else is at it.
  return overdue.length >= LEAVE_TOGETHER && left > 0;
}

/**
 * A buyer waits no longer: the rule for left messages applies. A conversation that does not wait in the queue stays as
 * it is. The same `requestId` again answers the same. Throws `not-found`.
 */
export async function leaveQueue(
  house: House,
  actor: BuyerActor,
  id: string,
  now: number,
  requestId?: string,
): Promise<Conversation> {
  const record = await visible(house, actor, id);
  if (record.conversation.state !== 'queued') return record.conversation;
  const request = house.ids.request(`${id}:leave`, requestId);
  const claimed = await dispatchAgain(
    house,
    actor.shop,
    { mode: 'leave', why: 'left-the-queue', record, request },
    now,
  );
  house.due(actor.shop, now);
  if (claimed.kind === 'assigned') return claimed.conversation;
  // Served meanwhile, or the same request once more.
  const { scope } = await house.configs.get(actor.shop);
  const present = await readConversation(scope, id);
  if (!present) throw new Refusal('not-found');
  return present.conversation;
}
