/** Tells clients over socket.io, on whichever node they are. */
import type { DefaultEventsMap, Server } from 'socket.io';
import type { Tell } from '../../services/house.ts';
import { agentRoom, buyerRoom, supervisorsRoom } from './rooms.ts';

export type Io = Server<DefaultEventsMap, DefaultEventsMap>;

/** What processes tell each other through the adapter. */
const ERASED = 'buyer:erased';

/** Forgets the buyers that others say are to be forgotten. */
export function hearForgotten(io: Io, forget: Tell['forgetBuyer']): void {
  io.on(ERASED, forget);
}

/** `shared`: there are other processes, which an adapter reaches. */
export function createTell(io: Io, { shared }: { readonly shared: boolean }): Tell {
  const agents = io.of('/agent');
  const buyers = io.of('/buyer');
  return {
    agent: (shop, agent, event, data, except) => {
      agents
        .to(agentRoom(shop, agent))
        .except(except ?? [])
        .emit(event, data);
    },
    supervisors: (shop, event, data, agent) => {
      agents.to([supervisorsRoom(shop), ...(agent === undefined ? [] : [agentRoom(shop, agent)])]).emit(event, data);
    },
    buyer: (shop, buyer, event, data, except) => {
      buyers
        .to(buyerRoom(shop, buyer))
        .except(except ?? [])
        .emit(event, data);
    },
    forgetBuyer: (shop, buyer) => {
      if (shared) io.serverSideEmit(ERASED, shop, buyer);
    },
  };
}
