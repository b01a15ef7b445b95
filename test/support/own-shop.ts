/** A shop of its own for each test of a file, on one house whose telling is listened to. */
import { afterAll, beforeAll, beforeEach, expect, inject } from 'vitest';
import type { House } from '../../server/services/house.ts';
import { problemsIn } from './consistent.ts';
import { type Listening, listening } from './heard.ts';
import { createTestHouse, type TestHouse } from './house.ts';
import { newShopId, removeShop } from './shop.ts';

export type OwnShop = {
  readonly house: House;
  /** Its id; the test opens it. */
  readonly shop: string;
  /** What everybody was told since the test began. */
  readonly heard: Listening;
};

/** After each test the shop is checked for what must always hold between its keys, and removed. */
export function useOwnShop(prefix: string): OwnShop {
  const heard = listening();
  let test: TestHouse;
  let shop = '';
  beforeAll(() => {
    test = createTestHouse(inject('redis'), { tell: heard });
  });
  afterAll(() => test.close());
  beforeEach(() => {
    heard.forget();
    shop = newShopId(prefix);
    return async () => {
      await test.house.settled();
      expect(await problemsIn(test.house.redis, shop)).toEqual([]);
      await removeShop(test.house.redis, shop);
    };
  });
  return {
    get house() {
      return test.house;
    },
    get shop() {
      return shop;
    },
    heard,
  };
}
