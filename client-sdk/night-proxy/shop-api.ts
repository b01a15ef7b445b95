/** What the night proxy asks of the REST side: a session, and the shop's hours. */
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { type ErrorCode, errorCatalogue, failure, routes, settings } from '../contract/index.ts';
import type { Asked, RestCall } from '../rest-call.ts';
import { logIn, type Session } from '../session.ts';
import type { Hours } from './hours.ts';
import type { Rules } from './rules.ts';

/** All calls reject with a `CommandError`: `unavailable` where the server cannot be reached. */
export type ShopApi = {
  /**
   * A token that the server takes; `refused` is one that it does not. Logs in where there is no session, or it is over.
   * In place of a token that was given there is no other.
   */
  token(refused?: string): Promise<string>;
  hours(): Promise<Hours>;
};

/** How long the server may take to answer, in ms. */
const PATIENCE_MS = 10_000;

/** The part of the settings that is needed; a newer server may have more of them. */
const hoursAnswer = z.object({
  timezone: settings.shape.timezone,
  nightShift: z.object(settings.shape.nightShift.shape),
});

/** A server that is not ours, or one behind a balancer that has none to pass on to, answers without a code. */
function codeFor(status: number): ErrorCode {
  if (status >= 500) return 'unavailable';
  const codes = Object.keys(errorCatalogue) as ErrorCode[];
  return codes.find((code) => errorCatalogue[code].status === status) ?? 'invalid';
}

function reasonOf(error: unknown): string {
  const { name, cause } = error as Error;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? name;
}

export function createShopApi({
  url,
  shop,
  agent,
  credential,
}: Pick<Rules, 'url' | 'shop' | 'agent' | 'credential'>): ShopApi {
  let loggedIn: Promise<Session> | undefined;

  async function call<T>(path: string, answer: z.ZodType<T>, init: RequestInit): Promise<T> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(new URL(`/api/v1${path}`, url), { ...init, signal }).catch((error) => {
      throw new CommandError('unavailable', `${url} does not answer (${reasonOf(error)})`);
    });
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      const said = z.object({ error: failure }).safeParse(body).data?.error;
      if (said) throw new CommandError(said.code, said.message, said.details);
      throw new CommandError(
        codeFor(response.status),
        `${url} answered ${response.status}, which Fenliu would explain`,
      );
    }
    const parsed = answer.safeParse(body);
    if (!parsed.success)
      throw new CommandError('invalid', `What ${url} answers is not what Fenliu answers; check url.`);
    return parsed.data;
  }

  /** The session's own calls, checked like ours. */
  const rest: RestCall = async <T>(path: string, { method = 'GET', token: as, body }: Asked = {}) =>
    (await call<unknown>(path, method === 'POST' ? routes.createSession.answer : z.unknown(), {
      method,
      headers: {
        ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })) as T;

  function session(password: string): Promise<Session> {
    if (loggedIn) return loggedIn;
    const begun = logIn({ url, shop, agent, password, rest });
    loggedIn = begun;
    begun.catch(() => {
      if (loggedIn === begun) loggedIn = undefined;
    });
    return begun;
  }

  async function token(refused?: string): Promise<string> {
    if (!('password' in credential)) {
      if (credential.token === refused) throw new CommandError('unauthorized', errorCatalogue.unauthorized.en);
      return credential.token;
    }
    const { password } = credential;
    const present = session(password);
    const begun = await present;
    try {
      return await begun.getToken(refused);
    } catch (error) {
      // Somebody has ended it, or it has expired: the password still serves.
      if (!(error instanceof CommandError && error.code === 'unauthorized')) throw error;
      if (loggedIn === present) loggedIn = undefined;
    }
    return (await session(password)).getToken();
  }

  async function hours(): Promise<Hours> {
    const ask = (as: string) =>
      call(`/shops/${shop}/settings`, hoursAnswer, { headers: { authorization: `Bearer ${as}` } });
    const used = await token();
    try {
      return await ask(used);
    } catch (error) {
      if (!(error instanceof CommandError && error.code === 'unauthorized')) throw error;
      return ask(await token(used));
    }
  }

  return { token, hours };
}
