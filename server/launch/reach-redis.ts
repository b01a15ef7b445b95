/** Start-up fails early where Redis cannot be reached or cannot be worked with, and says so. */

import { connect, type RedisTarget } from '../store/connect.ts';
import { checkFormat, type Formats } from '../store/format.ts';
import { mustServe } from '../store/must-serve.ts';
import type { Connection } from '../store/script.ts';

/** How long Redis may take to answer, in ms: it may be starting beside us. */
const PATIENCE_MS = 10_000;
/** Between two looks at whether it can serve by now, in ms. */
const LOOK_MS = 200;

export type ReachOptions = {
  /** How long Redis may take to be there, in ms; 10 s unless said. */
  readonly patienceMs?: number;
  /** What this release can read. */
  readonly formats?: Formats;
};

/** Where it is, without a password. */
const placeOf = (target: RedisTarget) =>
  'url' in target
    ? new URL(target.url).host
    : target.cluster.map((node) => node.slice(node.lastIndexOf('@') + 1).replace(/^.*:\/\//, '')).join(', ');

/** What a connection says is wrong; that of a cluster hides the reason behind a general one. */
function reasonOf(error: Error): string {
  const { lastNodeError } = error as { lastNodeError?: Error };
  return (error as NodeJS.ErrnoException).code ?? lastNodeError?.message ?? error.message;
}

/** A node of a cluster that is taken for a Redis of its own refuses whatever lies elsewhere. */
async function mustBeAlone(redis: Connection, target: RedisTarget): Promise<void> {
  if (!('url' in target) || !(await redis.info('cluster')).includes('cluster_enabled:1')) return;
  throw new Error(`Redis at ${placeOf(target)} is a node of a cluster; name it in REDIS_CLUSTER instead of REDIS_URL.`);
}

/**
 * Resolves when Redis can serve, a cluster when all of it can, and what it keeps is of a format that this release reads.
 * Throws an error that says where it was looked for and what came of it.
 */
export async function reachRedis(target: RedisTarget, options: ReachOptions = {}): Promise<void> {
  const { patienceMs = PATIENCE_MS, formats } = options;
  let trouble = 'it does not answer';
  const note = (error: Error) => {
    const reason = reasonOf(error);
    // What a command is told, and the connection has told better before.
    if (reason !== 'Connection is closed.') trouble = reason;
  };
  const redis = connect(target, note);
  redis.on('node error', note);
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true;
      const name = 'url' in target ? 'REDIS_URL' : 'REDIS_CLUSTER';
      reject(new Error(`Redis at ${placeOf(target)} cannot be reached (${trouble}); start it, or correct ${name}.`));
    }, patienceMs);
  });
  async function serves(): Promise<void> {
    for (;;) {
      try {
        return await mustServe(redis);
      } catch (error) {
        if (late) throw error;
        note(error as Error);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
  }
  try {
    const served = serves().then(() => mustBeAlone(redis, target));
    // What is still under way when we give up fails with the connection.
    served.catch(() => undefined);
    await Promise.race([served, tooLate]);
    await checkFormat(redis, formats);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}
