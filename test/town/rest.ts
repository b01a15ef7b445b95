/** REST as a shop's own programs use it: a call that could not be answered just now is made again. */
import { pause } from './ledger.ts';

const SOON_MS = 200;

export type Rest = {
  /** Calls a path below /api/v1 with this key. Throws what is refused. */
  // biome-ignore lint/suspicious/noExplicitAny: the answer is whatever the caller expects it to be
  call(method: string, path: string, key: string, body?: object): Promise<any>;
};

/** A call through the balancer at `url`. Every call of the town is made so that making it twice does no harm. */
export function restAt(url: string): Rest {
  return {
    async call(method, path, key, body) {
      for (;;) {
        const response = await fetch(`${url}/api/v1/${path}`, {
          method,
          headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
          ...(body ? { body: JSON.stringify(body) } : {}),
        }).catch(() => undefined);
        // A node that dies while it answers breaks off in the middle.
        const answer = await response?.json().catch(() => undefined);
        if (response?.ok && answer !== undefined) return answer;
        const passes = response === undefined || answer === undefined || [429, 503].includes(response.status);
        if (!passes) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
        await pause(SOON_MS);
      }
    },
  };
}
