/** Turns what a command brought about into what each client is told. */
import type { Assignment, Conversation, MoveCause } from '../../client-sdk/contract/index.ts';
import { readBuyer } from '../store/buyers.ts';
import { queuePosition, readConversation } from '../store/read.ts';
import type { Effects } from '../store/shapes.ts';
import type { Shop } from './configs.ts';
import type { Except, House } from './house.ts';

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

/** Tells the buyer who they talk to now, or where in the queue they are. */
export async function tellBuyer(
  house: House,
  { config, scope }: Shop,
  conversation: Conversation,
  why = 'everyone-full',
  except?: Except,
): Promise<void> {
  const agent =
    conversation.state !== 'closed' && conversation.agent ? config.agents.get(conversation.agent) : undefined;
  const position = conversation.state === 'queued' ? await queuePosition(scope, conversation.id) : 0;
  house.tell.buyer(
    config.shop,
    conversation.buyer,
    'chat:changed',
    {
      conversation,
      ...(agent ? { agent: { id: agent.id, name: agent.name } } : {}),
      ...(position > 0 ? { queue: { position, reason: why } } : {}),
    },
    except,
  );
}

/** Tells a buyer who has just connected how their open conversation stands: something may have happened meanwhile. */
export async function tellPresentChat(house: House, shop: string, buyer: string): Promise<void> {
  const at = await house.configs.get(shop);
  const conversation = (await readBuyer(at.scope, buyer))?.conversation;
  const record = conversation ? await readConversation(at.scope, conversation) : undefined;
  if (record && record.conversation.state !== 'closed') await tellBuyer(house, at, record.conversation);
}

export type Arrival = {
  readonly conversation: Conversation;
  readonly assignment: Assignment;
  /** Who held it before, '' nobody. */
  readonly from: string;
  readonly cause: MoveCause;
  readonly note?: string | undefined;
};

/** Tells the agents concerned that a conversation has moved, or that its buyer has come again. */
export function tellMove(house: House, shop: string, arrival: Arrival): void {
  const { conversation, assignment, from, cause, note } = arrival;
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
    });
  }
}
