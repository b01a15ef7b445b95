/** The number beside the data: a release that would misread them changes nothing and does not start. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reachRedis } from '../../server/launch/reach-redis.ts';
import { connect } from '../../server/store/connect.ts';
import { checkFormat, ourFormats, UnreadableFormat } from '../../server/store/format.ts';
import { formatKey } from '../../server/store/keys.ts';
import type { Connection } from '../../server/store/script.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';

/** The number belongs to a whole installation. */
let own: OwnRedis;
let redis: Connection;
beforeAll(async () => {
  own = await startOwnRedis();
  redis = connect({ url: own.url }, () => undefined);
});
beforeEach(async () => {
  await redis.flushall();
});
afterAll(async () => {
  redis?.disconnect();
  await own?.stop();
});

const kept = () => redis.get(formatKey);
/** A release that reads the last format and this one, and writes this one; the one before writes the last. */
const release = { oldest: 3, newest: 4, writes: 4 };
const before = { oldest: 2, newest: 4, writes: 3 };

describe('format', () => {
  it('is written where there is none, and touches nothing else', async () => {
    expect(await checkFormat(redis)).toBe(1);
    expect(await redis.keys('*')).toEqual([formatKey]);
    expect(await kept()).toBe('1');
  });

  it('of this release, or one that it can read, goes on; twice is the same', async () => {
    await redis.set(formatKey, '4');
    expect(await checkFormat(redis, release)).toBe(4);
    expect(await checkFormat(redis, release)).toBe(4);
    expect(await kept()).toBe('4');
  });

  it('rises to what is written from now on, and does not fall when the release before starts once more', async () => {
    await redis.set(formatKey, '3');
    expect(await checkFormat(redis, release)).toBe(4);
    expect(await kept()).toBe('4');
    expect(await checkFormat(redis, before)).toBe(4);
    expect(await kept()).toBe('4');
  });

  it.each([
    ['newer', '5', /is of format 5, .* reads formats 3 to 4; start the release that wrote it/],
    ['older', '2', /is of format 2, .* reads formats 3 to 4; start a release in between first/],
    ['unknown', 'four', /is of format four/],
  ])('%s is refused without a trace', async (_, number, says) => {
    await redis.set(formatKey, number);
    await expect(checkFormat(redis, release)).rejects.toThrow(UnreadableFormat);
    await expect(checkFormat(redis, release)).rejects.toThrow(says);
    expect(await kept()).toBe(number);
  });

  it('keeps a release from starting, and says why', async () => {
    await redis.set(formatKey, String(ourFormats.newest + 1));
    await expect(reachRedis({ url: own.url })).rejects.toThrow(
      'this release reads format 1; start the release that wrote',
    );
    await redis.del(formatKey);
    await reachRedis({ url: own.url });
    expect(await kept()).toBe(String(ourFormats.writes));
  });
});
