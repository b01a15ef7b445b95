/** The ends of contact windows: found by the time of the contact, so that a changed setting holds at once. */
import type { Settings } from '../../client-sdk/contract/index.ts';
import { buyerKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';

const script = loadScript('cool', ['hot', 'warm'], ['now', 'line', 'hotMs', 'warmMs']);

export type Windows = Settings['contactWindows'];
/** Contacts whose hot window runs, or those that have cooled and whose warm window runs. */
export type ContactLine = 'hot' | 'warm';
export type Contact = { readonly buyer: string; readonly agent: string };

/**
 * Contacts whose window seems to have ended, longest ago first, as `<buyer>:<agent>`. The windows are inclusive: a
 * contact is hot at exactly `hotMs`. `now` in ms.
 */
export function dueContacts(
  scope: Scope,
  line: ContactLine,
  windows: Windows,
  now: number,
  limit: number,
): Promise<string[]> {
  const before = now - (line === 'hot' ? windows.hotMs : windows.warmMs);
  return scope.redis.zrangebyscore(scope.keys[line], '-inf', `(${before}`, 'LIMIT', 0, limit);
}

/** Ends the windows of contacts found by `dueContacts`; answers those that have really ended, each once. */
export async function coolContacts(
  scope: Scope,
  line: ContactLine,
  contacts: readonly string[],
  windows: Windows,
  now: number,
): Promise<Contact[]> {
  const parts = contacts.map((contact) => contact.split(':') as [string, string]);
  const buyers = parts.map(([buyer]) => buyerKey(scope.keys, buyer));
  const ended = await run(scope.redis, script, scope.keys, { now, line, ...windows }, buyers, contacts);
  return ended.map((contact) => {
    const [buyer = '', agent = ''] = String(contact).split(':');
    return { buyer, agent };
  });
}
