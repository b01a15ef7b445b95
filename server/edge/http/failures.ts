/** Whatever goes wrong during a request, as the one shape of error that clients get. */
import type { Request, Response } from 'express';
import { errorCatalogue, failureOf, Refusal } from '../../../client-sdk/contract/index.ts';
import type { Log } from '../../services/house.ts';
import { languageOf } from './credential.ts';
import { TooLate } from './time-limit.ts';

/** Replies with which Redis says that it cannot, or must not, do anything just now. */
const redisRefuses = /^(LOADING|READONLY|MISCONF|OOM|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS|UNKILLABLE)\b/;
/** What ioredis rejects commands with when there is no connection to send them over. */
const redisErrors = new Set(['AbortError', 'MaxRetriesPerRequestError', 'ClusterAllFailedError']);
const redisGone = /^(Connection is closed\.|Stream isn't writeable)/;
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND']);

/** True for trouble with the connection to Redis, or with Redis itself: another try may succeed. */
export function isRedisTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (
    redisErrors.has(error.name) ||
    redisGone.test(error.message) ||
    redisRefuses.test(error.message) ||
    (code !== undefined && networkCodes.has(code))
  );
}

/** An error for the log: without the command that failed, which Redis errors carry and which may hold a secret. */
export function loggable(error: unknown): object {
  if (!(error instanceof Error)) return { message: typeof error };
  const { code } = error as NodeJS.ErrnoException;
  return { type: error.name, message: error.message, stack: error.stack, ...(code === undefined ? {} : { code }) };
}

/** An error that express itself raises for a request it cannot read, such as a path that is not valid UTF-8. */
const isBadRequest = (error: unknown) => error instanceof Error && (error as { status?: unknown }).status === 400;

/** The refusal that answers an error; what nobody expected is logged. */
export function refusalOf(error: unknown, log: Log, facts: object): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof TooLate) {
    log.warn({ err: loggable(error), ...facts }, 'a call took too long');
    return new Refusal('unavailable', 'The call took too long and may still take effect; look, then try again.');
  }
  // A configuration that changes faster than it can be read is contention, not a fault.
  if (isRedisTrouble(error) || (error instanceof Error && error.name === 'StaleConfig')) {
    log.warn({ err: loggable(error), ...facts }, 'the store could not answer');
    return new Refusal('unavailable');
  }
  if (isBadRequest(error)) return new Refusal('invalid', 'The path of the request cannot be read; encode it as UTF-8.');
  log.error({ err: loggable(error), ...facts }, 'a call failed unexpectedly');
  return new Refusal('internal');
}

/** `retryAfterMs` of a refusal's details, if it says one. */
function retryAfterMs({ details }: Refusal): number | undefined {
  const ms = typeof details === 'object' && details !== null ? (details as { retryAfterMs?: unknown }).retryAfterMs : 0;
  return typeof ms === 'number' && ms > 0 ? ms : undefined;
}

/** Answers a refusal, in the caller's language. */
export function sendRefusal(request: Request, response: Response, refusal: Refusal): void {
  const wait = retryAfterMs(refusal);
  if (wait !== undefined) response.set('Retry-After', String(Math.ceil(wait / 1000)));
  if (refusal.code === 'unauthorized') response.set('WWW-Authenticate', 'Bearer');
  response.status(errorCatalogue[refusal.code].status).json({ error: failureOf(refusal, languageOf(request)) });
}
