/** When something that lasts is looked at again. Pure. */
import type { Settings } from '../../client-sdk/contract/index.ts';

/** What lasts longer than so many of its periods is past hope: it is noticed no more. This bounds what a look costs. */
export const PERIODS = 100;

/** What a shop's rules on replies wait for, each in ms; 0 for a rule that it does not have. */
export type Periods = Readonly<Record<'slow' | 'hangUp' | 'reassign', number>>;

/** When somebody looked, in ms, and the periods they went by. */
export type Look = { readonly at: number; readonly periods: Periods };

/** Times of beginning: later than `after` and not later than `until`, in ms. */
export type Beginnings = { readonly after: number; readonly until: number };

export function periodsOf({ slowReplyMs, reassignAfterMs, autoHangUp }: Settings): Periods {
  return { slow: slowReplyMs, hangUp: autoHangUp.afterNoReplyMs ?? 0, reassign: reassignAfterMs ?? 0 };
}

/** The shortest of the periods, in ms; `undefined` where there is none. */
export function shortestOf(periods: Periods): number | undefined {
  const some = Object.values(periods).filter((ms) => ms > 0);
  return some.length === 0 ? undefined : Math.min(...some);
}

/**
 * When somebody last looked by the period that a rule has now, in ms. Never (`-Infinity`) where it was another: so a
 * changed period holds at once for what has lasted it already, and only once.
 */
export function lookedBy(look: Look | undefined, rule: keyof Periods, periods: Periods): number {
  return look?.periods[rule] === periods[rule] ? look.at : Number.NEGATIVE_INFINITY;
}

/**
 * True if what has lasted since `since` has completed one more of its first `PERIODS` periods of `every` between `before`
 * and `now`: so it is noticed once a period, however late or often somebody looks. A period of 0 never ends. All in ms.
 */
export function completes(since: number, every: number, before: number, now: number): boolean {
  if (every <= 0) return false;
  return Math.min(PERIODS, Math.floor((now - since) / every)) > Math.max(0, Math.floor((before - since) / every));
}

/**
 * Where to look for what `completes`, if nothing began before `oldest`: one range for each period that may have ended, the
 * longest ago first; a single one if nobody has looked for a period or longer. All in ms.
 */
export function whereDue(every: number, before: number, now: number, oldest: number): Beginnings[] {
  if (every <= 0 || now <= before) return [];
  const most = Math.min(PERIODS, Math.floor((now - oldest) / every));
  if (most < 1) return [];
  if (now - before >= every) return [{ after: before - most * every, until: now - every }];
  return Array.from({ length: most }, (_, i) => {
    const lasted = (most - i) * every;
    return { after: before - lasted, until: now - lasted };
  });
}
