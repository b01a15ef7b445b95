/** Whether Redis can do what we need of it: all of it, writes included. */
import { Cluster, type Redis } from 'ioredis';
import type { Connection } from './script.ts';

/**
 * Runs as our scripts do: without the flag `no-writes`, so Redis refuses it where a script that writes would be
 * refused: out of memory, a replica, a disk that is full. It writes nothing.
 */
const PROBE = '#!lua\nreturn 1';

/**
 * Resolves when a script that writes could run, in a cluster at every node that has slots: any shop may lie there. Throws
 * what keeps it from that; waits for as long as Redis does not answer.
 */
export async function mustServe(redis: Connection): Promise<void> {
  await redis.ping();
  if (!(redis instanceof Cluster)) {
    await redis.eval(PROBE, 0);
    return;
  }
  const connected = new Map(redis.nodes().map((node) => [`${node.options.host}:${node.options.port}`, node]));
  await Promise.all([...ownersIn(redis)].map((name) => mustServeAt(name, connected.get(name))));
}

/** The nodes that have slots. Throws if a slot is nobody's. */
function ownersIn(cluster: Cluster): Set<string> {
  const owners = new Set<string>();
  // By index: a slot that is nobody's is a hole.
  for (let slot = 0; slot < 16_384; slot++) {
    const owner = cluster.slots[slot]?.[0];
    if (owner === undefined) throw new Error(`slot ${slot} of the cluster is at no node`);
    owners.add(owner);
  }
  return owners;
}

async function mustServeAt(name: string, node: Redis | undefined): Promise<void> {
  if (!node) throw new Error(`${name} of the cluster cannot be reached`);
  const [info] = await Promise.all([node.cluster('INFO'), node.eval(PROBE, 0)]);
  if (!String(info).includes('cluster_state:ok')) throw new Error(`${name} says that the cluster is not whole`);
}
