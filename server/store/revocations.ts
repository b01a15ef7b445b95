/** Tokens of buyers that are refused although they are signed and have not expired. */
import { keysOfShop, revokedKey } from './keys.ts';
import { type Connection, loadScript, run } from './script.ts';

const script = loadScript('revoke', ['live', 'revoked'], ['now', 'lastsMs']);

/** Refuses what a buyer, named by a hash, was given up to `now`, for `lastsMs`. */
export async function revoke(
  redis: Connection,
  shop: string,
  buyer: string,
  lastsMs: number,
  now: number,
): Promise<void> {
  const keys = keysOfShop(shop);
  await run(redis, script, { live: keys.live, revoked: revokedKey(keys, buyer) }, { now, lastsMs });
}

/** Up to when the tokens of each are refused, in ms; `undefined` for one of whom none is. */
export async function readRevocations(
  redis: Connection,
  shop: string,
  buyers: readonly string[],
): Promise<(number | undefined)[]> {
  const keys = keysOfShop(shop);
  const found = await Promise.all(buyers.map((buyer) => redis.hget(revokedKey(keys, buyer), 'upTo')));
  return found.map((upTo) => (upTo === null ? undefined : Number(upTo)));
}
