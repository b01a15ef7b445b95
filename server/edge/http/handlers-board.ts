/** Calls that look and change nothing: the live board, conversations and their messages, decisions. */
import { Refusal, type RouteName } from '../../../client-sdk/contract/index.ts';
import type { Caller } from '../../services/access.ts';
import { type Actor, maySteer } from '../../services/actor.ts';
import { listShifts } from '../../services/attendance.ts';
import { getAssignment, getConversation, listConversations, live, type Viewer } from '../../services/board.ts';
import { listMessages } from '../../services/talk.ts';
import type { Handlers } from './call.ts';

type BoardRoute = Extract<
  RouteName,
  `${string}${'Live' | 'Conversation' | 'Conversations' | 'Messages' | 'Assignment' | 'Shifts'}`
>;

/** The caller as the services that read know them: a key sees everything in its shop. */
function viewerOf({ kind, actor }: Caller): Viewer {
  if (actor) return actor;
  if (kind === 'nobody' || kind === 'buyer') throw new Refusal('unauthorized');
  return 'program';
}

/** A key sees what the owner sees; as nobody in particular, for it is only looked with. */
const actorOf = (shop: string, viewer: Viewer): Actor =>
  viewer === 'program' ? { kind: 'agent', shop, id: '', role: 'owner' } : viewer;

/** Throws `invalid` for a cursor that was never given out. */
function checkCursor(cursor: string | undefined, shape: RegExp): void {
  if (cursor !== undefined && !shape.test(cursor)) {
    throw new Refusal('invalid', undefined, [{ path: 'cursor', problem: 'is no cursor of this list' }]);
  }
}

export const boardHandlers: Handlers<BoardRoute> = {
  getLive: ({ house }, { params, caller, now }) => live(house, params.shop, viewerOf(caller), now),

  listConversations: ({ house }, { params, query, caller }) =>
    listConversations(house, params.shop, viewerOf(caller), query),
  getConversation: ({ house }, { params, caller }) =>
    getConversation(house, params.shop, viewerOf(caller), params.conversation),
  listMessages: async ({ house }, { params, query, caller }) => {
    const { cursor, afterSeq = 0, limit } = query;
    checkCursor(cursor, /^\d{1,15}$/);
    const { messages, hasMore } = await listMessages(house, actorOf(params.shop, viewerOf(caller)), {
      conversation: params.conversation,
      afterSeq: cursor === undefined ? afterSeq : Number(cursor),
      limit,
    });
    const last = messages.at(-1);
    return { messages, ...(hasMore && last ? { next: String(last.seq) } : {}) };
  },
  getAssignment: ({ house }, { params, caller }) =>
    getAssignment(house, params.shop, viewerOf(caller), params.assignment),
  listShifts: ({ house }, { params: { shop, agent }, query, caller }) => {
    checkCursor(query.cursor, /^\d{13}:\d{10}$/);
    const viewer = viewerOf(caller);
    if (viewer !== 'program' && !maySteer(viewer) && viewer.id !== agent) throw new Refusal('forbidden');
    return listShifts(house, shop, agent, query);
  },
};
