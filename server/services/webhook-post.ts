/** One POST to a URL that somebody else has chosen: to public addresses only, without redirects, limited in time and size. */
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { AddressRefused, isPublicAddress, publicLookup } from './public-address.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 256 * 1024;

/** An attempt that failed. Its message is shown to the shop: it never carries what anybody wrote. */
export class DeliveryFailed extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'DeliveryFailed';
  }
}

/** Answers the body of a 2xx, as text. Throws `DeliveryFailed` for anything else. */
export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<string>;

export type PostOptions = {
  /** Addresses of our own network too: for development, and where the receivers are beside us. */
  readonly privateAddresses: boolean;
  /** For the whole exchange; 10 s unless said. */
  readonly timeoutMs?: number;
};

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error instanceof AddressRefused) return error.message;
  return `no connection, or it broke${error.code ? ` (${error.code})` : ''}`;
}

function textOf(response: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) reject(new DeliveryFailed(`the answer is over ${MAX_ANSWER_BYTES / 1024} KB`));
      else chunks.push(chunk);
    });
    response.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    response.once('error', reject);
  });
}

export function createPost({ privateAddresses, timeoutMs = TIMEOUT_MS }: PostOptions): Post {
  return async (url, headers, body) => {
    const target = new URL(url);
    // Sockets look up names only.
    const literal = target.hostname.replace(/^\[|\]$/g, '');
    if (!privateAddresses && isIP(literal) > 0 && !isPublicAddress(literal)) {
      throw new DeliveryFailed(new AddressRefused().message);
    }
    const signal = AbortSignal.timeout(timeoutMs);
    const { request } = target.protocol === 'https:' ? https : http;
    const sending = request(target, {
      method: 'POST',
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
      // A connection of its own: one that was kept open would not be looked up again.
      agent: false,
      signal,
      ...(privateAddresses ? {} : { lookup: publicLookup }),
    });
    try {
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        sending.once('response', resolve);
        sending.on('error', reject);
        sending.end(body);
      });
      const { statusCode: status = 0 } = response;
      if (status >= 300 && status < 400) throw new DeliveryFailed(`answered ${status}; redirects are not followed`);
      if (status < 200 || status >= 300) throw new DeliveryFailed(`answered ${status}`);
      return await textOf(response);
    } catch (error) {
      if (error instanceof DeliveryFailed) throw error;
      if (signal.aborted) throw new DeliveryFailed(`no answer within ${timeoutMs} ms`);
      throw new DeliveryFailed(reasonOf(error as NodeJS.ErrnoException));
    } finally {
      sending.destroy();
    }
  };
}
