/** Faults that another try may well get past. */
import { StaleConfig } from '../store/script.ts';

/** Replies with which Redis says that it cannot, or must not, do anything just now. */
const redisRefuses = /^(LOADING|READONLY|MISCONF|OOM|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS|UNKILLABLE)\b/;
/** What ioredis rejects commands with when there is no connection to send them over. */
const redisErrors = new Set(['AbortError', 'MaxRetriesPerRequestError', 'ClusterAllFailedError']);
const redisGone = /^(Connection is closed\.|Stream isn't writeable)/;
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND']);

/** True for trouble with the connection to Redis, or with Redis itself. */
function isRedisTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (
    redisErrors.has(error.name) ||
    redisGone.test(error.message) ||
    redisRefuses.test(error.message) ||
    (code !== undefined && networkCodes.has(code))
  );
}

/** True for trouble with Redis, and for a configuration that changes faster than it can be read: contention, not a fault. */
export const passesByItself = (error: unknown) => isRedisTrouble(error) || error instanceof StaleConfig;
