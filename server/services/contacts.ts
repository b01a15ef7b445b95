/** The ends of contact windows. A decision never waits for this: it compares times itself. */
import { type ContactLine, coolContacts, dueContacts } from '../store/contacts.ts';
import type { House } from './house.ts';

/** Contacts in one script: few enough that Redis is not kept from others for long … */
const IN_ONE = 100;
/** … and so many of them on their way at once. */
const AT_ONCE = 5;

const events = { hot: 'contact:cooled', warm: 'contact:expired' } as const;

async function endWindows(house: House, shop: string, line: ContactLine, now: number): Promise<number> {
  let count = 0;
  for (;;) {
    const { config, scope } = await house.configs.fresh(shop);
    const windows = config.settings.contactWindows;
    const due = await dueContacts(scope, line, windows, now, IN_ONE * AT_ONCE);
    const batches = Array.from({ length: Math.ceil(due.length / IN_ONE) }, (_, i) =>
      due.slice(i * IN_ONE, (i + 1) * IN_ONE),
    );
    const ended = await Promise.all(batches.map((batch) => coolContacts(scope, line, batch, windows, now)));
    for (const { agent, buyer } of ended.flat()) house.tell.agent(shop, agent, events[line], { buyer });
    count += due.length;
    if (due.length < IN_ONE * AT_ONCE) return count;
  }
}

/**
 * Tells agents whose contacts have cooled, then whose have expired; the expired are forgotten. Answers how many entries
 * were looked at. `now` in ms.
 */
export async function sweepContacts(house: House, shop: string, now: number): Promise<number> {
  return (await endWindows(house, shop, 'hot', now)) + (await endWindows(house, shop, 'warm', now));
}
