/** What a morning agent needs to know of the night. */
import type { Conversation, OvernightReport } from '../../client-sdk/contract/index.ts';
import { readMessages } from '../store/message.ts';
import type { Scope } from '../store/scope.ts';

/** How many of the last messages are looked through for what the proxy said … */
const LOOKED_AT = 50;
/** … and how many of those are handed on; the conversation has the rest. */
const SAID = 5;

/** Since when the buyer has waited, and what the proxy who held the conversation told them last. */
export async function nightOf(
  scope: Scope,
  conversation: Conversation,
  proxy: string,
): Promise<OvernightReport | undefined> {
  const { id, lastSeq, overnightSince: since } = conversation;
  if (since === undefined || proxy === '') return undefined;
  const messages = await readMessages(scope, id, Math.max(1, lastSeq - LOOKED_AT + 1), lastSeq);
  const said = messages.filter(({ from, at }) => from.kind !== 'buyer' && from.id === proxy && at >= since);
  return { since, proxy, said: said.slice(-SAID) };
}
