/**
 * A server node says that it is alive, and notices when it may have been thought dead. From then on it has a new id: whoever
 * sweeps the old one, however late, ends nothing that is recorded under the new one.
 *
 * The same when Redis is another process than before. If that has lost its latest writes, sockets that came are not recorded, and
 * sockets that went still are: the former are recorded under the new id, the latter go with the old one.
 */
import { beat, leave } from '../store/nodes.ts';
import type { House } from './house.ts';
import type { StoreLife } from './store-life.ts';
import { bareError } from './trouble.ts';

/** A node beats this often, in ms. */
export const BEAT_MS = 5_000;
/** For so long an old id is kept alive until every socket has been recorded under the new one, in ms. */
const KEPT_MS = 60_000;

export type HeartbeatParts = {
  readonly redis: House['redis'];
  readonly log: House['log'];
  readonly life: Pick<StoreLife, 'look'>;
  readonly clock: () => number;
  /** Draws an id that no node has had. */
  readonly newNode: () => string;
  /** Between two heartbeats, in ms; `BEAT_MS` unless said. */
  readonly beatMs?: number;
};

export type Heartbeat = {
  /** Beats, and goes on; resolves when the node is listed. `recordAgain` records every socket under the id `listed` answers. */
  start(recordAgain: () => Promise<void>): Promise<void>;
  /** Answers this node's id, listed with a heartbeat that is young enough to record a socket under it. */
  listed(): Promise<string>;
  /** Beats no more. With `ended`, all sockets are gone: the node takes itself off the list. */
  stop(ended: boolean): Promise<void>;
};

export function createHeartbeat({ redis, log, life, clock, newNode, beatMs = BEAT_MS }: HeartbeatParts): Heartbeat {
  /** Sooner than the sweep of ghosts thinks so by its own clock. */
  const lateAfterMs = 2 * beatMs;
  let node = newNode();
  /** Every id so far: what could not be recorded as ended may stand under any of them. */
  const nodes = [node];
  /** All sockets are recorded under this one. */
  let recorded = node;
  let last = Number.NEGATIVE_INFINITY;
  let recording = false;
  let renamedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> | undefined;

  async function beatOnce(): Promise<void> {
    const now = clock();
    const before = await beat(redis, node, now);
    const another = await life.look();
    if (timer && (before === undefined || now - before > lateAfterMs || another)) {
      const why = another ? 'Redis was started anew, and may have lost what came last' : 'this node was silent';
      log.warn({ node, listed: before !== undefined }, `${why}; the node records its sockets under a new id`);
      node = newNode();
      nodes.push(node);
      renamedAt = now;
      // No socket is recorded under it before it is listed.
      last = Number.NEGATIVE_INFINITY;
      await beat(redis, node, now);
    }
    last = now;
    // Nobody is swept who was not recorded again yet; those of shops that cannot be reached for longer are.
    if (now - renamedAt > KEPT_MS) return;
    for (const old of nodes.slice(nodes.indexOf(recorded), -1)) await beat(redis, old, now);
  }
  /** One at a time: a heartbeat under way serves whoever asks. */
  function beatNow(): Promise<void> {
    beating ??= beatOnce().finally(() => {
      beating = undefined;
    });
    return beating;
  }

  async function turn(recordAgain: () => Promise<void>): Promise<void> {
    await beatNow();
    if (recorded === node || recording) return;
    recording = true;
    const under = node;
    try {
      await recordAgain();
      recorded = under;
    } finally {
      recording = false;
    }
  }

  return {
    async start(recordAgain) {
      await beatNow();
      timer = setInterval(() => {
        turn(recordAgain).catch((error) => log.warn({ node, err: bareError(error) }, 'a heartbeat failed'));
      }, beatMs);
    },
    async listed() {
      if (clock() - last > lateAfterMs) await beatNow();
      return node;
    },
    async stop(ended) {
      clearInterval(timer);
      timer = undefined;
      await beating?.catch(() => undefined);
      if (ended) await leave(redis, ...nodes);
    },
  };
}
