/** What a buyer can do. */
import type { buyerCommands } from '../../../client-sdk/contract/index.ts';
import type { BuyerActor } from '../../services/actor.ts';
import { open } from '../../services/dispatch.ts';
import type { House } from '../../services/house.ts';
import { closeConversation, handOver } from '../../services/moves.ts';
import { leaveQueue } from '../../services/queue.ts';
import { listMessages, markRead, rate, say, setTyping } from '../../services/talk.ts';
import { assignmentForBuyer } from '../../services/told.ts';
import type { Handlers } from './commands.ts';

export type BuyerAsking = { readonly actor: BuyerActor; readonly socket: string };

export function buyerHandlers(house: House, clock: () => number): Handlers<typeof buyerCommands, BuyerAsking> {
  return {
    'chat:open': async ({ actor }, { requestId, ...entry }) => {
      const { conversation, assignment } = await open(house, actor.shop, actor.id, entry, clock(), requestId);
      return { conversation, assignment: assignmentForBuyer(assignment) };
    },
    'message:send': async ({ actor, socket }, saying) => ({
      message: await say(house, actor, saying, clock(), socket),
    }),
    'message:list': ({ actor }, listing) => listMessages(house, actor, listing),
    'typing:set': async ({ actor }, { conversation, typing }) => {
      await setTyping(house, actor, conversation, typing);
      return {};
    },
    'message:read': async ({ actor }, { conversation, seq }) => {
      await markRead(house, actor, conversation, seq, clock());
      return {};
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
    'queue:leave': async ({ actor }, { conversation, requestId }) => ({
      conversation: await leaveQueue(house, actor, conversation, clock(), requestId),
    }),
  };
}
