/** What the headers of a request say about who sends it, and in which language they want to be refused. */
import type { Request } from 'express';
import { type Language, Refusal } from '../../../client-sdk/contract/index.ts';

/** The bearer credential, `undefined` if none is sent. Throws `unauthorized` for a header that is anything else. */
export function bearerOf(request: Request): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const credential = /^bearer +([^\s]+) *$/i.exec(header)?.[1];
  if (credential === undefined) {
    throw new Refusal('unauthorized', 'The Authorization header must be: Bearer, a space, and a token or key.');
  }
  return credential;
}

/** The password of HTTP Basic whatever the user's name, or a bearer credential; `undefined` if neither is sent. */
export function passwordOf(request: Request): string | undefined {
  const basic = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic === undefined) return bearerOf(request);
  const named = Buffer.from(basic, 'base64').toString();
  return named.slice(named.indexOf(':') + 1);
}

/** Chinese if the client prefers it to English. */
export function languageOf(request: Request): Language {
  return request.acceptsLanguages('en', 'zh') === 'zh' ? 'zh' : 'en';
}
