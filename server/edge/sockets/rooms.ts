/** Rooms, few and long-lived: one an agent, one a buyer, one for all supervisors of a shop. ':' is in no identifier. */
export const agentRoom = (shop: string, agent: string) => `agent:${shop}:${agent}`;
export const buyerRoom = (shop: string, buyer: string) => `buyer:${shop}:${buyer}`;
export const supervisorsRoom = (shop: string) => `supervisors:${shop}`;
/** One a session, in which are the few sockets of it. */
export const sessionRoom = (shop: string, session: string) => `session:${shop}:${session}`;
