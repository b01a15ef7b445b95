/** Which shops are looked after together. */

/** As many turns of a job are taken at once, by one process or by several. */
export const SHARDS = 4;

/** The shard of a shop, 0 to SHARDS - 1: always the same, in every process; as many shops in each (FNV-1a of the id, folded). */
export function shardOf(shop: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < shop.length; i++) hash = Math.imul(hash ^ shop.charCodeAt(i), 0x01000193);
  // The lowest bits alone would know little of the id.
  return ((hash ^ (hash >>> 16)) >>> 0) % SHARDS;
}
