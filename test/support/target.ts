/** Where a test's Redis is: a URL, or whatever the server itself takes. */
import type { RedisTarget } from '../../server/store/connect.ts';

export type At = string | RedisTarget;

export const targetOf = (at: At): RedisTarget => (typeof at === 'string' ? { url: at } : at);
