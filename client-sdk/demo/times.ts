/** Times of day and lengths of time as the page's language writes them. */
import { languageTag } from './language.ts';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** A length of time in its largest unit, rounded down: `3 min`. `ms` below zero, from clocks that differ, counts as none. */
export function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? (['second', 1_000] as const);
  const format = new Intl.NumberFormat(languageTag(), { style: 'unit', unit, unitDisplay: 'short' });
  return format.format(Math.max(0, Math.floor(ms / size)));
}

/** The time of day of `at` (ms since the epoch), with the date unless it is today. */
export function timeOfDay(at: number): string {
  const today = new Date(at).toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(languageTag(), {
    ...(today ? {} : { month: 'short', day: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(at);
}
