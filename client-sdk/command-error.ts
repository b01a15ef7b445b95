/** The one error clients get: from a command, from `connect()`, and in the events `status` and `refused`. */
import type { ErrorCode, Language } from './contract/index.ts';
import { connectionTexts } from './texts.ts';

/** What the server refused, by its code; or what ended on this side: `closed`, `timeout`. */
export type CommandErrorCode = ErrorCode | keyof typeof connectionTexts;

/** A command or connection that failed. `message` is fit to be shown; `details` names the offending fields of an `invalid`. */
export class CommandError extends Error {
  readonly code: CommandErrorCode;
  readonly details: unknown;

  constructor(code: CommandErrorCode, message: string, details?: unknown) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
    this.details = details;
  }
}

/** An error that arose on this side of the wire. */
export function localError(code: keyof typeof connectionTexts, language: Language = 'en'): CommandError {
  return new CommandError(code, connectionTexts[code][language]);
}
