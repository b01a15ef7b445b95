/** REST calls of the page. What the server refuses is thrown as the same error that the sockets give. */
import { CommandError, type CommandErrorCode } from '../command-error.ts';
import { pageTexts } from '../texts.ts';
import { inPageLanguage, languageTag } from './language.ts';

export type Asked = { readonly method?: 'GET' | 'POST'; readonly token?: string; readonly body?: object };

type Refused = { error?: { code: CommandErrorCode; message: string; details?: unknown } };

/** Calls a path of the server and answers its JSON. Throws a `CommandError` whose message can be shown. */
export async function call<T>(path: string, { method = 'GET', token, body }: Asked = {}): Promise<T> {
  let response: Response;
  let answer: T & Refused;
  try {
    response = await fetch(path, {
      method,
      headers: {
        'accept-language': languageTag(),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    answer = (await response.json()) as T & Refused;
  } catch {
    throw new CommandError('unavailable', inPageLanguage(pageTexts.unreachable));
  }
  if (response.ok) return answer;
  const { code = 'internal', message = inPageLanguage(pageTexts.unreachable), details } = answer.error ?? {};
  throw new CommandError(code, message, details);
}
