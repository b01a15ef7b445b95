/** What a buyer can do. */
import type { buyerCommands } from '../../../client-sdk/contract/index.ts';
import type { BuyerActor } from '../../services/actor.ts';
import { open } from '../../services/dispatch.ts';
import type { House } from '../../services/house.ts';
import { closeConversation, handOver } from '../../services/moves.ts';
import { leaveQueue } from '../../services/queue.ts';
import { syncBuyer } from '../../services/sync.ts';
import { rate } from '../../services/talk.ts';
import { assignmentForBuyer } from '../../services/told.ts';
import type { Handlers } from './commands.ts';
import { type Asking, talkHandlers } from './talk-handlers.ts';

export function buyerHandlers(house: House, clock: () => number): Handlers<typeof buyerCommands, Asking<BuyerActor>> {
  return {
    ...talkHandlers(house, clock),
    'chat:open': async ({ actor }, { requestId, ...entry }) => {
      const { conversation, assignment } = await open(house, actor.shop, actor.id, entry, clock(), requestId);
      return { conversation, assignment: assignmentForBuyer(assignment) };
    },
    'chat:human': async ({ actor }, { conversation, requestId }) => {
      const handed = await handOver(house, actor, conversation, clock(), { requestId });
      return { conversation: handed.conversation };
    },
    'chat:rate': async ({ actor }, { conversation, score, comment }) => {
      await rate(house, actor, conversation, { score, comment }, clock());
      return {};
    },
    'chat:close': async ({ actor }, { conversation }) => ({
      conversation: await closeConversation(house, actor, conversation, clock()),
    }),
    'state:sync': ({ actor }, known) => syncBuyer(house, actor, known, clock()),
    'queue:leave': async ({ actor }, { conversation, requestId }) => ({
      conversation: await leaveQueue(house, actor, conversation, clock(), requestId),
    }),
  };
}
