/** What can happen in the shop of the model: plain data, so that a story that fails reads as a list of what was done. */
import fc from 'fast-check';
import { type OrderState, type Presence, Refusal, type SettingsPatch } from '../../client-sdk/contract/index.ts';
import type { AgentActor, BuyerActor } from '../../server/services/actor.ts';
import { choosePresence, connectAgent, disconnectAgent } from '../../server/services/attendance.ts';
import { putBuyer } from '../../server/services/buyers.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { claimFromPool, closeConversation, handOver, transferConversation } from '../../server/services/moves.ts';
import { deleteAgent, deleteGroup, patchSettings, putAgent, putGroup } from '../../server/services/shops.ts';
import { sweep } from '../../server/services/sweep.ts';
import { say } from '../../server/services/talk.ts';
import { type GroupSpec, groupPutOf, type ShopSpec } from '../support/shop.ts';
import { openTalkOf, personOf, type World } from './world.ts';

const HOUR = 3_600_000;

/** The shop as every story begins. */
export const cast: ShopSpec = {
  agents: {
    anna: { capacity: 2 },
    ben: { capacity: 1 },
    cleo: {},
    dora: { role: 'owner', capacity: 3 },
    nora: {},
    robo: { kind: 'robot', capacity: 2 },
  },
  groups: {
    tea: { members: { anna: 5, ben: 2 }, binds: { products: ['tea'] } },
    hats: { members: { ben: 1, cleo: 3 }, binds: { products: ['hats'], orderStates: ['paid'] }, robot: 'robo' },
    vip: { members: { cleo: 4, anna: 1 }, binds: { crowds: ['vip'] } },
  },
};

/** Who is online when a story begins. */
export const atWork = ['anna', 'ben', 'robo'] as const;

/** What groups may be changed into. */
const shapes: readonly GroupSpec[] = [
  { members: { anna: 1, cleo: 5 }, binds: { products: ['tea', 'hats'] } },
  { members: { ben: 3 }, binds: { orderStates: ['paid'] }, robot: 'robo' },
  { members: { anna: 2, ben: 2, nora: 2 }, binds: { crowds: ['vip'], products: ['tea'] } },
  { members: {}, robot: 'robo' },
];

const settings: readonly SettingsPatch[] = [
  { busyThreshold: 0 },
  { busyThreshold: 1 },
  { busyThreshold: 4 },
  { whenFull: 'queue' },
  { whenFull: 'leave-message' },
  { leaveMessage: { to: 'pool' } },
  { leaveMessage: { to: 'owner' } },
  { leaveMessage: { to: 'proxy', autoAssign: false } },
  { whenFull: 'leave-message', leaveMessage: { to: 'pool', autoAssign: false } },
  { whenFull: 'leave-message', leaveMessage: { to: 'pool', autoAssign: false } },
  { leaveMessage: { autoAssign: true } },
  { robotFirst: { enabled: true, robot: 'robo' } },
  { robotFirst: { enabled: false } },
  { nightShift: { enabled: true, proxy: 'nora' } },
  { nightShift: { enabled: false } },
  { nightShift: { proxy: null } },
  { exclusiveAgents: true },
  { handoverLimit: 2 },
  { contactWindows: { hotMs: HOUR, warmMs: 30 * HOUR } },
  { presenceGraceMs: 0 },
];

export type Action =
  | { readonly do: 'open'; readonly buyer: string; readonly product: string; readonly orderState: string }
  | { readonly do: 'write' | 'reply' | 'human'; readonly buyer: string }
  | { readonly do: 'close'; readonly buyer: string; readonly by: string }
  | { readonly do: 'transfer'; readonly buyer: string; readonly by: string; readonly to: string }
  | { readonly do: 'take'; readonly buyer: string; readonly agent: string }
  | { readonly do: 'choose'; readonly agent: string; readonly presence: Presence; readonly by: 'chose' | 'supervisor' }
  | { readonly do: 'connect' | 'disconnect'; readonly agent: string; readonly socket: string }
  | { readonly do: 'settings'; readonly patch: SettingsPatch }
  | { readonly do: 'group'; readonly group: string; readonly shape: number }
  | { readonly do: 'hire'; readonly agent: string; readonly capacity: number }
  | { readonly do: 'dismiss'; readonly agent: string }
  | { readonly do: 'profile'; readonly buyer: string; readonly crowds: string[]; readonly exclusive: string }
  | { readonly do: 'wait'; readonly ms: number };

const agent = fc.constantFrom(...Object.keys(cast.agents));
const buyer = fc.constantFrom('uma', 'vic', 'wim', 'xia', 'yan');
const is = <T extends string>(...names: T[]) => fc.constantFrom(...names);
const oneOf = (...numbers: number[]) => fc.constantFrom(...numbers);
const socket = is('phone', 'desk');
const group = is('tea', 'hats', 'vip', 'more');

export const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: is('open'), buyer, product: is('', 'tea', 'hats'), orderState: is('', 'paid') }),
  },
  { weight: 8, arbitrary: fc.record({ do: is('write', 'write', 'reply', 'human'), buyer }) },
  { weight: 2, arbitrary: fc.record({ do: is('close'), buyer, by: is('buyer', 'holder', 'dora') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: is('transfer'), buyer, by: is('holder', 'dora'), to: fc.oneof(agent, group) }),
  },
  { weight: 4, arbitrary: fc.record({ do: is('take'), buyer, agent: is('anna', 'ben', 'cleo', 'robo') }) },
  { weight: 6, arbitrary: fc.record({ do: is('connect', 'connect', 'disconnect'), agent, socket }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: is('choose'),
      agent,
      presence: is<Presence>('online', 'online', 'hung-up', 'hung-up', 'offline'),
      by: is('chose', 'supervisor'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: is('settings'), patch: fc.constantFrom(...settings) }) },
  { weight: 1, arbitrary: fc.record({ do: is('group'), group, shape: fc.integer({ min: 0, max: shapes.length }) }) },
  { weight: 1, arbitrary: fc.record({ do: is('hire'), agent: is('ben', 'cleo', 'eve'), capacity: oneOf(0, 1, 3) }) },
  { weight: 1, arbitrary: fc.record({ do: is('dismiss'), agent: is('ben', 'eve') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: is('profile'),
      buyer,
      crowds: fc.subarray(['vip']),
      exclusive: is('', 'anna', 'cleo'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: is('wait'), ms: oneOf(1, 20_000, HOUR, 7 * HOUR, 24 * HOUR, 49 * HOUR) }) },
);

let said = 0;

/** Does it. What the shop refuses is as it was; anything else that is thrown is a fault. */
export async function act(house: House, world: World, action: Action): Promise<void> {
  try {
    await attempt(house, world, action);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'internal' || error.code === 'unavailable') throw error;
  }
}

async function attempt(house: House, world: World, action: Action): Promise<void> {
  const { now } = world;
  const { shop, agents } = world.config;
  const talk = 'buyer' in action ? openTalkOf(world, action.buyer) : undefined;
  const buyerActor = (id: string): BuyerActor => ({ kind: 'buyer', shop, id });
  const staff = (id: string): AgentActor => {
    const kind = agents.get(id)?.kind === 'robot' ? 'robot' : 'agent';
    return { kind, shop, id, role: agents.get(id)?.role ?? 'agent' };
  };
  switch (action.do) {
    case 'open': {
      const { product, orderState } = action;
      const entry = {
        ...(product ? { product } : {}),
        ...(orderState ? { orderState: orderState as OrderState } : {}),
      };
      await open(house, shop, action.buyer, entry, now);
      return;
    }
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
      if (agents.has(action.agent)) personOf(world, action.agent).chosen = action.presence;
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
      world.profiles.set(action.buyer, { crowds: action.crowds, exclusiveAgent });
      return;
    }
    case 'wait':
      world.now += action.ms;
      await sweep(house, shop, world.now);
  }
}

/** The action as a line of a story. */
export function told(action: Action): string {
  const { do: what, ...rest } = action;
  return `${what} ${JSON.stringify(rest).replaceAll('"', '')}`;
}
