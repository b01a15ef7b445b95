/** Everything that stands in a Redis, searched for what must not: names of keys and what they hold, BullMQ's among them. */
import type { Connection } from '../../server/store/script.ts';

async function contentOf(redis: Connection, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, 0, '-1', 'WITHSCORES');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return '';
  }
}

/** Where one of `words` stands: `<word> in <key>: <some of what stands around it>`; in keys that begin with one of `among`. */
export async function tracesOf(
  redis: Connection,
  words: Iterable<string>,
  among: readonly string[] = [''],
): Promise<string[]> {
  const found: string[] = [];
  const all = [...words];
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000);
    cursor = next;
    for (const key of keys.filter((name) => among.some((start) => name.startsWith(start)))) {
      const text = `${key} ${JSON.stringify(await contentOf(redis, key))}`;
      for (const word of all) {
        const at = text.indexOf(word);
        if (at >= 0) found.push(`${word} in ${key}: ${text.slice(Math.max(0, at - 60), at + 60)}`);
      }
    }
  } while (cursor !== '0');
  return found;
}
