/** Messages told once more, to whoever has missed them. */
import type { Conversation, Message } from '../../client-sdk/contract/index.ts';
import { readMessages } from '../store/message.ts';
import type { Scope } from '../store/scope.ts';

export type Replayed = {
  /** In order; as many as these are sent again. */
  readonly messages: Message[];
  /** There are more than `limit`. */
  readonly hasMore: boolean;
};

/**
 * The messages after `afterSeq`, `limit` at most. Everything that is sent again because a client asks for what it lacks
 * comes through here, so that this is the place to count replays.
 */
export async function replay(
  scope: Scope,
  { id, lastSeq }: Conversation,
  afterSeq: number,
  limit: number,
): Promise<Replayed> {
  const until = Math.min(lastSeq, afterSeq + limit);
  return { messages: await readMessages(scope, id, afterSeq + 1, until), hasMore: until < lastSeq };
}
