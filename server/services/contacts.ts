/** The ends of contact windows. A decision never waits for this: it compares times itself. */
import { type ContactLine, coolContacts, dueContacts } from '../store/contacts.ts';
import type { House } from './house.ts';
import type { Turn } from './turn.ts';

/** Contacts in one script: few enough that Redis is not kept from others for long … */
const IN_ONE = 100;
/** … and so many of them on their way at once. */
const AT_ONCE = 5;
/** Contacts of each window in a turn. */
const IN_A_TURN = 10_000;

/** How many entries were looked at, and whether there may be more. */
export type Swept = Turn & { readonly count: number };

const events = { hot: 'contact:cooled', warm: 'contact:expired' } as const;

async function endWindows(house: House, shop: string, line: ContactLine, now: number): Promise<Swept> {
  let count = 0;
  while (count < IN_A_TURN) {
    const { config, scope } = await house.configs.fresh(shop);
    const windows = config.settings.contactWindows;
    const due = await dueContacts(scope, line, windows, now, IN_ONE * AT_ONCE);
    const batches = Array.from({ length: Math.ceil(due.length / IN_ONE) }, (_, i) =>
      due.slice(i * IN_ONE, (i + 1) * IN_ONE),
    );
    const ended = await Promise.all(batches.map((batch) => coolContacts(scope, line, batch, windows, now)));
    for (const { agent, buyer } of ended.flat()) house.tell.agent(shop, agent, events[line], { buyer });
    count += due.length;
    if (due.length < IN_ONE * AT_ONCE) return { count, more: false };
  }
  return { count, more: true };
}

/**
 * One turn: tells agents whose contacts have cooled, then whose have expired; the expired are forgotten. `now` in ms.
 */
export async function sweepContacts(house: House, shop: string, now: number): Promise<Swept> {
  const hot = await endWindows(house, shop, 'hot', now);
  const warm = await endWindows(house, shop, 'warm', now);
  return { count: hot.count + warm.count, more: hot.more || warm.more };
}
