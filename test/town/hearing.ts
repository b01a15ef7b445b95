/** What a client tells its user, written down: messages in the order they came. */
import type { AgentClient, BuyerClient, Message } from '../../client-sdk/index.ts';
import type { Ledger } from './ledger.ts';

/** The messages told of each conversation, in the order they were. */
export type Hearing = Map<string, Message[]>;

/** Listens to a client from before its first connection on. */
export function listenTo(client: BuyerClient | AgentClient, ledger: Ledger): Hearing {
  const hearing: Hearing = new Map();
  let connections = 0;
  let connectedAt = 0;
  const status = ({ connected }: { readonly connected: boolean }) => {
    if (!connected) return;
    connections += 1;
    if (connections > 1) ledger.reconnects += 1;
    connectedAt = Date.now();
  };
  const created = ({ message }: { readonly message: Message }) => {
    hearing.set(message.conversation, [...(hearing.get(message.conversation) ?? []), message]);
    ledger.told += 1;
    // The nodes and we have the same clock.
    if (connections > 1 && message.at < connectedAt) ledger.replayed += 1;
  };
  (client as BuyerClient).on('status', status).on('message:created', created);
  return hearing;
}
