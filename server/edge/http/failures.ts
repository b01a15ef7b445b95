/** Whatever goes wrong during a request, as the one shape of error that clients get. */
import type { Request, Response } from 'express';
import { errorCatalogue, failureOf, Refusal } from '../../../client-sdk/contract/index.ts';
import type { Log } from '../../services/house.ts';
import { bareError } from '../../services/trouble.ts';
import { refusalOf } from '../refusal-of.ts';
import { languageOf } from './credential.ts';

/** An error that express itself raises for a request it cannot read, such as a path that is not valid UTF-8. */
const isBadRequest = (error: unknown) => error instanceof Error && (error as { status?: unknown }).status === 400;

/** The refusal that answers an error of a request; what nobody expected is logged. */
export function answerTo(error: unknown, log: Log, facts: object): Refusal {
  if (error instanceof Refusal) return error;
  if (isBadRequest(error)) return new Refusal('invalid', 'The path of the request cannot be read; encode it as UTF-8.');
  const refusal = refusalOf(error);
  if (refusal.code === 'unavailable') log.warn({ err: bareError(error), ...facts }, 'a call could not be answered');
  else log.error({ err: bareError(error), ...facts }, 'a call failed unexpectedly');
  return refusal;
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
