/** When something that lasts is looked at again. Pure. */

/**
 * True if what has lasted since `since` has completed one more period of `every` between `before` and `now`: so it is
 * noticed once a period, however late or often somebody looks. A period of 0 never ends. All in ms.
 */
export function completes(since: number, every: number, before: number, now: number): boolean {
  if (every <= 0) return false;
  return Math.floor((now - since) / every) > Math.max(0, Math.floor((before - since) / every));
}
