/** Reaches connected sockets over socket.io, on whichever node they are. */
import type { Connected } from '../../services/house.ts';
import { agentRoom, buyerRoom, sessionRoom, supervisorsRoom } from './rooms.ts';
import type { Io } from './tell.ts';

export function createConnected(io: Io): Connected {
  const agents = io.of('/agent');
  const buyers = io.of('/buyer');
  return {
    endSession: (shop, session) => agents.in(sessionRoom(shop, session)).disconnectSockets(true),
    endAgent: (shop, agent) => agents.in(agentRoom(shop, agent)).disconnectSockets(true),
    endBuyer: (shop, buyer) => buyers.in(buyerRoom(shop, buyer)).disconnectSockets(true),
    steers(shop, agent, may) {
      const sockets = agents.in(agentRoom(shop, agent));
      if (may) sockets.socketsJoin(supervisorsRoom(shop));
      else sockets.socketsLeave(supervisorsRoom(shop));
    },
  };
}
