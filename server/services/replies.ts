/** Replies that do not come: agents are reminded, hung up, and in the end the buyer goes to somebody else. */
import type { Settings } from '../../client-sdk/contract/index.ts';
import { completes } from '../plan/overdue.ts';
import { type ConversationRecord, readConversations } from '../store/read.ts';
import { type Owed, readOwed, repliesLookedAt, waitingFor } from '../store/replies.ts';
import { hangUpForSilence } from './attendance.ts';
import type { Shop } from './configs.ts';
import { dispatchAgain } from './dispatch.ts';
import type { House } from './house.ts';

/** A reply that is owed, the conversation it is owed in, and who holds it. */
type Debt = Owed & { readonly record: ConversationRecord; readonly agent: string };

/** The shortest of the shop's periods; `undefined` where it has none. */
function shortestPeriod({ slowReplyMs, reassignAfterMs, autoHangUp }: Settings): number | undefined {
  const periods = [slowReplyMs, reassignAfterMs ?? 0, autoHangUp.afterNoReplyMs ?? 0].filter((ms) => ms > 0);
  return periods.length === 0 ? undefined : Math.min(...periods);
}

async function debtsOf({ scope }: Shop, owed: readonly Owed[]): Promise<Debt[]> {
  const records = await readConversations(
    scope,
    owed.map(({ conversation }) => conversation),
  );
  return owed.flatMap((debt, i) => {
    const record = records[i];
    const agent = record?.conversation.agent;
    return record && agent ? [{ ...debt, record, agent }] : [];
  });
}

/** One event an agent with every conversation that is slow by now, not only those that have just become so. */
async function remind(house: House, { scope }: Shop, agents: ReadonlySet<string>, slow: readonly Owed[]) {
  const slowIds = new Set(slow.map(({ conversation }) => conversation));
  for (const agent of agents) {
    const theirs = (await waitingFor(scope, agent)).filter((id) => slowIds.has(id));
    const conversations = (await readConversations(scope, theirs)).flatMap((record) => {
      const since = record?.conversation.waitingSince;
      return record && since !== undefined ? [{ conversation: record.conversation.id, waitingSince: since }] : [];
    });
    conversations.sort((a, b) => a.waitingSince - b.waitingSince);
    if (conversations.length > 0) house.tell.agent(scope.shop, agent, 'reply:slow', { conversations });
  }
}

/**
 * Goes over the replies that are owed: after `autoHangUp.afterNoReplyMs` the agent is hung up, after `slowReplyMs`
 * reminded, after `reassignAfterMs` the buyer goes to somebody else on duty who has not left them waiting before. Each
 * happens again after as much time once more. A period of 0 is none. `now` in ms.
 */
export async function sweepReplies(house: House, shop: string, now: number): Promise<void> {
  const at = await house.configs.fresh(shop);
  const { settings } = at.config;
  const shortest = shortestPeriod(settings);
  if (shortest === undefined) return;
  const { owed, lookedAt } = await readOwed(at.scope, now - shortest);
  if (owed.length === 0) return;
  const due = (every: number | null) =>
    owed.filter(({ since }) => every !== null && completes(since, every, lookedAt, now));

  for (const { agent, conversation, since } of await debtsOf(at, due(settings.autoHangUp.afterNoReplyMs))) {
    await hangUpForSilence(house, shop, agent, conversation, since, now);
  }
  const reminded = await debtsOf(at, due(settings.slowReplyMs));
  const slow = owed.filter(({ since }) => now - since >= settings.slowReplyMs);
  await remind(house, at, new Set(reminded.map(({ agent }) => agent)), slow);
  for (const { record, since } of await debtsOf(at, due(settings.reassignAfterMs))) {
    await dispatchAgain(house, shop, { mode: 'missed', record, owedSince: since }, now);
  }
  // Last: what was cut short is done again.
  await repliesLookedAt(at.scope, now);
}
