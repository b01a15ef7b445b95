/** Conversations in which nothing is said any more. */
import { idleSince } from '../store/read.ts';
import type { House } from './house.ts';
import { closeIfIdle } from './moves.ts';
import type { Turn } from './turn.ts';

/** How many are looked at together. */
const BATCH = 50;
/** … and how many in a turn. */
const IN_A_TURN = 1_000;

/** One turn: closes what is idle for the shop's `idleCloseMs`; 0 closes nothing. `now` in ms. */
export async function closeIdleConversations(house: House, shop: string, now: number): Promise<Turn> {
  for (let looked = 0; looked < IN_A_TURN; looked += BATCH) {
    const { config, scope } = await house.configs.fresh(shop);
    const { idleCloseMs } = config.settings;
    if (idleCloseMs === 0) return { more: false };
    const due = await idleSince(scope, now - idleCloseMs, BATCH);
    // Each is closed, or stands again at a later time: none is found twice.
    await Promise.all(due.map((id) => closeIfIdle(house, shop, id, now)));
    if (due.length < BATCH) return { more: false };
  }
  return { more: true };
}
