/** Whether a connection to Redis stands, as it comes and goes. */
import type { Connection } from './script.ts';

/** Tells whether it stands now, and each time that this changes. */
export function watchConnection(redis: Connection, tell: (stands: boolean) => void): void {
  tell(redis.status === 'ready');
  redis.on('ready', () => tell(true));
  redis.on('close', () => tell(false));
}

/**
 * Calls `then` whenever a connection has come to stand, to any node of a cluster. What answers there may know less than what
 * answered before: a Redis that lost power has lost its latest writes, and so may a replica that took over.
 */
export function whenConnected(redis: Connection, then: () => void): void {
  redis.on('ready', then);
  redis.on('+node', then);
}
