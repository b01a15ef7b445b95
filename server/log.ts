/** The structured log: facts carry shop and conversation, never message text, tokens or keys. */
import { pino } from 'pino';
import type { Log } from './services/house.ts';
import { bareError } from './services/trouble.ts';

/** Writes JSON lines to standard output. `level` as pino names it. */
export function createLog(level: string, name: string): Log {
  return pino({ level, name, base: { name }, serializers: { err: bareError } });
}
