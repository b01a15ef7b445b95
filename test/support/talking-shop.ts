/** A shop on two server nodes, with a worker process, in which people talk; and somebody whom only the worker helps. */

import type { RedisTarget } from '../../server/store/connect.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { type MainProcess, startMain } from './main-process.ts';
import { startTalkers, type Talkers } from './talkers.ts';
import { until } from './until.ts';

const AGENTS = ['anna', 'ben', 'cleo'];
/** How many buyers talk. */
export const TALKING_BUYERS = 9;
/** How soon an agent who answers nobody is reminded. */
const SLOW_MS = 1_000;

export type TalkingShop = {
  readonly dispatcher: Dispatcher;
  readonly worker: MainProcess;
  readonly talkers: Talkers;
  /** A buyer nobody answers: resolves when the worker has reminded their agent, over the agent's node. */
  isReminded(buyer: string): Promise<void>;
};

/** Whatever is started goes to `undo`. */
export async function startTalkingShop(
  at: RedisTarget,
  undo: { push(...steps: (() => unknown)[]): unknown },
): Promise<TalkingShop> {
  const dispatcher = await createDispatcher(at, { shared: true });
  undo.push(dispatcher.close);
  const { url } = await dispatcher.anotherNode();
  const worker = startMain('workers', at);
  undo.push(() => worker.end('SIGKILL'));
  await worker.ready;
  await dispatcher.call('PATCH', 'settings', { slowReplyMs: SLOW_MS });
  for (const id of [...AGENTS, 'mute']) await dispatcher.agent(id, { name: id });
  for (const [product, members] of Object.entries({ talk: AGENTS, silence: ['mute'] })) {
    const binds = { crowds: [], products: [product], intents: [], orderStates: [] };
    await dispatcher.group(product, { name: product, binds, members: members.map((agent) => ({ agent, level: 1 })) });
  }
  const mute = await dispatcher.connectAgent('mute', { url, checkEveryMs: 0 });
  await mute.setPresence('online');
  let slow = 0;
  mute.on('reply:slow', ({ conversations }) => {
    slow += conversations.length;
  });
  const buyers = Array.from({ length: TALKING_BUYERS }, (_, n) => `buyer-${n}`);
  const talkers = await startTalkers(dispatcher, AGENTS, buyers, { product: 'talk' });
  return {
    dispatcher,
    worker,
    talkers,
    async isReminded(buyer) {
      const before = slow;
      const waiter = await dispatcher.connectBuyer(buyer);
      const { conversation } = await waiter.open({ product: 'silence' });
      if (conversation.agent !== 'mute') throw new Error(`${buyer} went to ${conversation.agent}`);
      await waiter.send(conversation.id, 'Anybody there?');
      await until(() => slow > before);
    },
  };
}
