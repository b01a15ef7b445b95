/** Agents come and go: what they choose, and the sockets that hold them connected. */

import { type By, type HeldConversation, type Presence, Refusal, type Shift } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../plan/config.ts';
import { changePresence, type PresenceAnswer, type PresenceCommand } from '../store/presence.ts';
import { heldBy, readConversations } from '../store/read.ts';
import { readShifts, type ShiftQuery } from '../store/shifts.ts';
import type { AgentActor } from './actor.ts';
import type { House } from './house.ts';
import { nightOf } from './overnight.ts';
import { tellEffects } from './told.ts';

const noAgent = () => new Refusal('not-found', 'There is no such agent in this shop; check the id.');

async function change(
  house: House,
  shop: string,
  command: PresenceCommand | ((config: ShopConfig) => PresenceCommand),
  now: number,
): Promise<PresenceAnswer> {
  const answer = await house.configs.use(shop, ({ config, scope }) =>
    changePresence(scope, typeof command === 'function' ? command(config) : command, now),
  );
  if (answer.kind === 'done') {
    tellEffects(house, shop, answer);
    // Somebody came: for who waits. Somebody went: for whom they leave.
    if (answer.presences.length > 0) house.due(shop, now);
  }
  return answer;
}

/**
 * An agent chooses their presence, or `by` a supervisor does for them. Answers what is chosen, or `hung-up` where the
 * shop's rule hangs up who has chosen online. Throws `not-found`.
 */
export async function choosePresence(
  house: House,
  shop: string,
  agent: string,
  presence: Presence,
  cause: 'chose' | 'supervisor',
  now: number,
  by?: By,
): Promise<Presence> {
  const answer = await change(house, shop, { change: 'choose', agent, presence, cause, by }, now);
  if (answer.kind !== 'done') throw noAgent();
  return answer.effective === 'hung-up' ? answer.effective : answer.chosen;
}

/** Hangs up an agent who has owed `conversation` a reply since `since` (ms), unless that has changed meanwhile. */
export async function hangUpForSilence(
  house: House,
  shop: string,
  agent: string,
  conversation: string,
  since: number,
  now: number,
): Promise<void> {
  await change(house, shop, { change: 'silent', agent, conversation, since }, now);
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
  if (answer.kind !== 'done') throw noAgent();
  return answer.effective;
}

/**
 * A socket of an agent has gone. With the last one gone the agent is offline after the shop's grace. With `node`, nothing
 * happens where the socket stands under another node by now.
 */
export async function disconnectAgent(
  house: House,
  shop: string,
  agent: string,
  socket: string,
  now: number,
  node?: string,
): Promise<{ readonly graceMs: number }> {
  let graceMs = 0;
  // As the shop has it now: another node may have changed it.
  const command = ({ settings }: ShopConfig): PresenceCommand => {
    graceMs = settings.presenceGraceMs;
    return { change: 'disconnect', agent, socket, graceMs, node };
  };
  await change(house, shop, command, now);
  return { graceMs };
}

/** Everything the agent holds now, with what waits for a reply and what happened at night: a full resync. */
export async function heldConversations(house: House, actor: AgentActor): Promise<HeldConversation[]> {
  const { scope } = await house.configs.get(actor.shop);
  const records = await readConversations(scope, await heldBy(scope, actor.id));
  const held = records.flatMap((record) =>
    record && record.conversation.agent === actor.id && record.conversation.state !== 'closed' ? [record] : [],
  );
  return Promise.all(
    held.map(async ({ conversation, proxy }) => {
      // The proxy knows what they said.
      const night = proxy === actor.id ? undefined : await nightOf(scope, conversation, proxy);
      return {
        ...conversation,
        pending: conversation.waitingSince !== undefined,
        ...(night === undefined ? {} : { night }),
      };
    }),
  );
}

export type ShiftListing = Omit<ShiftQuery, 'before'> & { readonly cursor?: string | undefined };

/** Changes of an agent's presence, latest first; also of one who has been removed. Throws `not-found` for one who never was. */
export async function listShifts(
  house: House,
  shop: string,
  agent: string,
  { cursor, ...query }: ShiftListing,
): Promise<{ entries: Shift[]; next?: string }> {
  const { config, scope } = await house.configs.get(shop);
  const found = await readShifts(scope, agent, { ...query, before: cursor });
  if (found.length === 0 && cursor === undefined && !config.agents.has(agent)) throw noAgent();
  const last = found.length === query.limit ? found.at(-1)?.place : undefined;
  return { entries: found.map(({ shift }) => shift), ...(last === undefined ? {} : { next: last }) };
}
