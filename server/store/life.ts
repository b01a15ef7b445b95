/**
 * Which life of the store this is. A Redis process that is another one than before may know less: one that was started again
 * after a power cut has lost its latest writes, and so may a replica have that took over.
 */
import { createHash } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';
import type { Connection } from './script.ts';

/** How long a process of Redis may take to say which it is, in ms. */
const PATIENCE_MS = 2_000;

/** Redis draws it anew at each start. */
async function runOf(redis: Redis): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis does not say which process it is')), PATIENCE_MS);
  });
  try {
    const [, run] = /^run_id:(\w+)/m.exec(await Promise.race([redis.info('server'), late])) ?? [];
    if (!run) throw new Error('Redis does not say which process it is');
    return run;
  } finally {
    clearTimeout(timer);
  }
}

/** The processes that serve: those that a cluster's slots belong to. Throws where one of them is not known yet. */
function processesOf(redis: Connection): Redis[] {
  if (!(redis instanceof Cluster)) return [redis];
  const known = new Map(redis.nodes('all').map((node) => [`${node.options.host}:${node.options.port}`, node]));
  const owners = [...new Set(redis.slots.flatMap(([owner]) => (owner === undefined ? [] : [owner])))];
  // One whose connection is lost is not among the nodes until something is asked of it again.
  const processes = owners.map((owner) => known.get(owner));
  if (processes.length === 0 || processes.includes(undefined)) throw new Error('a node of the cluster cannot be asked');
  return processes as Redis[];
}

/** A short text, the same for as long as the same processes of Redis serve. Throws while one of them cannot be asked. */
export async function readLife(redis: Connection): Promise<string> {
  const runs = await Promise.all(processesOf(redis).map(runOf));
  return createHash('sha256').update(runs.sort().join()).digest('base64url').slice(0, 12);
}
