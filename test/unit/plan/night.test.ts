import { describe, expect, it } from 'vitest';
import { isNight, minutesOfDay } from '../../../server/plan/night.ts';
import { settingsOf } from '../../support/config.ts';

const shiftOf = (from: string, until: string, timezone = 'Asia/Shanghai') =>
  settingsOf({ timezone, nightShift: { enabled: true, proxy: 'P', from, until } });

const night = (from: string, until: string, at: string, timezone?: string) =>
  isNight(shiftOf(from, until, timezone), Date.parse(at));

describe('the night', () => {
  it.each([
    ['2026-03-02T23:59:59.999+08:00', false],
    ['2026-03-03T00:00:00.000+08:00', true],
    ['2026-03-03T07:59:59.999+08:00', true],
    ['2026-03-03T08:00:00.000+08:00', false],
  ])('from 00:00, inclusive, until 08:00, exclusive: %s is %s', (at, expected) => {
    expect(night('00:00', '08:00', at)).toBe(expected);
  });

  it.each([
    ['2026-03-02T21:59:59.999+08:00', false],
    ['2026-03-02T22:00:00.000+08:00', true],
    ['2026-03-03T00:00:00.000+08:00', true],
    ['2026-03-03T06:29:59.999+08:00', true],
    ['2026-03-03T06:30:00.000+08:00', false],
    ['2026-03-03T12:00:00.000+08:00', false],
  ])('over midnight, from 22:00 until 06:30: %s is %s', (at, expected) => {
    expect(night('22:00', '06:30', at)).toBe(expected);
  });

  it.each(['00:00', '09:30', '12:00', '23:59'])('of equal ends is the whole day, at %s too', (clock) => {
    expect(night('09:30', '09:30', `2026-03-02T${clock}:00+08:00`)).toBe(true);
  });

  it('of one minute is one minute', () => {
    const minute = ['10:00:59.999', '10:01:00.000', '10:01:59.999', '10:02:00.000'];
    const found = minute.map((clock) => night('10:01', '10:02', `2026-03-02T${clock}+08:00`));
    expect(found).toEqual([false, true, true, false]);
  });
});

/** From 02:00 until 06:00 on the wall, with the moments at which it begins and ends. */
describe.each([
  { zone: 'Asia/Shanghai', day: 'without summer time', begins: '2026-03-07T18:00:00Z', ends: '2026-03-07T22:00:00Z' },
  { zone: 'Asia/Kathmandu', day: 'at 5:45 east', begins: '2026-03-07T20:15:00Z', ends: '2026-03-08T00:15:00Z' },
  { zone: 'America/New_York', day: 'in winter', begins: '2026-03-07T07:00:00Z', ends: '2026-03-07T11:00:00Z' },
  // At 02:00 the clock goes to 03:00: the night begins in that moment, and is an hour shorter.
  { zone: 'America/New_York', day: 'in spring', begins: '2026-03-08T07:00:00Z', ends: '2026-03-08T10:00:00Z' },
  { zone: 'America/New_York', day: 'in summer', begins: '2026-03-09T06:00:00Z', ends: '2026-03-09T10:00:00Z' },
  // At 02:00 the clock goes back to 01:00: the night begins when it is 02:00 for good.
  { zone: 'America/New_York', day: 'in autumn', begins: '2026-11-01T07:00:00Z', ends: '2026-11-01T11:00:00Z' },
  // At 01:00 the clock goes to 02:00.
  { zone: 'Europe/London', day: 'in spring', begins: '2026-03-29T01:00:00Z', ends: '2026-03-29T05:00:00Z' },
  // At 02:00 the clock goes back to 01:00.
  { zone: 'Europe/London', day: 'in autumn', begins: '2026-10-25T02:00:00Z', ends: '2026-10-25T06:00:00Z' },
])('02:00 to 06:00 in $zone $day', ({ zone, begins, ends }) => {
  it.each([
    ['a millisecond before it begins', begins, -1, false],
    ['when it begins', begins, 0, true],
    ['a millisecond before it ends', ends, -1, true],
    ['when it ends', ends, 0, false],
  ])('%s', (_, at, offset, expected) => {
    expect(isNight(shiftOf('02:00', '06:00', zone), Date.parse(at) + offset)).toBe(expected);
  });
});

describe('an hour that the clock shows twice', () => {
  it.each([
    ['America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'],
    ['Europe/London', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
  ])('is night both times in %s', (zone, first, second) => {
    const shift = shiftOf('01:15', '01:45', zone);
    const at = [Date.parse(first), (Date.parse(first) + Date.parse(second)) / 2, Date.parse(second)];
    expect(at.map((now) => minutesOfDay(zone, now))).toEqual([90, 60, 90]);
    expect(at.map((now) => isNight(shift, now))).toEqual([true, false, true]);
  });
});

describe('an hour that the clock leaves out', () => {
  it.each([
    ['America/New_York', '2026-03-08T07:00:00Z', '02:15', '02:45'],
    ['Europe/London', '2026-03-29T01:00:00Z', '01:15', '01:45'],
  ])('has no night in it in %s', (zone, leap, from, until) => {
    const shift = shiftOf(from, until, zone);
    const around = Array.from({ length: 121 }, (_, i) => Date.parse(leap) + (i - 60) * 60_000);
    expect(around.filter((now) => isNight(shift, now))).toEqual([]);
  });
});

describe('minutes of the day', () => {
  it.each([
    ['UTC', '2026-03-02T00:00:00Z', 0],
    ['UTC', '2026-03-02T23:59:59Z', 23 * 60 + 59],
    ['Asia/Kathmandu', '2026-03-01T18:15:00Z', 0],
    ['America/New_York', '2026-07-01T00:00:00Z', 20 * 60],
    ['America/New_York', '2026-01-01T00:00:00Z', 19 * 60],
    ['Pacific/Kiritimati', '2026-01-01T10:00:00Z', 0],
  ])('in %s at %s: %i', (zone, at, minutes) => {
    expect(minutesOfDay(zone, Date.parse(at))).toBe(minutes);
  });
});

describe('the answer that is kept for a minute', () => {
  const midnight = Date.parse('2026-03-03T00:00:00+08:00');

  it('is right in whatever order moments are asked for', () => {
    const shift = shiftOf('00:00', '08:00');
    const asked = [midnight, midnight - 1, midnight + 59_999, midnight - 60_000, midnight, midnight + 8 * 3_600_000];
    expect(asked.map((now) => isNight(shift, now))).toEqual([true, false, true, false, true, false]);
  });

  it('is of one configuration, not of another', () => {
    expect(isNight(shiftOf('00:00', '08:00'), midnight)).toBe(true);
    expect(isNight(shiftOf('08:00', '00:00'), midnight)).toBe(false);
    expect(isNight(shiftOf('00:00', '08:00', 'UTC'), midnight)).toBe(false);
  });
});
