/** Faults: which another try may well get past, and what of them may be logged. */
import { StaleConfig } from '../store/script.ts';

/** Replies with which Redis says that it cannot, or must not, do anything just now. */
const redisRefuses =
  /^(LOADING|READONLY|MISCONF|OOM|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MOVED|ASK|NOREPLICAS|UNKILLABLE)\b/;
/** What ioredis rejects commands with when there is no connection to send them over. */
const redisErrors = new Set(['AbortError', 'MaxRetriesPerRequestError', 'ClusterAllFailedError']);
const redisGone =
  /^(Connection is closed\.|Stream isn't writeable|Too many Cluster redirections\.|None of startup nodes is available|Cluster isn't ready|Cluster is disconnect)/;
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

/** What `bareError` has made: a log may serialize what its caller has bared already. */
const bared = new WeakSet<object>();

/** An error without what libraries hang onto it: ioredis attaches the command, and with it what people wrote. */
export function bareError(error: unknown): object {
  if (typeof error === 'object' && error !== null && bared.has(error)) return error;
  const bare: { message: string; [fact: string]: unknown } = { message: typeof error };
  if (error instanceof Error) {
    const { code } = error as NodeJS.ErrnoException;
    Object.assign(bare, { type: error.name, message: error.message, stack: error.stack });
    if (code !== undefined) bare.code = code;
  }
  bared.add(bare);
  return bare;
}
