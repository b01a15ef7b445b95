/** What an agent can do, human or robot. */
import type { agentCommands } from '../../../client-sdk/contract/index.ts';
import type { AgentActor } from '../../services/actor.ts';
import { choosePresence, heldConversations } from '../../services/attendance.ts';
import type { House } from '../../services/house.ts';
import { claimFromPool, closeConversation, handOver, transferConversation } from '../../services/moves.ts';
import { syncAgent } from '../../services/sync.ts';
import type { Handlers } from './commands.ts';
import { type Asking, talkHandlers } from './talk-handlers.ts';

export function agentHandlers(house: House, clock: () => number): Handlers<typeof agentCommands, Asking<AgentActor>> {
  return {
    ...talkHandlers(house, clock),
    'presence:set': async ({ actor }, { presence }) => ({
      presence: await choosePresence(house, actor.shop, actor.id, presence, 'chose', clock()),
    }),
    'conversation:list': async ({ actor }) => ({ conversations: await heldConversations(house, actor) }),
    'state:sync': ({ actor }, known) => syncAgent(house, actor, known, clock()),
    'conversation:transfer': async ({ actor }, { conversation, to, note, requestId }) => ({
      conversation: await transferConversation(house, actor, conversation, to, clock(), { note, requestId }),
    }),
    'conversation:close': async ({ actor }, { conversation }) => ({
      conversation: await closeConversation(house, actor, conversation, clock()),
    }),
    'pool:claim': async ({ actor }, { conversation }) => ({
      conversation: await claimFromPool(house, actor, conversation, clock()),
    }),
    'conversation:handover': ({ actor }, { conversation, reason, requestId }) =>
      handOver(house, actor, conversation, clock(), { reason, requestId }),
  };
}
