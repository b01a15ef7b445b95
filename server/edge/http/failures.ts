/** Whatever goes wrong during a request, as the one shape of error that clients get. */
import type { Request, Response } from 'express';
import { errorCatalogue, failureOf, Refusal } from '../../../client-sdk/contract/index.ts';
import type { Log } from '../../services/house.ts';
import { bareError, passesByItself } from '../../services/trouble.ts';
import { languageOf } from './credential.ts';
import { TooLate } from './time-limit.ts';

/** An error that express itself raises for a request it cannot read, such as a path that is not valid UTF-8. */
const isBadRequest = (error: unknown) => error instanceof Error && (error as { status?: unknown }).status === 400;

/** The refusal that answers an error; what nobody expected is logged. */
export function refusalOf(error: unknown, log: Log, facts: object): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof TooLate) {
    log.warn({ err: bareError(error), ...facts }, 'a call took too long');
    return new Refusal('unavailable', 'The call took too long and may still take effect; look, then try again.');
  }
  if (passesByItself(error)) {
    log.warn({ err: bareError(error), ...facts }, 'the store could not answer');
    return new Refusal('unavailable');
  }
  if (isBadRequest(error)) return new Refusal('invalid', 'The path of the request cannot be read; encode it as UTF-8.');
  log.error({ err: bareError(error), ...facts }, 'a call failed unexpectedly');
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
  if (refusal.code === 'unauthorized' && !response.get('WWW-Authenticate')) response.set('WWW-Authenticate', 'Bearer');
  response.status(errorCatalogue[refusal.code].status).json({ error: failureOf(refusal, languageOf(request)) });
}
