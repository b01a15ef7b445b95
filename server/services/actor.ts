/** Who acts: every service that changes something on somebody's behalf is told. */
import type { AgentKind, By, Conversation, Role } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../plan/config.ts';

export type BuyerActor = { readonly kind: 'buyer'; readonly shop: string; readonly id: string };
export type AgentActor = {
  readonly kind: 'agent' | 'robot';
  readonly shop: string;
  readonly id: string;
  readonly role: Role;
};
export type Actor = BuyerActor | AgentActor;

/** What a command's `who` calls an agent. */
export const agentKind = ({ kind, role }: AgentActor): AgentKind => (kind === 'robot' ? 'robot' : role);

/** A supervisor, and the owner, may see and steer everyone. */
export const maySteer = (actor: Actor) => actor.kind === 'agent' && actor.role !== 'agent';

/** A buyer sees their own conversations, an agent those they hold or held last, a supervisor all. */
export function maySee(actor: Actor, conversation: Conversation): boolean {
  if (actor.kind === 'buyer') return conversation.buyer === actor.id;
  return maySteer(actor) || conversation.agent === actor.id;
}

/** The actor as the configuration has them now; `undefined` if they are gone. */
export function agentActor(config: ShopConfig, id: string): AgentActor | undefined {
  const agent = config.agents.get(id);
  if (!agent) return undefined;
  return { kind: agent.kind === 'robot' ? 'robot' : 'agent', shop: config.shop, id, role: agent.role };
}

/** The operator of the installation: who acts where nobody is named, as when the demo shop is made. */
export const OPERATOR: By = { kind: 'admin' };

/** An agent as the audit log names them. */
export const byAgent = ({ role, id }: AgentActor): By => ({ kind: role, id });

/** Who steers what is not theirs, for the audit log; `undefined` for everybody else: a talk is no matter of it. */
export const bySteering = (actor: Actor): By | undefined =>
  actor.kind !== 'buyer' && maySteer(actor) ? byAgent(actor) : undefined;
