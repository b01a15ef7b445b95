/**
 * Nights worked out on paper: the offsets of four zones in 2026 are written down by hand, and a night is a stretch of real
 * time. Nothing here asks the system what a clock shows, which is what the dispatcher does.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Minutes east of Greenwich from `since` on, an ISO time; in order. */
type Offset = readonly [since: string, minutesEast: number];

/** As the zones' authorities announced them; each list begins before the year and its last entry holds beyond it. */
export const zones = {
  'Asia/Shanghai': [['2025-12-01T00:00Z', 480]],
  'Europe/Berlin': [
    ['2025-12-01T00:00Z', 60],
    // On 29 March at 02:00 it is 03:00, on 25 October at 03:00 it is 02:00.
    ['2026-03-29T01:00Z', 120],
    ['2026-10-25T01:00Z', 60],
  ],
  'America/New_York': [
    ['2025-12-01T00:00Z', -300],
    // On 8 March at 02:00 it is 03:00, on 1 November at 02:00 it is 01:00.
    ['2026-03-08T07:00Z', -240],
    ['2026-11-01T06:00Z', -300],
  ],
  'Australia/Lord_Howe': [
    ['2025-12-01T00:00Z', 660],
    // By half an hour: on 5 April at 02:00 it is 01:30, on 4 October at 02:00 it is 02:30.
    ['2026-04-04T15:00Z', 630],
    ['2026-10-03T15:30Z', 660],
  ],
} as const satisfies Record<string, readonly Offset[]>;

export type Zone = keyof typeof zones;
export const zoneNames = Object.keys(zones) as Zone[];

/** Where the table ends, in ms; nights are known between `BEGIN` and `END`, with days to spare around 2026. */
const BEGIN = Date.UTC(2025, 11, 20);
const END = Date.UTC(2027, 0, 10);
export const YEAR = { from: Date.UTC(2026, 0, 1), until: Date.UTC(2027, 0, 1) } as const;

/** The moments in the year at which the clocks of a zone change, in ms. */
export const changesOf = (zone: Zone): number[] =>
  (zones[zone] as readonly Offset[]).slice(1).map(([since]) => Date.parse(since));

export type Window = { readonly from: string; readonly until: string };
/** From `begins`, inclusive, until `ends`, exclusive; in ms. */
export type Night = { readonly begins: number; readonly ends: number };

function sinceMidnight(clock: string): number {
  return (Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5))) * MINUTE;
}

/**
 * Every night of a window, in order. While an offset holds, a day of the wall is a day of real time moved by it; so each
 * stretch of one offset has its nights, cut off where the stretch ends. What touches is one night.
 */
export function nightsOf(zone: Zone, window: Window): Night[] {
  const offsets: readonly Offset[] = zones[zone];
  const from = sinceMidnight(window.from);
  const until = sinceMidnight(window.until);
  const lasts = until > from ? until - from : until - from + DAY;
  const nights: { begins: number; ends: number }[] = [];
  for (const [i, [since, minutesEast]] of offsets.entries()) {
    const begin = Math.max(BEGIN, Date.parse(since));
    const next = offsets[i + 1];
    const end = next ? Date.parse(next[0]) : END;
    // The midnight of a day early enough that its night, which may last a whole day, ends before the stretch begins.
    for (let midnight = BEGIN - 4 * DAY - minutesEast * MINUTE; midnight < end + DAY; midnight += DAY) {
      const begins = Math.max(begin, midnight + from);
      const ends = Math.min(end, midnight + from + lasts);
      if (begins >= ends) continue;
      const last = nights.at(-1);
      if (last && begins <= last.ends) last.ends = Math.max(last.ends, ends);
      else nights.push({ begins, ends });
    }
  }
  return nights;
}

/** Answers whether it is night at a moment; asked in order of time. */
export function nightWatch(nights: readonly Night[]): (now: number) => boolean {
  let turn = 0;
  return (now) => {
    while (turn < nights.length && now >= (nights[turn] as Night).ends) turn++;
    const night = nights[turn];
    return night !== undefined && now >= night.begins;
  };
}

/** The night that holds at a moment. Throws by day. */
export function nightAt(nights: readonly Night[], now: number): Night {
  const found = nights.find(({ begins, ends }) => begins <= now && now < ends);
  if (!found) throw new Error(`no night at ${new Date(now).toISOString()}`);
  return found;
}
