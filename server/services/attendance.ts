/** Agents come and go: what they choose, and the sockets that hold them connected. */

import type { HeldConversation } from '../../client-sdk/contract/index.ts';
import { type Presence, Refusal } from '../../client-sdk/contract/index.ts';
import { changePresence, type PresenceAnswer, type PresenceCommand } from '../store/presence.ts';
import { heldBy, readConversations } from '../store/read.ts';
import type { AgentActor } from './actor.ts';
import type { House } from './house.ts';
import { tellEffects } from './told.ts';

async function change(house: House, shop: string, command: PresenceCommand, now: number): Promise<PresenceAnswer> {
  const answer = await house.configs.use(shop, ({ scope }) => changePresence(scope, command, now));
  if (answer.kind === 'done') {
    tellEffects(house, shop, answer);
    // Somebody came: for who waits. Somebody went: for whom they leave.
    if (answer.presences.length > 0) house.due(shop, now);
  }
  return answer;
}

/** An agent chooses their presence, or a supervisor does for them. Answers what is chosen. Throws `not-found`. */
export async function choosePresence(
  house: House,
  shop: string,
  agent: string,
  presence: Presence,
  cause: 'chose' | 'supervisor',
  now: number,
): Promise<Presence> {
  const answer = await change(house, shop, { change: 'choose', agent, presence, cause }, now);
  if (answer.kind !== 'done') throw new Refusal('not-found', 'There is no such agent in this shop; check the id.');
  return answer.chosen;
}

/** A socket of an agent has come; what was chosen before holds again. Throws `not-found`. */
export async function connectAgent(
  house: House,
  shop: string,
  agent: string,
  socket: string,
  node: string,
  now: number,
): Promise<Presence> {
  const answer = await change(house, shop, { change: 'connect', agent, socket, node }, now);
  if (answer.kind !== 'done') throw new Refusal('not-found', 'There is no such agent in this shop; check the id.');
  return answer.effective;
}

/** A socket of an agent has gone. With the last one gone the agent is offline after the shop's grace. */
export async function disconnectAgent(
  house: House,
  shop: string,
  agent: string,
  socket: string,
  now: number,
): Promise<{ readonly graceMs: number }> {
  const { config } = await house.configs.get(shop);
  const graceMs = config.settings.presenceGraceMs;
  await change(house, shop, { change: 'disconnect', agent, socket, graceMs }, now);
  return { graceMs };
}

/** Everything the agent holds now, with what waits for a reply: a full resync. */
export async function heldConversations(house: House, actor: AgentActor): Promise<HeldConversation[]> {
  const { scope } = await house.configs.get(actor.shop);
  const records = await readConversations(scope, await heldBy(scope, actor.id));
  return records.flatMap((record) =>
    record && record.conversation.agent === actor.id && record.conversation.state !== 'closed'
      ? [{ ...record.conversation, pending: record.conversation.waitingSince !== undefined }]
      : [],
  );
}
