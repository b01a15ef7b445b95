/** Whether a connection to Redis stands, as it comes and goes. */
import type { Connection } from './script.ts';

/** Tells whether it stands now, and each time that this changes. */
export function watchConnection(redis: Connection, tell: (stands: boolean) => void): void {
  tell(redis.status === 'ready');
  redis.on('ready', () => tell(true));
  redis.on('close', () => tell(false));
}
