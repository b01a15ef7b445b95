/**
 * What is due in a shop: grace that has ended, conversations whose holder has left, places that came free for the queue,
 * people on duty for the pool and for what came in overnight. Each step is one claim that checks the state again, so a
 * sweep that runs late, twice or beside another is harmless.
 */

import { isNight } from '../plan/night.ts';
import type { ClaimMode } from '../store/claim.ts';
import { changePresence } from '../store/presence.ts';
import { dueAgain, readConversation, waitingIn, whatWaits } from '../store/read.ts';
import { dispatchAgain } from './dispatch.ts';
import type { House } from './house.ts';
import { endLongWaits } from './queue.ts';
import { tellEffects } from './told.ts';
import type { Turn } from './turn.ts';

/** Steps of one line in a turn: about half a second's. */
const STEPS = 500;

async function first(house: House, shop: string, line: 'queue' | 'pool' | 'overnight' | 'todo') {
  const { scope } = await house.configs.get(shop);
  const [id] = line === 'todo' ? await dueAgain(scope, 1) : await waitingIn(scope, line, 1);
  return id === undefined ? undefined : readConversation(scope, id);
}

/** Serves one line from its head until somebody has to stay. Answers true where it stopped before, at the turn's bound. */
async function serve(
  house: House,
  shop: string,
  line: 'queue' | 'pool' | 'overnight' | 'todo',
  mode: Exclude<ClaimMode, 'open' | 'human' | 'missed' | 'leave'>,
  now: number,
  limit?: number,
): Promise<boolean> {
  let last = '';
  for (let steps = 0; steps < STEPS; steps++) {
    const record = await first(house, shop, line);
    if (!record) return false;
    const seen = `${record.conversation.id}.${record.request}`;
    if (seen === last) return false; // nothing came of it: not again in this sweep
    last = seen;
    const claimed = await dispatchAgain(house, shop, { mode, record, ...(limit === undefined ? {} : { limit }) }, now);
    if (claimed.kind === 'still') return false;
  }
  return true;
}

/**
 * One turn. A line that is not through keeps those after it for the next turn: whoever is served first stays first.
 * `now` in ms since the epoch. Throws what Redis throws; what was done until then stays done.
 */
export async function sweep(house: House, shop: string, now: number): Promise<Turn> {
  const { config, scope } = await house.configs.fresh(shop);
  const waiting = await whatWaits(scope, now);
  if (waiting.lapse) {
    const lapsed = await house.configs.use(shop, (at) => changePresence(at.scope, { change: 'lapse' }, now));
    if (lapsed.kind === 'done') tellEffects(house, shop, lapsed);
  }
  const left = waiting.lapse || waiting.todo;
  if (left && (await serve(house, shop, 'todo', 'again', now))) return { more: true };
  // Whoever was left may wait anywhere now.
  if (left || waiting.queue) {
    if (await serve(house, shop, 'queue', 'queue', now)) return { more: true };
    if (await endLongWaits(house, shop, now)) return { more: true };
  }
  const { nightShift, handoverLimit, busyThreshold, leaveMessage } = config.settings;
  const limit = Math.max(1, handoverLimit ?? busyThreshold);
  const morning = !nightShift.enabled || !isNight(config.settings, now);
  if (morning && (left || waiting.overnight)) {
    if (await serve(house, shop, 'overnight', 'morning', now, limit)) return { more: true };
  }
  if (leaveMessage.autoAssign && (left || waiting.queue || waiting.pool)) {
    return { more: await serve(house, shop, 'pool', 'pool', now, limit) };
  }
  return { more: false };
}
