/** A year of nights in four zones, against nights worked out on paper. */
import { describe, expect, it } from 'vitest';
import { isNight } from '../../../server/plan/night.ts';
import { settingsOf } from '../../support/config.ts';
import { changesOf, nightsOf, nightWatch, type Window, YEAR, zoneNames } from '../../support/nights.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const windows: (Window & { readonly what: string })[] = [
  { what: 'up to the morning', from: '00:00', until: '08:00' },
  { what: 'over midnight', from: '22:00', until: '07:00' },
  { what: 'inside the hour that the clock leaves out or shows twice', from: '02:15', until: '02:45' },
  { what: 'inside the hour that New York shows twice', from: '01:10', until: '01:50' },
  { what: 'all day but one minute', from: '02:31', until: '02:30' },
  { what: 'the whole day', from: '09:30', until: '09:30' },
];

/** Moments of the year: every quarter of an hour, with the last millisecond before it. */
function* quarters(): Generator<number> {
  for (let at: number = YEAR.from; at < YEAR.until; at += 15 * MINUTE) {
    yield at - 1;
    yield at;
  }
}

/** Each minute of two days around each change of the clocks, with the last millisecond before it. */
function* minutesAround(changes: readonly number[]): Generator<number> {
  for (const change of changes) {
    for (let at = change - DAY; at <= change + DAY; at += MINUTE) {
      yield at - 1;
      yield at;
    }
  }
}

describe.each(zoneNames.flatMap((zone) => windows.map((window) => ({ zone, ...window }))))(
  'from $from until $until in $zone: $what',
  ({ zone, from, until }) => {
    const nights = nightsOf(zone, { from, until });

    function differing(moments: Iterable<number>): string[] {
      const settings = settingsOf({ timezone: zone, nightShift: { enabled: true, proxy: 'P', from, until } });
      const expected = nightWatch(nights);
      const found: string[] = [];
      for (const now of moments) {
        if (isNight(settings, now) !== expected(now)) found.push(new Date(now).toISOString());
      }
      return found;
    }

    it('is night at every quarter of an hour of the year when it should be, and only then', () => {
      expect(differing(quarters())).toEqual([]);
    });

    it('is so at each minute around the changes of the clocks', () => {
      expect(differing(minutesAround(changesOf(zone)))).toEqual([]);
    });

    it('is so in the first and the last moment of every night', () => {
      const ends = nights.flatMap(({ begins, ends }) => [begins - 1, begins, ends - 1, ends]);
      const inYear = ends.filter((now) => now >= YEAR.from && now < YEAR.until);
      expect(differing(inYear)).toEqual([]);
    });
  },
);

/** The paper itself, at the places that are easily got wrong. */
describe('the nights on paper', () => {
  const inYear = (nights: ReturnType<typeof nightsOf>) =>
    nights.filter(({ begins, ends }) => ends > YEAR.from && begins < YEAR.until);
  const around = (zone: (typeof zoneNames)[number], window: Window, day: string) =>
    nightsOf(zone, window)
      .filter(({ begins, ends }) => ends > Date.parse(day) - DAY / 2 && begins < Date.parse(day) + DAY / 2)
      .map(({ begins, ends }) => [begins, ends].map((at) => new Date(at).toISOString().slice(5, 16)).join(' to '));

  it.each([
    // New York and Berlin leave one out in spring; Berlin has one twice in autumn.
    ['Asia/Shanghai', 365],
    ['America/New_York', 364],
    ['Europe/Berlin', 365],
    ['Australia/Lord_Howe', 365],
  ] as const)('from 02:15 until 02:45 in %s there are %i nights in the year', (zone, count) => {
    expect(inYear(nightsOf(zone, { from: '02:15', until: '02:45' }))).toHaveLength(count);
  });

  it('a night of eight hours is an hour shorter in spring and an hour longer in autumn, on Lord Howe half an hour', () => {
    const window = { from: '00:00', until: '08:00' };
    expect(around('Europe/Berlin', window, '2026-03-29T01:00Z')).toEqual(['03-28T23:00 to 03-29T06:00']);
    expect(around('Europe/Berlin', window, '2026-10-25T01:00Z')).toEqual(['10-24T22:00 to 10-25T07:00']);
    expect(around('Australia/Lord_Howe', window, '2026-10-03T15:30Z')).toEqual(['10-03T13:30 to 10-03T21:00']);
  });

  it('the hour that Berlin has twice has its half hour twice', () => {
    const window = { from: '02:15', until: '02:45' };
    expect(around('Europe/Berlin', window, '2026-10-25T01:00Z')).toEqual([
      '10-25T00:15 to 10-25T00:45',
      '10-25T01:15 to 10-25T01:45',
    ]);
    expect(around('America/New_York', window, '2026-03-08T07:00Z')).toEqual([]);
    // Half of it is left out.
    expect(around('Australia/Lord_Howe', window, '2026-10-03T15:30Z')).toEqual(['10-03T15:30 to 10-03T15:45']);
  });

  it('of equal ends is one night without an end', () => {
    for (const zone of zoneNames) expect(inYear(nightsOf(zone, { from: '09:30', until: '09:30' }))).toHaveLength(1);
  });
});
