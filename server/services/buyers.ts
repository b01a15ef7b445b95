/** What a shop knows of its buyers, and how it forgets them. */
import { type Buyer, type BuyerPut, type Conversation, Refusal } from '../../client-sdk/contract/index.ts';
import { readBuyer, writeProfile } from '../store/buyers.ts';
import { convert } from '../store/conversions.ts';
import { eraseNewest } from '../store/moves.ts';
import { readConversation } from '../store/read.ts';
import { revokeBuyer } from './buyer-tokens.ts';
import type { House } from './house.ts';
import { tellEffects } from './told.ts';

const noBuyer = (id: string) => new Refusal('not-found', `There is no buyer ${id} in this shop; check the id.`);

/** Throws `not-found`. */
export async function getBuyer(house: House, shop: string, id: string): Promise<Buyer> {
  const { scope } = await house.configs.get(shop);
  const record = await readBuyer(scope, id);
  if (!record) throw noBuyer(id);
  return {
    id,
    ...(record.name ? { name: record.name } : {}),
    crowds: [...record.crowds],
    ...(record.exclusiveAgent ? { exclusiveAgent: record.exclusiveAgent } : {}),
  };
}

/** Creates or replaces the profile. Throws `invalid` for an exclusive agent who is not there. */
export async function putBuyer(house: House, shop: string, id: string, put: BuyerPut, now: number): Promise<Buyer> {
  const { config, scope } = await house.configs.fresh(shop);
  const exclusiveAgent = put.exclusiveAgent ?? undefined;
  if (exclusiveAgent !== undefined && config.agents.get(exclusiveAgent)?.kind !== 'human') {
    throw new Refusal('invalid', undefined, [{ path: 'exclusiveAgent', problem: 'is no human agent of this shop' }]);
  }
  await writeProfile(scope, id, { name: put.name, crowds: put.crowds, exclusiveAgent }, now);
  return getBuyer(house, shop, id);
}

/**
 * A buyer has bought: the sale counts for the agent they were last in contact with, whose weight it raises in groups that
 * are conversion-first. The same order again counts once. Answers the agent, if there is one to count it for.
 */
export async function recordConversion(
  house: House,
  shop: string,
  buyer: string,
  order: string,
  now: number,
): Promise<{ counted: boolean; agent?: string }> {
  const converted = await house.configs.use(shop, ({ config, scope }) =>
    convert(scope, { buyer, order, warmMs: config.settings.contactWindows.warmMs }, now),
  );
  return converted.kind === 'counted' ? { counted: true, agent: converted.agent } : { counted: false };
}

/** Tells the holder and the buyer's windows that an open conversation is gone. `conversation` as read just before. */
function tellErased(house: House, shop: string, conversation: Conversation, from: string, now: number): void {
  if (conversation.state === 'closed') return;
  const { waitingSince: _, ...rest } = conversation;
  const closed: Conversation = { ...rest, state: 'closed', closedAt: now };
  if (from) house.tell.agent(shop, from, 'conversation:released', { conversation: closed, cause: 'erased' });
  house.tell.buyer(shop, conversation.buyer, 'chat:changed', { conversation: closed });
}

/**
 * Erases a buyer, all their conversations and messages; who holds one is told. First of all their tokens are refused and
 * their sockets ended, so that nothing of theirs begins anew meanwhile. Throws `not-found`.
 */
export async function eraseBuyer(house: House, shop: string, id: string, now: number): Promise<void> {
  const { scope } = await house.configs.get(shop);
  const record = await readBuyer(scope, id);
  if (!record) throw noBuyer(id);
  await revokeBuyer(house, shop, id, now);
  let conversation = record.newest;
  for (;;) {
    const place = { buyer: id, conversation };
    // Read now: nothing of it is left afterwards to tell anybody.
    const open = conversation ? await readConversation(scope, conversation) : undefined;
    const step = await house.configs.use(shop, ({ scope: at }) => eraseNewest(at, place, now));
    if (step.kind === 'erased') break;
    if (step.kind === 'moved') {
      tellEffects(house, shop, step);
      if (open) tellErased(house, shop, open.conversation, step.from, now);
    }
    conversation = step.kind === 'next' ? step.conversation : step.next;
  }
  house.buyers.set(shop, id, { profile: '0', crowds: [], conversation: '' });
  house.due(shop, now);
}
