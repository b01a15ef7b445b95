/** A buyer whose tokens the server signs: an anonymous visitor, or somebody whom the shop's back end has got a token for. */
import type { Language } from './contract/index.ts';
import { createRenewing, renewalOf } from './renewing.ts';
import { type RestCall, restAt } from './rest-call.ts';

/** What a page may keep, to go on as the same buyer after a reload. */
export type KeptVisitor = {
  readonly buyer: string;
  readonly token: string;
  /** When the token is to be renewed, in ms by this machine's clock. */
  readonly renewAt?: number;
};

export type VisitorOptions = {
  /** Where the server is. */
  readonly url: string;
  readonly shop: string;
  /** Who they were before, or are; without it a new visitor is made. */
  readonly kept?: KeptVisitor | undefined;
  /** Told what is to be kept in place of what was before; `undefined` when its tokens are not taken any more. */
  readonly onChange?: (kept: KeptVisitor | undefined) => void;
  /** The language of errors. Default `en`. */
  readonly language?: Language;
  /** How REST is called; with `fetch` unless said. */
  readonly rest?: RestCall;
};

export type Visitor = {
  readonly buyer: string;
  /** For `getToken` of a `BuyerClient`. Rejects as `unauthorized` once its tokens are not taken any more. */
  getToken(refused?: string): Promise<string>;
  /** Renews the token no more. */
  stop(): void;
};

/** Goes on as a buyer, or makes a new visitor. Rejects with a `CommandError`. */
export async function visitor({ shop, kept, onChange, ...options }: VisitorOptions): Promise<Visitor> {
  const rest = options.rest ?? restAt(options.url, () => options.language ?? 'en');
  const ask = async (path: string, token?: string) => {
    const made = await rest<KeptVisitor>(`/shops/${shop}/${path}`, { method: 'POST', ...(token && { token }) });
    return { buyer: made.buyer, token: made.token, renewAt: renewalOf(made.token) };
  };
  const first = kept ? { ...kept, renewAt: kept.renewAt ?? renewalOf(kept.token) } : await ask('visitors');
  if (first.renewAt !== kept?.renewAt) onChange?.(first);
  const renewing = createRenewing({ first, onChange, renew: ({ token }) => ask('visitors/refresh', token) });
  return { buyer: first.buyer, getToken: renewing.getToken, stop: renewing.stop };
}
