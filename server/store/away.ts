/** Whether Redis is known to be away. */
import type { Connection } from './script.ts';

/**
 * Nobody need notice a reconnect that takes less, in ms: what is sent meanwhile waits for it. A Redis that is restarted, or
 * replaced by its replica, takes longer.
 */
const AWAY_AFTER_MS = 2_000;

/** Answers, at any time, whether the connection has not stood for `afterMs` by now. */
export function watchAway(redis: Connection, afterMs = AWAY_AFTER_MS): () => boolean {
  let away = false;
  let timer: NodeJS.Timeout | undefined;
  const lost = () => {
    timer ??= setTimeout(() => {
      away = true;
    }, afterMs).unref();
  };
  redis.on('close', lost);
  redis.on('ready', () => {
    clearTimeout(timer);
    timer = undefined;
    away = false;
  });
  if (redis.status !== 'ready') lost();
  return () => away;
}
