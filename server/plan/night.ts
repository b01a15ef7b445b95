/** Whether it is night in a shop: wall-clock time in the shop's zone, so that summer time needs no rule of its own. */
import type { Settings } from '../../client-sdk/contract/index.ts';

const MINUTE = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Minutes since midnight that a clock on the shop's wall shows. `now` in ms since the epoch. */
export function minutesOfDay(timezone: string, now: number): number {
  let format = formats.get(timezone);
  if (!format) {
    format = new Intl.DateTimeFormat('en', {
      timeZone: timezone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(timezone, format);
  }
  const [hours, minutes] = format.format(now).split(':');
  return Number(hours) * 60 + Number(minutes);
}

function minutesIn(clock: string): number {
  const [hours, minutes] = clock.split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** One answer is good for the minute it was asked in: the wall clock turns on the minute, in every zone. */
const memo = new WeakMap<Settings, { minute: number; night: boolean }>();

/**
 * True from `from` (inclusive) until `until` (exclusive), over midnight where `from` is the later of the two; the whole
 * day where they are equal. `now` in ms since the epoch.
 */
export function isNight(settings: Settings, now: number): boolean {
  const minute = Math.floor(now / MINUTE);
  const known = memo.get(settings);
  if (known?.minute === minute) return known.night;
  const at = minutesOfDay(settings.timezone, now);
  const from = minutesIn(settings.nightShift.from);
  const until = minutesIn(settings.nightShift.until);
  const night = from < until ? at >= from && at < until : at >= from || at < until;
  memo.set(settings, { minute, night });
  return night;
}
