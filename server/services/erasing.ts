/**
 * How a shop forgets a buyer: everything they said, and every trace of them. The erasing is recorded before it begins and
 * until nothing is left, so whoever dies on the way, a worker goes on (docs/erasing.md).
 */
import { createHash } from 'node:crypto';
import { type By, type Conversation, Refusal } from '../../client-sdk/contract/index.ts';
import { auditForwards, namesBuyer, removeAudit } from '../store/audit.ts';
import { readBuyer } from '../store/buyers.ts';
import {
  beginErasing,
  beingErased,
  contactsOf,
  type Erasure,
  endErasing,
  eraseNewest,
  eraseTraces,
  readErasure,
} from '../store/erasing.ts';
import { readConversation } from '../store/read.ts';
import { OPERATOR } from './actor.ts';
import { refuseTokens } from './buyer-tokens.ts';
import type { House } from './house.ts';
import { tellEffects } from './told.ts';
import type { Turn } from './turn.ts';
import { deliveryId } from './webhook-events.ts';

/** Conversations that are removed, and pages of the event stream that are read, in one turn. */
const STEPS = 1_000;
/** Entries of a log in a page: few enough that Redis is not kept from others. */
const PAGE = 500;
/** Whoever began an erasing is at it for so long, in ms: longer than a call may take. Then a worker goes on. */
const LEFT_ALONE_MS = 15_000;
/** Buyers in a turn of a shop. */
const IN_A_TURN = 20;

/**
 * What is left of a buyer who is erased, in the audit log and the event stream: whoever knows the id finds it, from this
 * alone nobody is named.
 */
export const fingerprintOf = (shop: string, buyer: string): string =>
  createHash('sha256').update(`${shop}:${buyer}`).digest('hex');

/** `done`; `more` where a turn stopped at its bound; `waits` for somebody who works on what is to go. */
type Progress = 'done' | 'more' | 'waits';

/** Tells the holder and the buyer's windows that an open conversation is gone. `conversation` as read just before. */
function tellErased(house: House, shop: string, conversation: Conversation, from: string, now: number): void {
  if (conversation.state === 'closed') return;
  const { waitingSince: _, ...rest } = conversation;
  const closed: Conversation = { ...rest, state: 'closed', closedAt: now };
  if (from) house.tell.agent(shop, from, 'conversation:released', { conversation: closed, cause: 'erased' });
  house.tell.buyer(shop, conversation.buyer, 'chat:changed', { conversation: closed });
}

/** Everything that was said, and the buyer: when it is done, who clicks again is somebody new. */
async function eraseTalk(house: House, shop: string, buyer: string, now: number): Promise<Progress> {
  const { scope } = await house.configs.get(shop);
  const fingerprint = fingerprintOf(shop, buyer);
  let conversation = (await readBuyer(scope, buyer))?.newest ?? '';
  for (let steps = 0; steps < STEPS; steps++) {
    const place = { buyer, conversation };
    // Read now: nothing of it is left afterwards to tell anybody.
    const open = conversation ? await readConversation(scope, conversation) : undefined;
    const contacts = conversation ? [] : await contactsOf(scope, buyer);
    // They have heard what became of the talk; whoever is still there when the buyer is gone would be somebody new.
    if (!conversation) house.connected.endBuyer(shop, buyer);
    const step = await house.configs.use(shop, ({ scope: at }) =>
      eraseNewest(at, place, { fingerprint, contacts }, now),
    );
    if (step.kind === 'erased') return 'done';
    if (step.kind === 'moved') {
      tellEffects(house, shop, step);
      if (open) tellErased(house, shop, open.conversation, step.from, now);
    }
    conversation = step.kind === 'next' ? step.conversation : step.next;
  }
  return 'more';
}

async function eraseEvents(house: House, shop: string, buyer: string): Promise<Progress> {
  const { scope } = await house.configs.get(shop);
  for (let steps = 0; steps < STEPS; steps++) {
    const answer = await eraseTraces(scope, buyer, PAGE);
    if (answer !== 'more') return answer;
  }
  return 'more';
}

async function eraseAudit(house: House, shop: string, buyer: string, erasure: Erasure): Promise<void> {
  for (let start = '-'; ; ) {
    const rows = await auditForwards(house.redis, shop, { start, end: erasure.lastAudit }, PAGE);
    await removeAudit(
      house.redis,
      shop,
      rows.filter((row) => namesBuyer(row, buyer, erasure.conversations)),
    );
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    start = last.id;
  }
}

/** Once the events are gone no delivery is made of them any more: those that were are found by their ids. */
async function eraseDeliveries(house: House, shop: string, erasure: Erasure): Promise<Progress> {
  const ids = erasure.events.map((event) => deliveryId(shop, event));
  const gone = await house.deliveries.forget(shop, ids, erasure.conversations);
  return gone ? 'done' : 'waits';
}

/** One turn: as far as it comes. */
async function eraseOn(house: House, shop: string, buyer: string, now: number): Promise<Progress> {
  const { scope } = await house.configs.get(shop);
  const begun = await readErasure(scope, buyer);
  if (!begun) return 'done';
  if (begun.state === 'talk') {
    // First of all, so that nothing of theirs begins anew meanwhile.
    await refuseTokens(house, shop, buyer, now);
    if ((await eraseTalk(house, shop, buyer, now)) === 'more') return 'more';
  }
  house.buyers.forget(shop, buyer);
  house.tell.forgetBuyer(shop, buyer);
  house.due(shop, now);
  const events = await eraseEvents(house, shop, buyer);
  if (events !== 'done') return events;
  const erasure = await readErasure(scope, buyer);
  if (!erasure) return 'done';
  // They came back meanwhile, and somebody has begun again.
  if (erasure.state === 'talk') return 'more';
  await eraseAudit(house, shop, buyer, erasure);
  if ((await eraseDeliveries(house, shop, erasure)) === 'waits') return 'waits';
  return (await endErasing(scope, buyer, erasure)) ? 'done' : 'more';
}

/**
 * Erases a buyer; who holds a conversation of theirs, and they, are told. What they said and what was known of them is gone by
 * the answer unless it was very much; `done` is false where workers have to go on, also with what the logs say of them.
 *
 * Throws `not-found`.
 */
export async function eraseBuyer(
  house: House,
  shop: string,
  buyer: string,
  now: number,
  by: By = OPERATOR,
): Promise<{ readonly done: boolean }> {
  const { scope } = await house.configs.get(shop);
  const request = house.ids.request(shop);
  if (!(await beginErasing(scope, buyer, { by, request }, now))) {
    throw new Refusal('not-found', `There is no buyer ${buyer} in this shop; check the id.`);
  }
  return { done: (await eraseOn(house, shop, buyer, now)) === 'done' };
}

/** One turn of a shop: goes on with every erasing that whoever began it has left. `now` in ms. */
export async function goOnErasing(house: House, shop: string, now: number): Promise<Turn> {
  const { scope } = await house.configs.get(shop);
  const buyers = await beingErased(scope, now - LEFT_ALONE_MS, IN_A_TURN);
  let more = false;
  for (const buyer of buyers) if ((await eraseOn(house, shop, buyer, now)) === 'more') more = true;
  return { more };
}
