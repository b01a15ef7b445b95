/** So many a second, and so many at once: what one socket may do, counted where it is and kept nowhere. */

/** `burst` at once, and from then on `perSecond`. */
export type FlowAllowance = { readonly perSecond: number; readonly burst: number };

export type Flow = {
  /** Takes `n` and answers whether there was room for it; what finds no room is not counted. `now` in ms, never going back. */
  take(now: number, n?: number): boolean;
};

export function createFlow({ perSecond, burst }: FlowAllowance): Flow {
  let used = 0;
  let at = 0;
  return {
    take(now, n = 1) {
      used = Math.max(0, used - ((now - at) * perSecond) / 1000);
      at = now;
      if (used + n > burst) return false;
      used += n;
      return true;
    },
  };
}
