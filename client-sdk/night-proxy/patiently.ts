/** Waiting for what passes by itself: a server that is not up yet, or has no Redis for a moment. */
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';

/** Whether an error passes by itself, so that trying again makes sense. */
export function passes(error: unknown): boolean {
  return error instanceof CommandError && ['unavailable', 'internal', 'rate-limited', 'timeout'].includes(error.code);
}

/** Waits between attempts, in ms: doubled from the first to the longest. */
const FIRST_MS = 500;
const LONGEST_MS = 5_000;

/**
 * Does `work` until it succeeds, and says so each time it waits for another reason than before. Rejects with what does
 * not pass by itself, and where it would have to wait although `signal` has aborted.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  waits: (error: Error) => void,
  signal: AbortSignal,
): Promise<T> {
  let reason = '';
  for (let wait = FIRST_MS; ; wait = Math.min(LONGEST_MS, wait * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!passes(error) || !(error instanceof Error)) throw error;
      if (error.message !== reason) waits(error);
      reason = error.message;
    }
    await pause(wait, undefined, { signal });
  }
}
