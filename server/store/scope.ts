/** One shop as the store addresses it: its keys, and the ready sets of its groups as one configuration names them. */
import { WHOLE_SHOP } from '../../client-sdk/contract/index.ts';
import { keysOfShop, readyKey, type ShopKeys } from './keys.ts';
import type { Connection } from './script.ts';

export type Scope = {
  readonly redis: Connection;
  readonly shop: string;
  readonly keys: ShopKeys;
  /** Version of the configuration that names the groups; scripts refuse another with `StaleConfig`. */
  readonly version: string;
  /** The whole shop first, then every group. */
  readonly ready: readonly string[];
};

/** The scope of a shop whose groups, in this version of its configuration, are these. */
export function scopeOf(redis: Connection, shop: string, version: string, groups: Iterable<string>): Scope {
  const keys = keysOfShop(shop);
  return { redis, shop, keys, version, ready: [WHOLE_SHOP, ...groups].map((group) => readyKey(keys, group)) };
}
