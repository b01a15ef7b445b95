/** The structured log: facts carry shop and conversation, never message text, tokens or keys. */
import { pino } from 'pino';
import type { Log } from './services/house.ts';

/** An error without what libraries hang onto it: ioredis attaches the command, and with it what people wrote. */
function bareError(error: unknown): object {
  if (!(error instanceof Error)) return { message: typeof error };
  const code = (error as NodeJS.ErrnoException).code;
  return { type: error.name, message: error.message, stack: error.stack, ...(code === undefined ? {} : { code }) };
}

/** Writes JSON lines to standard output. `level` as pino names it. */
export function createLog(level: string, name: string): Log {
  return pino({ level, name, base: { name }, serializers: { err: bareError } });
}
