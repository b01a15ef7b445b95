/** Tells clients over socket.io, on whichever node they are. */
import type { DefaultEventsMap, Server } from 'socket.io';
import type { Tell } from '../../services/house.ts';
import { agentRoom, buyerRoom, supervisorsRoom } from './rooms.ts';

export type Io = Server<DefaultEventsMap, DefaultEventsMap>;

export function createTell(io: Io): Tell {
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
  };
}
