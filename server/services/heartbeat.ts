/** A server node says that it is alive, and notices when it was thought dead. */
import { beat, leave } from '../store/nodes.ts';
import type { House } from './house.ts';
import { bareError } from './trouble.ts';

/** A node beats this often, in ms. */
export const BEAT_MS = 5_000;

/**
 * How often a node that comes back records its sockets: at once, and at the next heartbeat again, because whoever swept
 * it may have had a batch of them in hand.
 */
const RECORD_AGAIN = 2;

export type HeartbeatParts = {
  readonly redis: House['redis'];
  readonly log: House['log'];
  readonly clock: () => number;
  readonly node: string;
  /** Between two heartbeats, in ms; `BEAT_MS` unless said. */
  readonly beatMs?: number;
};

export type Heartbeat = {
  /** Beats, and goes on; resolves when the node is listed. `recordAgain` records every socket that this node has. */
  start(recordAgain: () => Promise<void>): Promise<void>;
  /** Resolves when the node is listed with a heartbeat that is young enough to record a socket under it. */
  listed(): Promise<void>;
  /** Beats no more. With `ended`, all sockets are gone: the node takes itself off the list. */
  stop(ended: boolean): Promise<void>;
};

export function createHeartbeat({ redis, log, clock, node, beatMs = BEAT_MS }: HeartbeatParts): Heartbeat {
  /** Sooner than the sweep of ghosts thinks so by its own clock. */
  const lateAfterMs = 2 * beatMs;
  let last = Number.NEGATIVE_INFINITY;
  let toRecord = 0;
  let recording = false;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> | undefined;

  async function beatOnce(): Promise<void> {
    const now = clock();
    const before = await beat(redis, node, now);
    if (timer && (before === undefined || now - before > lateAfterMs)) {
      log.warn({ node, listed: before !== undefined }, 'this node was silent; it records its sockets again');
      toRecord = RECORD_AGAIN;
    }
    last = now;
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
    if (toRecord === 0 || recording) return;
    recording = true;
    try {
      await recordAgain();
      toRecord--;
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
    },
    async stop(ended) {
      clearInterval(timer);
      timer = undefined;
      await beating?.catch(() => undefined);
      if (ended) await leave(redis, node);
    },
  };
}
