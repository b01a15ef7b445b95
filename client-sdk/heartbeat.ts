/** When a client asks whether it missed something: soon after each connection, then now and then, and soon where it could not be answered. */

/** How the asking went: answered, worth asking again soon, and how long the server wants to be left alone (ms). */
export type Beat = { readonly again: boolean; readonly retryAfterMs?: number };

export type HeartbeatParts = {
  /** About how often, in ms; 0 never. */
  readonly everyMs: number;
  readonly ask: () => Promise<Beat>;
};

export type ClientHeartbeat = {
  /** A connection stands: `first` asks what is to be known of it at once. */
  start(first: () => Promise<Beat>): void;
  /** The connection is gone. */
  stop(): void;
  /** Asks in a moment, and `retryAfterMs` later than that. */
  soon(retryAfterMs?: number): void;
};

/**
 * How long after connecting it is asked once more, in ms: a node that has just got a client is told what the others have
 * for it only when its subscription has reached all of Redis.
 */
const SETTLING_MS = 2_000;
/** Asked again after about this long where there was no answer, doubled each time up to half a minute, in ms. */
const ASK_AGAIN_MS = 1_000;

/** Not asking yet. */
export function createHeartbeat({ everyMs, ask }: HeartbeatParts): ClientHeartbeat {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** What was asked on an earlier connection starts nothing on this one. */
  let connection = 0;
  let failures = 0;
  /** One question at a time: two would both be told what was missed. */
  let asking = false;
  /** Somebody wanted it asked while it was. */
  let wanted = false;

  function beatIn(ms: number): void {
    clearTimeout(timer);
    // Drawn around the interval, so that clients that came together do not ask together.
    timer = setTimeout(() => void beat(ask, everyMs), ms * (0.75 + Math.random() / 2));
  }

  async function beat(question: () => Promise<Beat>, nextMs: number): Promise<void> {
    if (asking) {
      wanted = true;
      return;
    }
    asking = true;
    wanted = false;
    const on = connection;
    const { again, retryAfterMs = 0 } = await question();
    if (on !== connection) return;
    asking = false;
    failures = again ? failures + 1 : 0;
    if (again) beatIn(retryAfterMs + ASK_AGAIN_MS * 2 ** Math.min(failures - 1, 5));
    else if (wanted) beatIn(ASK_AGAIN_MS);
    else if (nextMs > 0) beatIn(nextMs);
  }

  function stop(): void {
    connection += 1;
    failures = 0;
    asking = false;
    clearTimeout(timer);
  }

  return {
    start(first) {
      stop();
      void beat(first, Math.min(SETTLING_MS, everyMs));
    },
    stop,
    soon(retryAfterMs = 0) {
      if (asking) wanted = true;
      else beatIn(retryAfterMs + ASK_AGAIN_MS);
    },
  };
}
