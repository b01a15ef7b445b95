/** Replies that do not come: agents are reminded, hung up, and in the end the buyer goes to somebody else. */
import { completes, lookedBy, type Periods, periodsOf, shortestOf, whereDue } from '../plan/overdue.ts';
import { type ConversationRecord, readConversations } from '../store/read.ts';
import { countOwed, type Owed, oldestOwed, owedBy, pagesOwed, readLook, rememberLook } from '../store/replies.ts';
import { atOnce } from './at-once.ts';
import { hangUpForSilence } from './attendance.ts';
import type { Shop } from './configs.ts';
import { dispatchAgain } from './dispatch.ts';
import type { House } from './house.ts';

const AT_ONCE = 16;

/** A reply that is owed, the conversation it is owed in, and who holds it. */
type Debt = Owed & { readonly record: ConversationRecord; readonly agent: string };
/** What one rule finds due, a page at a time. */
type Due = (rule: keyof Periods) => AsyncIterable<readonly Debt[]>;

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

/** What each rule has to do at `now`, seen since the last look. `oldest`: since when the oldest reply is owed. All in ms. */
async function dueAt(at: Shop, periods: Periods, shortest: number, oldest: number, now: number): Promise<Due> {
  const { scope } = at;
  const since = (every: number) => ({ after: Number.NEGATIVE_INFINITY, until: now - every });
  const [look, [overdue = 0]] = await Promise.all([readLook(scope), countOwed(scope, [since(shortest)])]);

  async function rangesOf(every: number, before: number) {
    const ranges = whereDue(every, before, now, oldest);
    if (ranges.length < 2) return ranges;
    // A few that nobody has answered for hours are sooner read than asked for period by period.
    if (overdue <= ranges.length) return [since(every)];
    const counts = await countOwed(scope, ranges);
    return ranges.filter((_, i) => counts[i] !== 0);
  }

  return async function* due(rule) {
    const every = periods[rule];
    const before = lookedBy(look, rule, periods);
    for (const range of await rangesOf(every, before)) {
      for await (const page of pagesOwed(scope, range)) {
        yield await debtsOf(
          at,
          page.filter((owed) => completes(owed.since, every, before, now)),
        );
      }
    }
  };
}

/** One event with every conversation of the agent that is slow by now, not only those that have just become so. */
async function remind(house: House, { scope }: Shop, agent: string, before: number): Promise<void> {
  const slow = await owedBy(scope, agent, before);
  const records = await readConversations(
    scope,
    slow.map(({ conversation }) => conversation),
  );
  const conversations = records.flatMap((record) => {
    const since = record?.conversation.waitingSince;
    return record && since !== undefined ? [{ conversation: record.conversation.id, waitingSince: since }] : [];
  });
  conversations.sort((a, b) => a.waitingSince - b.waitingSince);
  if (conversations.length > 0) house.tell.agent(scope.shop, agent, 'reply:slow', { conversations });
}

/**
 * Goes over the replies that are owed: after `autoHangUp.afterNoReplyMs` the agent is hung up, after `slowReplyMs`
 * reminded, after `reassignAfterMs` the buyer goes to somebody else on duty who has not left them waiting before. Each
 * happens again after as much time once more. A period of 0 is none. `now` in ms. Throws what failed, after the rest.
 */
export async function sweepReplies(house: House, shop: string, now: number): Promise<void> {
  const at = await house.configs.fresh(shop);
  const periods = periodsOf(at.config.settings);
  const shortest = shortestOf(periods);
  if (shortest === undefined) return;
  const oldest = await oldestOwed(at.scope);
  if (oldest === undefined || now - oldest < shortest) return;
  const due = await dueAt(at, periods, shortest, oldest, now);

  const failures: unknown[] = [];
  async function work<T>(items: Iterable<T>, one: (item: T) => Promise<unknown>): Promise<void> {
    for (const failure of await atOnce(AT_ONCE, items, one)) failures.push(failure);
  }
  for await (const debts of due('hangUp')) {
    await work(debts, ({ agent, conversation, since }) =>
      hangUpForSilence(house, shop, agent, conversation, since, now),
    );
  }
  const reminded = new Set<string>();
  for await (const debts of due('slow')) for (const { agent } of debts) reminded.add(agent);
  await work(reminded, (agent) => remind(house, at, agent, now - periods.slow));
  for await (const debts of due('reassign')) {
    await work(debts, ({ record, since }) =>
      dispatchAgain(house, shop, { mode: 'missed', record, owedSince: since }, now),
    );
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} replies could not be seen to`);
  // Last: what was cut short is done again.
  await rememberLook(at.scope, { at: now, periods });
}
