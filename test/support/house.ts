/** A house of services around a real Redis, with nobody connected to it. */

import { createHouse, type HouseParts } from '../../server/services/create-house.ts';
import type { House, Log, Tell } from '../../server/services/house.ts';
import { connect } from '../../server/store/connect.ts';
import { type At, targetOf } from './target.ts';

/** Tells nobody. */
export const silentTell: Tell = {
  agent() {},
  supervisors() {},
  buyer() {},
  forgetBuyer() {},
};

/** Keeps quiet, except for errors: no test expects any that it does not look at itself. */
export const testLog: Log = {
  info() {},
  warn() {},
  error: (facts, says) => console.error(says, facts),
};

export type TestHouse = {
  readonly house: House;
  /** Waits for what is under way, then lets go of Redis. */
  close(): Promise<void>;
};

/** A house on a Redis, or on a cluster. Use a shop id of your own: others work there too. */
export function createTestHouse(at: At, parts: Partial<Omit<HouseParts, 'redis'>> = {}): TestHouse {
  const redis = connect(targetOf(at), (error) => console.error('redis', error.message));
  const house = createHouse({ tell: silentTell, log: testLog, ...parts, redis });
  return {
    house,
    async close() {
      await house.settled();
      await house.deliveries.close();
      redis.disconnect();
    },
  };
}
