/** Does in a shop what a story tells. */
import { type Assignment, type Entry, type OrderState, Refusal } from '../../client-sdk/contract/index.ts';
import type { AgentActor, BuyerActor } from '../../server/services/actor.ts';
import { choosePresence, connectAgent, disconnectAgent } from '../../server/services/attendance.ts';
import { putBuyer } from '../../server/services/buyers.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { claimFromPool, closeConversation, handOver, transferConversation } from '../../server/services/moves.ts';
import { leaveQueue } from '../../server/services/queue.ts';
import { deleteAgent, deleteGroup, patchSettings, putAgent, putGroup } from '../../server/services/shops.ts';
import { say } from '../../server/services/talk.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { groupPutOf } from '../support/shop.ts';
import { type Action, cast, shapes } from './story.ts';
import { openTalkOf, personOf, type World } from './world.ts';

let said = 0;

/** What the buyer of a click brings along. */
export function entryOf({ product, orderState }: Extract<Action, { do: 'open' }>): Entry {
  return { ...(product ? { product } : {}), ...(orderState ? { orderState: orderState as OrderState } : {}) };
}

/**
 * Does it; `opened` is told what a click was answered. What the shop refuses is as it was; anything else that is thrown is
 * a fault.
 */
export async function act(house: House, world: World, action: Action, opened: Opened): Promise<void> {
  try {
    await attempt(house, world, action, opened);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'internal' || error.code === 'unavailable') throw error;
  }
}

type Opened = (assignment: Assignment) => void;

async function attempt(house: House, world: World, action: Action, opened: Opened): Promise<void> {
  const { now } = world;
  const { shop, agents } = world.config;
  const talk = 'buyer' in action ? openTalkOf(world, action.buyer) : undefined;
  const buyerActor = (id: string): BuyerActor => ({ kind: 'buyer', shop, id });
  const staff = (id: string): AgentActor => {
    const kind = agents.get(id)?.kind === 'robot' ? 'robot' : 'agent';
    return { kind, shop, id, role: agents.get(id)?.role ?? 'agent' };
  };
  switch (action.do) {
    case 'open':
      opened((await open(house, shop, action.buyer, entryOf(action), now)).assignment);
      return;
    case 'write':
    case 'reply': {
      if (!talk || (action.do === 'reply' && !talk.agent)) return;
      const actor = action.do === 'write' ? buyerActor(action.buyer) : staff(talk.agent);
      said += 1;
      const saying = { conversation: talk.id, clientId: `m${said}`, body: { type: 'text' as const, text: '…' } };
      await say(house, actor, saying, now);
      return;
    }
    case 'human':
      if (talk) await handOver(house, buyerActor(action.buyer), talk.id, now);
      return;
    case 'leave':
      if (talk) await leaveQueue(house, buyerActor(action.buyer), talk.id, now);
      return;
    case 'close': {
      if (!talk) return;
      const actor =
        action.by === 'buyer' ? buyerActor(action.buyer) : staff(action.by === 'holder' ? talk.agent : action.by);
      await closeConversation(house, actor, talk.id, now);
      return;
    }
    case 'transfer': {
      if (!talk) return;
      const to = action.to in cast.agents ? { agent: action.to } : { group: action.to };
      await transferConversation(house, staff(action.by === 'holder' ? talk.agent : action.by), talk.id, to, now);
      return;
    }
    case 'take':
      if (talk) await claimFromPool(house, staff(action.agent), talk.id, now);
      return;
    case 'choose':
      if (agents.has(action.agent))
        Object.assign(personOf(world, action.agent), { chosen: action.presence, silent: false });
      await choosePresence(house, shop, action.agent, action.presence, action.by, now);
      return;
    case 'connect': {
      const person = personOf(world, action.agent);
      if (agents.has(action.agent)) {
        person.sockets.add(action.socket);
        // A grace that has ended already counts first, and is an event of its own.
        if (person.lapsesAt !== undefined && person.lapsesAt > now) person.lapsesAt = undefined;
      }
      await connectAgent(house, shop, action.agent, action.socket, 'node', now);
      return;
    }
    case 'disconnect': {
      const person = personOf(world, action.agent);
      const { presenceGraceMs } = world.config.settings;
      if (person.sockets.delete(action.socket) && person.sockets.size === 0) {
        if (person.presence !== 'offline' && presenceGraceMs > 0) person.lapsesAt = now + presenceGraceMs;
      }
      await disconnectAgent(house, shop, action.agent, action.socket, now);
      return;
    }
    case 'settings':
      await patchSettings(house, shop, action.patch, now);
      return;
    case 'group': {
      const shape = shapes[action.shape];
      if (shape) await putGroup(house, shop, action.group, groupPutOf(action.group, shape), now);
      else await deleteGroup(house, shop, action.group, now);
      return;
    }
    case 'hire': {
      const capacity = action.capacity === 0 ? undefined : action.capacity;
      await putAgent(house, shop, action.agent, { name: action.agent, role: 'agent', kind: 'human', capacity }, now);
      return;
    }
    case 'dismiss':
      if (agents.has(action.agent)) personOf(world, action.agent).chosen = 'offline';
      await deleteAgent(house, shop, action.agent, now);
      return;
    case 'profile': {
      const exclusiveAgent = action.exclusive || undefined;
      await putBuyer(house, shop, action.buyer, { crowds: action.crowds, exclusiveAgent }, now);
      return;
    }
    case 'wait':
      await runShopJobs(house, shop, now);
  }
}
