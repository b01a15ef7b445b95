/** The sockets of nodes that have died hold nobody connected any more. */
export { sweepGhosts } from '../server/services/ghosts.ts';
