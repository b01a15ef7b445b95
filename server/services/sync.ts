/**
 * The heartbeat of a client: it says what it has seen last and is answered what it lacks. Events can be lost on their way
 * (while Redis is away, when a node dies between writing and telling); what a client asks for here cannot. Nothing is
 * changed, so it may be asked as often as one likes.
 */
import {
  type agentCommands,
  type BuyerEventData,
  type buyerCommands,
  type CommandAnswer,
  chatDigest,
  digestsOf,
  heldFact,
  partOf,
} from '../../client-sdk/contract/index.ts';
import { readBuyer } from '../store/buyers.ts';
import { loadOf, marksOfHeld, type Standing, standingOf } from '../store/marks.ts';
import { type ConversationRecord, readConversation, readConversations } from '../store/read.ts';
import { readShifts } from '../store/shifts.ts';
import { type AgentActor, type BuyerActor, maySteer } from './actor.ts';
import type { Shop } from './configs.ts';
import type { House } from './house.ts';
import { replay } from './replay.ts';
import { chatNow, isPresentChat } from './told.ts';

type BuyerAnswer = CommandAnswer<(typeof buyerCommands)['state:sync']>;
type AgentAnswer = CommandAnswer<(typeof agentCommands)['state:sync']>;

/** What a buyer's client has of a conversation: the last message, and how far it knows it to be seen. */
export type Known = { readonly conversation: string; readonly seq: number; readonly seen: number };

/** Messages in one answer, of all conversations together. */
const AT_ONCE = 200;

/** What the buyer's side lacks of the conversations it knows, each once. Somebody else's is not there. */
async function lacking(
  house: House,
  at: Shop,
  known: readonly Known[],
  records: readonly (ConversationRecord | undefined)[],
) {
  const answer = { store: house.life.now(), messages: [], hasMore: false, ended: [], seen: [] } as Omit<
    BuyerAnswer,
    'chat'
  >;
  for (const [i, { conversation: id, seq, seen }] of known.entries()) {
    const record = records[i];
    if (!record) {
      answer.ended.push(id);
      continue;
    }
    const { conversation } = record;
    if (conversation.lastSeq < seq) {
      answer.behind = [...(answer.behind ?? []), { conversation: id, lastSeq: conversation.lastSeq }];
    }
    const { messages, hasMore } = await replay(house, at.scope, conversation, seq, AT_ONCE - answer.messages.length);
    answer.messages.push(...messages);
    answer.hasMore ||= hasMore;
    if (conversation.state === 'closed' && !hasMore) answer.ended.push(id);
    const by = at.config.agents.get(conversation.agent ?? '');
    if (by && record.seen > seen) {
      const kind = by.kind === 'robot' ? 'robot' : 'agent';
      answer.seen.push({ conversation: id, by: { kind, id: by.id }, seq: record.seen });
    }
  }
  return answer;
}

/**
 * What a buyer's client lacks: messages, what has ended, what has been seen, and how the chat stands now where that is
 * not what was told last (`chat` is its digest). `now` in ms.
 */
export async function syncBuyer(
  house: House,
  actor: BuyerActor,
  { known, chat }: { readonly known: readonly Known[]; readonly chat?: number | undefined },
  now: number,
): Promise<BuyerAnswer> {
  const at = await house.configs.get(actor.shop);
  const asked = [...new Map(known.map((one) => [one.conversation, one])).values()];
  const [buyer, found] = await Promise.all([
    readBuyer(at.scope, actor.id),
    readConversations(
      at.scope,
      asked.map(({ conversation }) => conversation),
    ),
  ]);
  const records = found.map((record) => (record?.conversation.buyer === actor.id ? record : undefined));
  const answer = await lacking(house, at, asked, records);
  const present = await presentChat(at, buyer?.newest ?? '', records, now);
  return present && chatDigest(present) !== chat ? { ...answer, chat: present } : answer;
}

async function presentChat(
  at: Shop,
  newest: string,
  records: readonly (ConversationRecord | undefined)[],
  now: number,
): Promise<BuyerEventData<'chat:changed'> | undefined> {
  if (!newest) return undefined;
  const record = records.find((one) => one?.conversation.id === newest) ?? (await readConversation(at.scope, newest));
  return record && isPresentChat(record.conversation, now) ? chatNow(at, record.conversation, now) : undefined;
}

/** What an agent's client knows: numbers of contract/sync.ts, and the load as it was told last. */
export type AgentKnows = {
  readonly held: readonly number[];
  readonly presences: readonly number[];
  readonly load?: { readonly pending: number; readonly active: number } | undefined;
};

/** The parts in which what holds differs from what is known; who knows nothing is told all as one part. */
function differing(known: readonly number[], now: ReadonlyMap<string, string>): { parts: number[]; of: number } {
  const of = Math.max(1, known.length);
  const parts = digestsOf(now, of).flatMap((digest, part) => (digest === known[part] ? [] : [part]));
  // Nothing known, and nothing there.
  return { parts: known.length === 0 && now.size === 0 ? [] : parts, of };
}

/** Whose presence an agent hears of: their own, supervisors everybody's. */
const heardOf = ({ config }: Shop, actor: AgentActor) => (maySteer(actor) ? [...config.agents.keys()] : [actor.id]);

async function presenceChange({ scope }: Shop, { agent, presence, lapsed }: Standing) {
  const [last] = lapsed ? [] : await readShifts(scope, agent, { limit: 1 });
  return { agent, presence, cause: lapsed ? ('lost-connection' as const) : (last?.shift.cause ?? 'chose') };
}

/**
 * What an agent's client does not know, or knows wrongly: which conversations are held and how far each has come, who is
 * present and why, the load. What is as the client says is left out. `now` in ms.
 */
export async function syncAgent(house: House, actor: AgentActor, knows: AgentKnows, now: number): Promise<AgentAnswer> {
  // Whoever hears of everybody hears of those who are new.
  const at = await (maySteer(actor) ? house.configs.fresh(actor.shop) : house.configs.get(actor.shop));
  const [held, standing, load] = await Promise.all([
    marksOfHeld(at.scope, actor.id),
    standingOf(at.scope, heardOf(at, actor), now),
    loadOf(at.scope, actor.id),
  ]);

  const heldNow = differing(knows.held, new Map(held.map((mark) => [mark.conversation, heldFact(mark)])));
  const present = standing.filter(({ presence }) => presence !== 'offline');
  const presentNow = differing(knows.presences, new Map(present.map(({ agent, presence }) => [agent, presence])));
  // Whoever is not known is known to be offline.
  const told = (knows.presences.length === 0 ? present : standing).filter(({ agent }) =>
    presentNow.parts.includes(partOf(agent, presentNow.of)),
  );
  const changes = await Promise.all(told.map((one) => presenceChange(at, one)));
  const sameLoad = knows.load?.pending === load.pending && knows.load.active === load.active;
  return {
    store: house.life.now(),
    ...(heldNow.parts.length === 0
      ? {}
      : {
          held: {
            parts: heldNow.parts,
            conversations: held.filter(({ conversation }) => heldNow.parts.includes(partOf(conversation, heldNow.of))),
          },
        }),
    ...(presentNow.parts.length === 0 ? {} : { presences: { parts: presentNow.parts, changes } }),
    ...(sameLoad ? {} : { load }),
  };
}
