/** An agent's session: logging in, going on for as long as it is refreshed, logging out. */
import { CommandError } from './command-error.ts';
import type { Agent, Language } from './contract/index.ts';
import { createRenewing, renewalOf } from './renewing.ts';
import { type RestCall, restAt } from './rest-call.ts';

/** What a page may keep of a session, to go on with it after a reload. It is as secret as a password. */
export type KeptSession = {
  readonly shop: string;
  readonly agent: Agent;
  readonly token: string;
  readonly refreshToken: string;
  /** When the token is to be renewed, in ms by this machine's clock. */
  readonly renewAt: number;
};

export type SessionOptions = {
  /** Where the server is. */
  readonly url: string;
  /** Told what is to be kept in place of what was before; `undefined` when the session is over. */
  readonly onChange?: (kept: KeptSession | undefined) => void;
  /** The language of errors. Default `en`. */
  readonly language?: Language;
  /** How REST is called; with `fetch` unless said. */
  readonly rest?: RestCall;
};

export type Session = {
  readonly shop: string;
  readonly agent: Agent;
  /** For `getToken` of an `AgentClient`, and for REST. Rejects as `unauthorized` once the session is over. */
  getToken(refused?: string): Promise<string>;
  /** Ends the session on the server, and with it its connections. */
  logOut(): Promise<void>;
  /** Refreshes it no more; on the server it lasts until it expires. */
  stop(): void;
};

type Answer = Omit<KeptSession, 'shop' | 'renewAt'>;

const keep = (shop: string, { agent, token, refreshToken }: Answer): KeptSession => ({
  ...{ shop, agent, token, refreshToken },
  renewAt: renewalOf(token),
});

/** Goes on with a session that was kept. */
export function resumeSession(first: KeptSession, options: SessionOptions): Session {
  const rest = options.rest ?? restAt(options.url, () => options.language ?? 'en');
  const { shop } = first;
  const renewing = createRenewing({
    first,
    onChange: options.onChange,
    renew: async ({ refreshToken }) =>
      keep(shop, await rest<Answer>('/sessions/refresh', { method: 'POST', body: { shop, refreshToken } })),
  });
  return {
    shop,
    get agent() {
      return renewing.kept.agent;
    },
    getToken: renewing.getToken,
    async logOut() {
      try {
        await rest('/sessions', { method: 'DELETE', token: await renewing.getToken() });
      } catch (error) {
        // It was over already.
        if (!(error instanceof CommandError && error.code === 'unauthorized')) throw error;
      } finally {
        renewing.stop();
        options.onChange?.(undefined);
      }
    },
    stop: renewing.stop,
  };
}

/** Logs in. Rejects with a `CommandError`: `unauthorized` where shop, account or password is wrong. */
export async function logIn({
  shop,
  agent,
  password,
  ...options
}: SessionOptions & { readonly shop: string; readonly agent: string; readonly password: string }): Promise<Session> {
  const rest = options.rest ?? restAt(options.url, () => options.language ?? 'en');
  const kept = keep(shop, await rest<Answer>('/sessions', { method: 'POST', body: { shop, agent, password } }));
  options.onChange?.(kept);
  return resumeSession(kept, options);
}
