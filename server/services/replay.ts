/** Messages told once more, to whoever has missed them. */
import type { Conversation, Message } from '../../client-sdk/contract/index.ts';
import { readMessages } from '../store/message.ts';
import type { Scope } from '../store/scope.ts';
import type { House } from './house.ts';

export type Replayed = {
  /** In order; as many as these are sent again. */
  readonly messages: Message[];
  /** There are more than `limit`. */
  readonly hasMore: boolean;
};

/**
 * The messages after `afterSeq`, `limit` at most. Everything that is sent again because a client asks for what it lacks
 * comes through here, and is counted.
 */
export async function replay(
  house: Pick<House, 'meter'>,
  scope: Scope,
  { id, lastSeq }: Conversation,
  afterSeq: number,
  limit: number,
): Promise<Replayed> {
  const until = Math.min(lastSeq, afterSeq + limit);
  const messages = await readMessages(scope, id, afterSeq + 1, until);
  house.meter.replayed(messages.length);
  return { messages, hasMore: until < lastSeq };
}
