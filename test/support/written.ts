/** What a Redis has acknowledged and not yet written to its append-only file. */
import type { Redis } from 'ioredis';
import { until } from './until.ts';

/**
 * Resolves when there is none, nor will be in the next moment. With `appendfsync everysec` Redis answers first and writes later
 * while the disk syncs, for up to 2 s: killed then, it loses what it had acknowledged, as a power cut would have it.
 */
export async function written(redis: Redis): Promise<void> {
  await until(async () => {
    const info = await redis.info('persistence');
    return ['aof_buffer_length:0', 'aof_pending_bio_fsync:0'].every((line) => info.includes(`${line}\r`));
  });
}
