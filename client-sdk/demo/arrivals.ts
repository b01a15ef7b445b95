/** How each conversation came to this agent, with the decision and its trace; this tab remembers it over a reload. */
import type { AgentEventData } from '../contract/index.ts';
import { recall, remember } from './tab-memory.ts';

/** What `conversation:assigned` told of a conversation. */
export type Arrival = Omit<AgentEventData<'conversation:assigned'>, 'conversation'>;

export type Arrivals = {
  of(conversation: string): Arrival | undefined;
  note(conversation: string, arrival: Arrival): void;
  /** Forgets all but these. */
  keep(conversations: ReadonlySet<string>): void;
};

export function createArrivals(agent: string): Arrivals {
  const memory = `arrivals-${agent}`;
  const all = new Map(Object.entries(recall<Record<string, Arrival>>(memory) ?? {}));
  const save = () => remember(memory, Object.fromEntries(all));
  return {
    of: (conversation) => all.get(conversation),
    note(conversation, arrival) {
      all.set(conversation, arrival);
      save();
    },
    keep(conversations) {
      for (const id of all.keys()) if (!conversations.has(id)) all.delete(id);
      save();
    },
  };
}
