/** What both sides of a conversation can do: talk, list, type, read. */
import type { agentCommands } from '../../../client-sdk/contract/index.ts';
import type { Actor } from '../../services/actor.ts';
import type { House } from '../../services/house.ts';
import { listMessages, markRead, say, setTyping } from '../../services/talk.ts';
import type { Handlers } from './commands.ts';

export type Asking<A extends Actor = Actor> = { readonly actor: A; readonly socket: string };

type Talk = 'message:send' | 'message:list' | 'typing:set' | 'message:read';

export function talkHandlers(house: House, clock: () => number): Handlers<Pick<typeof agentCommands, Talk>, Asking> {
  return {
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
  };
}
