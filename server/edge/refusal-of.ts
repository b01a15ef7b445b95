/** The refusal that a thrown value is for whoever asked, over HTTP and sockets alike. */
import { Refusal } from '../../client-sdk/contract/index.ts';
import { passesByItself } from '../services/trouble.ts';
import { TooLate } from './time-limit.ts';

export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof TooLate) {
    return new Refusal(
      'unavailable',
      'No answer came in time, and it may still take effect: look, or send the same again with the same requestId.',
    );
  }
  return new Refusal(passesByItself(error) ? 'unavailable' : 'internal');
}
