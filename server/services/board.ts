/** What supervisors and the shop's programs look at: who is here, who waits, every conversation, every decision. */
import type {
  Assignment,
  Conversation,
  ConversationState,
  LiveAgent,
  Unheld,
} from '../../client-sdk/contract/index.ts';
import { closedFrom, liveAgents, openAfter, readAssignmentById, readConversations, waitingIn } from '../store/read.ts';
import type { Scope } from '../store/scope.ts';
import { type Actor, maySee, maySteer } from './actor.ts';
import type { House } from './house.ts';
import { refusalFor } from './refusals.ts';

/** Who looks: somebody with a session, or a program with a key, which may see everything. */
export type Viewer = Actor | 'program';

const seesAll = (viewer: Viewer) => viewer === 'program' || maySteer(viewer);

async function unheld(scope: Scope, line: 'queue' | 'pool'): Promise<Unheld[]> {
  const records = await readConversations(scope, await waitingIn(scope, line));
  return records.flatMap((record) =>
    record
      ? [
          {
            conversation: record.conversation.id,
            buyer: record.conversation.buyer,
            since: record.conversation.waitingSince ?? record.conversation.openedAt,
          },
        ]
      : [],
  );
}

export type Live = { readonly agents: LiveAgent[]; readonly queue: Unheld[]; readonly pool: Unheld[] };

/** The board at `now` (ms). An agent without a higher role sees themselves, and the pool, from which they may take. */
export async function live(house: House, shop: string, viewer: Viewer, now: number): Promise<Live> {
  const { config, scope } = await house.configs.fresh(shop);
  const all = seesAll(viewer);
  const ids = all ? [...config.agents.keys()] : viewer === 'program' ? [] : [viewer.id];
  const [agents, queue, pool] = await Promise.all([
    liveAgents(scope, ids, now),
    all ? unheld(scope, 'queue') : [],
    unheld(scope, 'pool'),
  ]);
  return { agents, queue, pool };
}

export type ConversationQuery = {
  readonly state?: ConversationState | undefined;
  readonly agent?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

/** A cursor: `o<member of held>` within the open ones, `c<offset>` within the closed ones. */
type Position = { readonly open: string } | { readonly closed: number };

function positionOf(cursor: string | undefined, state: ConversationState | undefined): Position {
  if (cursor?.startsWith('c')) {
    const offset = Number(cursor.slice(1));
    return { closed: Number.isSafeInteger(offset) && offset > 0 ? offset : 0 };
  }
  if (cursor?.startsWith('o')) return { open: cursor.slice(1) };
  return state === 'closed' ? { closed: 0 } : { open: '' };
}

const cursorOf = (position: Position) => ('open' in position ? `o${position.open}` : `c${position.closed}`);

/** How many are read at once while looking for those that match … */
const BATCH = 200;
/** … and how often one call does; a page may come back short, with a cursor to go on. */
const BATCHES = 10;

/**
 * Open conversations first, then closed ones, latest first. An agent without a higher role sees their own. A page may be
 * short of its limit and have a `next` all the same.
 */
export async function listConversations(
  house: House,
  shop: string,
  viewer: Viewer,
  query: ConversationQuery,
): Promise<{ conversations: Conversation[]; next?: string }> {
  const { scope } = await house.configs.get(shop);
  const own = seesAll(viewer) || viewer === 'program' ? query.agent : viewer.id;
  const found: Conversation[] = [];
  let position: Position | undefined = positionOf(query.cursor, query.state);
  // One batch at a time; the cursor stands behind the last one looked at, found or not.
  for (let i = 0; i < BATCHES && position !== undefined && found.length < query.limit; i++) {
    const want = own === undefined && query.state === undefined ? query.limit - found.length : BATCH;
    const batch: { id: string; after: Position }[] = await batchFrom(scope, position, want, own);
    const records = await readConversations(
      scope,
      batch.map(({ id }) => id),
    );
    let stopped: Position | undefined;
    for (const [i, item] of batch.entries()) {
      const conversation = records[i]?.conversation;
      const wanted =
        conversation &&
        (own === undefined || conversation.agent === own) &&
        (query.state === undefined || conversation.state === query.state);
      if (wanted) found.push(conversation);
      if (found.length === query.limit) {
        stopped = item.after;
        break;
      }
    }
    position = stopped ?? nextAfter(position, batch, want, query.state);
  }
  return { conversations: found, ...(position === undefined ? {} : { next: cursorOf(position) }) };
}

async function batchFrom(scope: Scope, position: Position, want: number, holder: string | undefined) {
  if ('open' in position) {
    const members = await openAfter(scope, position.open, want, holder);
    return members.map((member) => ({
      id: member.slice(member.indexOf(':') + 1),
      after: { open: member } as Position,
    }));
  }
  const ids = await closedFrom(scope, position.closed, want);
  return ids.map((id, i) => ({ id, after: { closed: position.closed + i + 1 } as Position }));
}

function nextAfter(
  position: Position,
  batch: readonly { after: Position }[],
  want: number,
  state: ConversationState | undefined,
): Position | undefined {
  if (batch.length === want) return batch.at(-1)?.after;
  return 'open' in position && (state === undefined || state === 'closed') ? { closed: 0 } : undefined;
}

/** Throws `not-found`, also for somebody else's. */
export async function getConversation(house: House, shop: string, viewer: Viewer, id: string): Promise<Conversation> {
  const { scope } = await house.configs.get(shop);
  const [record] = await readConversations(scope, [id]);
  if (!record || (viewer !== 'program' && !maySee(viewer, record.conversation))) throw refusalFor('missing');
  return record.conversation;
}

/** An assignment with its trace. An agent without a higher role sees those that brought a buyer to them. Throws `not-found`. */
export async function getAssignment(house: House, shop: string, viewer: Viewer, id: string): Promise<Assignment> {
  const { scope } = await house.configs.get(shop);
  const assignment = await readAssignmentById(scope, id);
  if (!assignment || !(seesAll(viewer) || (viewer !== 'program' && assignment.agent === viewer.id))) {
    throw refusalFor('missing');
  }
  return assignment;
}
