/** A message of a conversation, as logs of messages take it. `life` tells those apart that were given the same number. */
import type { Message } from '../../client-sdk/contract/index.ts';

export function message(seq: number, conversation = 'c', life = ''): Message {
  return {
    id: `${conversation}-${seq}${life}`,
    conversation,
    seq,
    from: { kind: 'buyer', id: 'b' },
    body: { type: 'text', text: `${seq}` },
    at: seq,
  };
}

export const seqs = (messages: Message[]) => messages.map(({ seq }) => seq);
