/** When it is night in a shop, and which night: by the wall clock of the shop's own time zone. */
import type { Settings } from '../contract/index.ts';

/** What the shop's settings say about its nights. */
export type Hours = Pick<Settings, 'timezone' | 'nightShift'>;

/**
 * A stretch of time within which nothing is said twice: one night, or the day before one. `morning` is the date of the
 * next end of the window, as `YYYY-MM-DD` in the shop's zone.
 */
export type Stretch = { readonly night: boolean; readonly morning: string };

/** How long the settings are believed before they are read again, in ms. */
export const REREAD_MS = 5 * 60_000;
/** When they could not be read again, the next attempt is this much later, in ms. */
const ASK_AGAIN_MS = 30_000;

function minutesIn(clock: string): number {
  const [hours, minutes] = clock.split(':');
  return Number(hours) * 60 + Number(minutes);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known) return known;
  const digits = '2-digit';
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    year: 'numeric',
    month: digits,
    day: digits,
    hour: digits,
    minute: digits,
    hourCycle: 'h23',
  });
  formats.set(timezone, format);
  return format;
}

/**
 * The stretch that `at` (ms since the epoch) belongs to. The window goes from `from` (inclusive) until `until`
 * (exclusive), over midnight where `from` is the later, and is the whole day where they are equal: the server's rule.
 */
export function stretchAt({ timezone, nightShift }: Hours, at: number): Stretch {
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(timezone).formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
  const clock = hour * 60 + minute;
  const [from, until] = [minutesIn(nightShift.from), minutesIn(nightShift.until)];
  const night = from < until ? clock >= from && clock < until : clock >= from || clock < until;
  const morning = new Date(Date.UTC(year, month - 1, clock < until ? day : day + 1));
  return { night, morning: morning.toISOString().slice(0, 10) };
}

/** The time of day at which the shop opens, as one says it: `8:00`. */
export function opensAt({ nightShift }: Hours): string {
  return nightShift.until.replace(/^0/, '');
}

/**
 * The hours as they were read at most five minutes ago, or, where the server cannot say, as they were known last.
 * Rejects as `read` does while they have never been read.
 */
export function createHours(
  read: () => Promise<Hours>,
  now: () => number,
  notRead: (error: unknown) => void,
): () => Promise<Hours> {
  let known: Hours | undefined;
  let due = 0;
  let reading: Promise<Hours> | undefined;

  async function readAgain(): Promise<Hours> {
    try {
      known = await read();
      due = now() + REREAD_MS;
      return known;
    } catch (error) {
      if (!known) throw error;
      due = now() + ASK_AGAIN_MS;
      notRead(error);
      return known;
    } finally {
      reading = undefined;
    }
  }

  return async () => {
    if (known && now() < due) return known;
    reading ??= readAgain();
    return reading;
  };
}
