/** Where a request came from: the address of its client, and the page that made it. */
import type { IncomingMessage } from 'node:http';
import type { Page } from '../services/origins.ts';

type Heard = Pick<IncomingMessage, 'headers'> & { readonly socket: { readonly remoteAddress?: string | undefined } };

const lastly = (header: string | string[] | undefined) => (Array.isArray(header) ? header.join(',') : (header ?? ''));

/**
 * The address of the client. So many proxies in front of us as `trustProxy` says are believed about it, none beyond: what a
 * client itself writes into X-Forwarded-For stands further left.
 */
export function addressOf({ headers, socket }: Heard, trustProxy: number): string {
  const forwarded = lastly(headers['x-forwarded-for']).split(',').filter(Boolean).reverse();
  const line = [socket.remoteAddress ?? '', ...forwarded.map((address) => address.trim())];
  return line[Math.min(trustProxy, line.length - 1)] ?? '';
}

/** The name under which the client asked for us; a proxy that is believed says what it was in front of it. */
function hostOf({ headers }: Heard, trustProxy: number): string {
  const forwarded = trustProxy > 0 ? lastly(headers['x-forwarded-host']).split(',')[0]?.trim() : '';
  return (forwarded || headers.host || '').toLowerCase();
}

/**
 * The page of a request, `undefined` where none is named: programs name none, and neither do browsers where a page reads from
 * where it came from. TLS may end in front of us, so only the name and the port are compared to tell a page of our own.
 */
export function pageOf(request: Heard, trustProxy: number): Page | undefined {
  const { origin } = request.headers;
  if (origin === undefined) return undefined;
  const host = hostOf(request, trustProxy);
  const page = URL.canParse(origin) ? new URL(origin) : undefined;
  const usual = page?.protocol === 'https:' ? ':443' : ':80';
  const own = page !== undefined && page.host !== '' && (page.host === host || page.host + usual === host);
  return { origin, own };
}
