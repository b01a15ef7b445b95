/** Turns what a command brought about into what each client is told. */
import type {
  Assignment,
  BuyerEventData,
  Conversation,
  MoveCause,
  OvernightReport,
} from '../../client-sdk/contract/index.ts';
import { type Place, placeAt, waitingBecause } from '../plan/queue.ts';
import { readBuyer } from '../store/buyers.ts';
import { queuePlace, rememberPlaces } from '../store/queue.ts';
import { readConversation } from '../store/read.ts';
import type { Effects } from '../store/shapes.ts';
import type { Shop } from './configs.ts';
import type { House } from './house.ts';

/** Loads and presences that changed; whoever went offline leaves conversations that are to be dispatched again. */
export function tellEffects(house: House, shop: string, effects: Effects): void {
  for (const { agent, pending, active } of effects.loads) {
    house.tell.agent(shop, agent, 'load:changed', { pending, active });
  }
  for (const change of effects.presences) {
    house.tell.supervisors(shop, 'presence:changed', change, change.agent);
  }
}

/** The buyer's own view of an assignment: each step and its reason, not who else was here or how busy. */
export function assignmentForBuyer(assignment: Assignment): Assignment {
  return { ...assignment, trace: assignment.trace.map(({ step, result, why }) => ({ step, result, why })) };
}

/** What was told of a place, as it is kept: `<position>:<etaMs>`, without an estimate `<position>:`. */
export const kept = ({ position, etaMs }: Place) => `${position}:${etaMs ?? ''}`;

export function placeIn(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const [position, etaMs] = text.split(':');
  return { position: Number(position), ...(etaMs ? { etaMs: Number(etaMs) } : {}) };
}

/** Place and estimate at `now` (ms) of a conversation in the queue; `undefined` for one that is not in it. */
async function placeOf({ scope }: Shop, conversation: Conversation, now: number): Promise<Place | undefined> {
  if (conversation.state !== 'queued') return undefined;
  const { position, served } = await queuePlace(scope, conversation.id);
  return position === 0 ? undefined : placeAt(served, position, now);
}

/** Tells the buyer who they talk to now, or where in the queue they are. `now` in ms. */
export async function tellBuyer(house: House, shop: Shop, conversation: Conversation, now: number): Promise<void> {
  const place = await placeOf(shop, conversation, now);
  tellChat(house, shop, conversation, place);
  // So that it is not told again as news.
  if (place) await rememberPlaces(shop.scope, new Map([[conversation.id, kept(place)]]), now);
}

/** The same, where the place is known. */
export function tellChat(house: House, shop: Shop, conversation: Conversation, place: Place | undefined): void {
  house.tell.buyer(shop.config.shop, conversation.buyer, 'chat:changed', chatAt(shop, conversation, place));
}

function chatAt(
  { config }: Shop,
  conversation: Conversation,
  place: Place | undefined,
): BuyerEventData<'chat:changed'> {
  const agent =
    conversation.state !== 'closed' && conversation.agent ? config.agents.get(conversation.agent) : undefined;
  return {
    conversation,
    ...(agent ? { agent: { id: agent.id, name: agent.name } } : {}),
    ...(place ? { queue: { ...place, reason: waitingBecause(place.position) } } : {}),
  };
}

/** How a chat stands at `now` (ms), as its buyer is told. */
export async function chatNow(
  shop: Shop,
  conversation: Conversation,
  now: number,
): Promise<BuyerEventData<'chat:changed'>> {
  return chatAt(shop, conversation, await placeOf(shop, conversation, now));
}

/** How long after its end a chat is still told to a buyer who was not there to see it end, in ms. */
const ENDED_LATELY_MS = 24 * 3_600_000;

/** Whether a buyer's newest conversation is still told to them at `now` (ms). */
export const isPresentChat = ({ closedAt }: Conversation, now: number) =>
  closedAt === undefined || now - closedAt <= ENDED_LATELY_MS;

/** Tells a buyer who has just connected how their chat stands: something may have happened meanwhile. `now` in ms. */
export async function tellPresentChat(house: House, shop: string, buyer: string, now: number): Promise<void> {
  const at = await house.configs.get(shop);
  const newest = (await readBuyer(at.scope, buyer))?.newest;
  const record = newest ? await readConversation(at.scope, newest) : undefined;
  if (record && isPresentChat(record.conversation, now)) await tellBuyer(house, at, record.conversation, now);
}

export type Arrival = {
  readonly conversation: Conversation;
  readonly assignment: Assignment;
  /** Who held it before, '' nobody. */
  readonly from: string;
  readonly cause: MoveCause;
  readonly note?: string | undefined;
  readonly overnight?: OvernightReport | undefined;
};

/** Tells the agents concerned that a conversation has moved, or that its buyer has come again. */
export function tellMove(house: House, shop: string, arrival: Arrival): void {
  const { conversation, assignment, from, cause, note, overnight } = arrival;
  const holder = conversation.agent;
  if (from && from !== holder) {
    // Who takes it by a person's decision is not whom the assignment named.
    const to = holder
      ? { outcome: assignment.agent === holder ? assignment.outcome : ('agent' as const), agent: holder }
      : { outcome: assignment.outcome };
    house.tell.agent(shop, from, 'conversation:released', { conversation, to, cause });
  }
  if (holder) {
    house.tell.agent(shop, holder, 'conversation:assigned', {
      conversation,
      assignment,
      cause,
      ...(note === undefined ? {} : { note }),
      ...(overnight === undefined ? {} : { overnight }),
    });
  }
}
