/** What the night proxy asks of the REST side: a session, and the shop's hours. */
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { type ErrorCode, errorCatalogue, failure, routes, settings } from '../contract/index.ts';
import type { Hours } from './hours.ts';
import type { Rules } from './rules.ts';

/** All calls reject with a `CommandError`: `unavailable` where the server cannot be reached. */
export type ShopApi = {
  /** The session's token; logs in where there is none. */
  token(): Promise<string>;
  /** The server does not take this token any more: `token` logs in again. A token that was given stays what it is. */
  refused(token: string): void;
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
  let kept: string | undefined = 'token' in credential ? credential.token : undefined;
  let loggingIn: Promise<string> | undefined;

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

  async function logIn(password: string): Promise<string> {
    try {
      const { token } = await call('/sessions', routes.createSession.answer, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ shop, agent, password }),
      });
      kept = token;
      return token;
    } finally {
      loggingIn = undefined;
    }
  }

  async function token(): Promise<string> {
    if (kept !== undefined) return kept;
    if (!('password' in credential)) throw new CommandError('unauthorized', errorCatalogue.unauthorized.en);
    loggingIn ??= logIn(credential.password);
    return loggingIn;
  }

  function refused(old: string): void {
    if (kept === old && 'password' in credential) kept = undefined;
  }

  async function hours(): Promise<Hours> {
    const ask = (as: string) =>
      call(`/shops/${shop}/settings`, hoursAnswer, { headers: { authorization: `Bearer ${as}` } });
    const used = await token();
    try {
      return await ask(used);
    } catch (error) {
      if (!(error instanceof CommandError && error.code === 'unauthorized' && 'password' in credential)) throw error;
      refused(used);
      return ask(await token());
    }
  }

  return { token, refused, hours };
}
