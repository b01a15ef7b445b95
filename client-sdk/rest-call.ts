/** REST calls of the SDK. What the server refuses is thrown as the same error that the sockets give. */
import { CommandError, type CommandErrorCode } from './command-error.ts';
import type { Language } from './contract/index.ts';
import { restTexts } from './texts.ts';

export type Asked = {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly token?: string;
  readonly body?: object;
};

/** Calls a path of the API and answers its JSON. Throws a `CommandError`, `unavailable` where nobody answers. */
export type RestCall = <T>(path: string, asked?: Asked) => Promise<T>;

/** How long the server may take to answer, in ms. */
const PATIENCE_MS = 20_000;

type Refused = { error?: { code: CommandErrorCode; message: string; details?: unknown } };

/** Calls the server at `url`; refusals are in the language that holds when they come. */
export function restAt(url: string, language: () => Language = () => 'en', below = '/api/v1'): RestCall {
  return async <T>(path: string, { method = 'GET', token, body }: Asked = {}) => {
    let response: Response;
    let answer: T & Refused;
    try {
      response = await fetch(new URL(below + path, url), {
        method,
        headers: {
          'accept-language': language(),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      answer = (await response.json()) as T & Refused;
    } catch {
      throw new CommandError('unavailable', restTexts.unreachable[language()]);
    }
    if (response.ok) return answer;
    const { code = 'unavailable', message = restTexts.unreachable[language()], details } = answer.error ?? {};
    throw new CommandError(code, message, details);
  };
}
