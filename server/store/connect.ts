/** Connections to Redis, with the settings the design was measured with. */
import { Cluster, type ClusterOptions, Redis } from 'ioredis';
import { readClusterNodes } from './cluster-nodes.ts';
import { keepPulse } from './pulse.ts';
import type { Connection } from './script.ts';

/** One Redis by its URL, or a cluster by some of its nodes, as `readClusterNodes` reads them. */
export type RedisTarget = { readonly url: string } | { readonly cluster: readonly string[] };

/** How long Redis may take to accept a connection, in ms. */
const CONNECT_MS = 5_000;
/** The longest wait between two tries to reconnect, in ms: Redis is back sooner than it would pay to spare it. */
const RETRY_MS = 1_000;

/** Commands wait for a reconnect instead of failing: every command can be sent again as it is. */
const patient = { maxRetriesPerRequest: null, connectTimeout: CONNECT_MS } as const;

const retryStrategy = (tries: number) => Math.min(50 * 2 ** Math.min(tries, 10), RETRY_MS) * (0.75 + Math.random() / 2);

/** Enough to be sent to where a slot has moved, and no more: what is worth nothing later is not tried for seconds. */
const NO_WAIT_REDIRECTIONS = 3;

export type ConnectionTraits = {
  /** What is sent while Redis is away fails at once: for what is worth nothing later. */
  readonly neverWaits?: boolean;
};

/**
 * How a cluster is talked to.
 *
 * While a slot moves, a script over several keys gets TRYAGAIN until all of them have arrived, and a node that dies is
 * missed until it is back or replaced: a command is tried again for as long as the edges wait for it, which is 10 s. One
 * try costs up to three redirections (TRYAGAIN sends ioredis to any node, which says MOVED, and then ASK comes), so 256
 * last for 8 s at least, 25 s at most. MOVED waits too, for while a slot changes hands two nodes may send a command to
 * each other, and without a pause all redirections are used up within a tenth of a second.
 */
const clusterOptions = {
  maxRedirections: 256,
  retryDelayOnTryAgain: 100,
  retryDelayOnClusterDown: 100,
  retryDelayOnFailover: 100,
  retryDelayOnMoved: 50,
  // A busy machine may take longer than the second that is usual; a change that no command has met yet is noticed as well.
  slotsRefreshTimeout: 5_000,
  slotsRefreshInterval: 5_000,
  // Where this check fails, `connect()` of ioredis neither resolves nor rejects, and BullMQ waits for it: after a node was
  // killed, workers took no job any more. Without it a command that comes too early is refused (CLUSTERDOWN) and tried again.
  enableReadyCheck: false,
  // Replicas lag behind: what was acknowledged could be read as missing.
  scaleReads: 'master',
  // Names stay names: each connection looks them up anew, and a certificate is checked against them.
  dnsLookup: (name, found) => found(null, name),
} as const satisfies ClusterOptions;

/**
 * Opens a connection. Autopipelining stays off: what one tick sends goes out together anyway. A cluster's nodes are not
 * connected to again by themselves: one that is gone may have been replaced, so ioredis asks the others first.
 */
export function connect(
  target: RedisTarget,
  onError: (error: Error) => void,
  { neverWaits = false }: ConnectionTraits = {},
): Connection {
  const enableOfflineQueue = !neverWaits;
  const redis =
    'url' in target
      ? new Redis(target.url, { ...patient, retryStrategy, enableOfflineQueue })
      : connectCluster(target.cluster, {
          enableOfflineQueue,
          ...(neverWaits && { maxRedirections: NO_WAIT_REDIRECTIONS }),
        });
  redis.on('error', onError);
  keepPulse(redis);
  return redis;
}

function connectCluster(
  named: readonly string[],
  options: Pick<ClusterOptions, 'enableOfflineQueue' | 'maxRedirections'>,
): Cluster {
  const { nodes, ...shared } = readClusterNodes(named);
  return new Cluster([...nodes], { ...clusterOptions, ...options, redisOptions: { ...shared, ...patient } });
}

/** Where a node is, as ioredis calls it: `host:port`. */
export type NodeName = string;

/**
 * Opens a connection to subscribe over: to the one Redis there is, or to the node of that name. It connects again for as
 * long as it takes, and leaves it to its user to subscribe again: ioredis would, and end the process if that fails.
 */
export function connectNode(target: RedisTarget, node: NodeName, onError: (error: Error) => void): Redis {
  const options = { ...patient, retryStrategy, autoResubscribe: false } as const;
  const redis =
    'url' in target ? new Redis(target.url, options) : new Redis({ ...nodeOptions(target, node), ...options });
  redis.on('error', onError);
  keepPulse(redis);
  return redis;
}

function nodeOptions(target: { readonly cluster: readonly string[] }, node: NodeName) {
  const { nodes: _, ...shared } = readClusterNodes(target.cluster);
  const colon = node.lastIndexOf(':');
  return { ...shared, host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
}
