/** Start-up fails early where Redis cannot be reached, and says so. */
import { connect, type RedisTarget } from '../store/connect.ts';

/** How long Redis may take to answer, in ms: it may be starting beside us. */
const PATIENCE_MS = 10_000;

/** Where it is, without a password. */
const placeOf = (target: RedisTarget) => ('url' in target ? new URL(target.url).host : target.cluster.join(', '));

/** Resolves when Redis answers. Throws an error that says where it was looked for and what came of it. */
export async function reachRedis(target: RedisTarget, patienceMs = PATIENCE_MS): Promise<void> {
  let trouble = 'it does not answer';
  const redis = connect(target, (error) => {
    trouble = (error as NodeJS.ErrnoException).code ?? error.message;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const name = 'url' in target ? 'REDIS_URL' : 'REDIS_CLUSTER';
      reject(new Error(`Redis at ${placeOf(target)} cannot be reached (${trouble}); start it, or correct ${name}.`));
    }, patienceMs);
  });
  try {
    const asked = redis.ping();
    // What is still under way when we give up fails with the connection.
    asked.catch(() => undefined);
    await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}
