/** The queue as its buyers see it: what they are told of their place, and leaving it. */
import { type Conversation, Refusal } from '../../client-sdk/contract/index.ts';
import { type Place, waitEstimate, worthTelling } from '../plan/queue.ts';
import { readQueue, rememberPlaces, waitingSince } from '../store/queue.ts';
import { type ConversationRecord, readAssignmentById, readConversation, readConversations } from '../store/read.ts';
import type { Scope } from '../store/scope.ts';
import type { BuyerActor } from './actor.ts';
import { dispatchAgain } from './dispatch.ts';
import type { House } from './house.ts';
import { visible } from './talk.ts';
import { tellChat } from './told.ts';

/** What was told of a place, as it is kept: `<position>:<etaMs>`, without an estimate `<position>:`. */
const kept = ({ position, etaMs }: Place) => `${position}:${etaMs ?? ''}`;

function placeIn(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const [position, etaMs] = text.split(':');
  return { position: Number(position), ...(etaMs ? { etaMs: Number(etaMs) } : {}) };
}

/** Why they wait, as the assignment that put them there says. */
async function reasonOf(scope: Scope, { conversation, request }: ConversationRecord): Promise<string> {
  const assignment = await readAssignmentById(scope, `${conversation.id}.${request}`);
  return assignment?.trace.at(-1)?.why ?? 'everyone-full';
}

/**
 * Tells the buyers in the queue their place, reason and estimate where these have changed enough to be news. Run now
 * and then and not with each step of the queue, so that nobody is told twice a second, however fast it moves. What is
 * told is remembered only afterwards: told twice is better than not at all. `now` in ms.
 */
export async function tellPlaces(house: House, shop: string, now: number): Promise<void> {
  const at = await house.configs.fresh(shop);
  const { waiting, served, told } = await readQueue(at.scope);
  const news = new Map<string, Place>();
  for (const [i, conversation] of waiting.entries()) {
    const etaMs = waitEstimate(served, i + 1, now);
    const place = { position: i + 1, ...(etaMs === undefined ? {} : { etaMs }) };
    if (worthTelling(placeIn(told[conversation]), place)) news.set(conversation, place);
  }
  const here = new Set(waiting);
  const gone = Object.keys(told).filter((conversation) => !here.has(conversation));
  if (news.size > 0) {
    const records = await readConversations(at.scope, [...news.keys()]);
    await Promise.all(
      records.map(async (record) => {
        if (record?.conversation.state !== 'queued') return;
        const place = news.get(record.conversation.id);
        tellChat(house, at, record.conversation, place, await reasonOf(at.scope, record));
      }),
    );
  }
  const remembered = Object.fromEntries([...news].map(([conversation, place]) => [conversation, kept(place)]));
  await rememberPlaces(at.scope, remembered, gone);
}

/** How many are looked for at once. */
const BATCH = 200;

/** Whoever has waited for the shop's limit leaves the queue, and the rule for left messages applies. `now` in ms. */
export async function endLongWaits(house: House, shop: string, now: number): Promise<void> {
  for (;;) {
    const { config, scope } = await house.configs.get(shop);
    const { leaveAfterMs } = config.settings.queue;
    if (leaveAfterMs === null) return;
    const overdue = await waitingSince(scope, now - leaveAfterMs, BATCH);
    const records = await readConversations(scope, overdue);
    let left = 0;
    for (const record of records) {
      if (!record) continue;
      const claimed = await dispatchAgain(house, shop, { mode: 'leave', why: 'waited-too-long', record }, now);
      if (claimed.kind === 'assigned') left += 1;
    }
    if (left === 0) return;
  }
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
