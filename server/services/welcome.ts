/** The shop's first automatic answer. */
import type { Assignment, Conversation } from '../../client-sdk/contract/index.ts';
import { storeWelcome } from '../store/message.ts';
import type { Shop } from './configs.ts';
import type { House } from './house.ts';

/** Who speaks for the shop itself. */
const SHOP = { kind: 'system', id: 'shop' } as const;

/** Says the shop's welcome text at a buyer's first visit, once; nothing if the shop has none. `now` in ms. */
export async function welcome(
  house: House,
  { config, scope }: Shop,
  { conversation, assignment }: { readonly conversation: Conversation; readonly assignment: Assignment },
  now: number,
): Promise<void> {
  const { text } = config.settings.welcome;
  // The click that began the conversation: a later one is no first visit.
  if (text === null || conversation.openedAt !== assignment.at) return;
  const message = await storeWelcome(scope, {
    id: house.ids.message(),
    conversation: conversation.id,
    from: SHOP,
    body: { type: 'text', text },
    clientId: 'welcome',
    at: now,
  });
  if (!message) return;
  house.tell.buyer(config.shop, conversation.buyer, 'message:created', { message });
  if (conversation.agent) house.tell.agent(config.shop, conversation.agent, 'message:created', { message });
}
