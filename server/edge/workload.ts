/**
 * What a node takes on: so much at once and no more, and nobody waits for ever. Commands to Redis wait for a reconnect and
 * behind each other; without a bound a slow Redis would make them a pile in our memory that nobody waits for any more.
 *
 * Work counts from its arrival until the store has answered, also when its caller has been told long ago that nothing came:
 * until then it stands in the line to Redis. The numbers are reasoned in docs/decisions/0015-so-much-at-once.md.
 */
import { Refusal } from '../../client-sdk/contract/index.ts';
import { TooLate, within } from './time-limit.ts';

/** How long a call or command may take before its caller is told that nothing came, in ms. */
export const ANSWER_MS = 10_000;
/** What a node has under way at most: what Redis does for it in a fifth of a second, at 20,000 a second. */
const MOST_UNDER_WAY = 4_000;
/** What one socket has under way at most, waiting in its own line included. */
const MOST_OF_A_SOCKET = 200;
/** Whoever is refused is asked to wait about so long, in ms. */
const TRY_AGAIN_MS = 1_000;

/** What one socket has under way. */
export type Share = {
  underWay: number;
  /** Called each time nothing is under way any more. */
  onIdle?: () => void;
};

export type WorkloadParts = {
  /** Whether Redis is known to be away: what needs it is then refused at once. */
  readonly away: () => boolean;
  readonly mostUnderWay?: number;
  readonly mostOfASocket?: number;
  readonly answerMs?: number;
};

/** Why work is refused before it is begun. */
export const refusedBecause = ['away', 'node-full', 'socket-full'] as const;
export type RefusedBecause = (typeof refusedBecause)[number];

export type Workload = {
  /**
   * Carries out what settles as `work` does. Throws `unavailable` where it is not begun, and `TooLate` where no answer has come
   * in time; `late` answers `work` from then on that nobody waits any more.
   */
  carryOut<T>(work: (late: () => boolean) => Promise<T>, share?: Share): Promise<T>;
  /** How much is under way now. */
  underWay(): number;
  /** Resolves when nobody waits for an answer. */
  answered(): Promise<void>;
  /** How much was refused so far. */
  refused(because: RefusedBecause): number;
};

const says: Record<RefusedBecause, string> = {
  away: 'The service cannot reach its store right now; nothing was changed, try again in a moment.',
  'node-full': 'The service has too much to do right now; nothing was changed, try again in a moment.',
  'socket-full': 'This connection has too much under way; nothing was changed, wait for the answers, then try again.',
};

export function createWorkload(parts: WorkloadParts): Workload {
  const { away, mostUnderWay = MOST_UNDER_WAY, mostOfASocket = MOST_OF_A_SOCKET, answerMs = ANSWER_MS } = parts;
  let underWay = 0;
  let waiting = 0;
  const whenAnswered: (() => void)[] = [];
  const refused: Record<RefusedBecause, number> = { away: 0, 'node-full': 0, 'socket-full': 0 };

  function obstacle(share: Share | undefined): RefusedBecause | undefined {
    if (away()) return 'away';
    if (underWay >= mostUnderWay) return 'node-full';
    return share && share.underWay >= mostOfASocket ? 'socket-full' : undefined;
  }

  return {
    underWay: () => underWay,
    answered: () => (waiting === 0 ? Promise.resolve() : new Promise((resolve) => whenAnswered.push(resolve))),
    refused: (because) => refused[because],
    async carryOut(work, share) {
      const because = obstacle(share);
      if (because) {
        refused[because]++;
        throw new Refusal('unavailable', says[because], { retryAfterMs: TRY_AGAIN_MS });
      }
      underWay++;
      waiting++;
      if (share) share.underWay++;
      let over = false;
      // Whatever is thrown at once is counted out as well.
      const done = (async () => work(() => over))().finally(() => {
        underWay--;
        if (share && --share.underWay === 0) share.onIdle?.();
      });
      try {
        return await within(answerMs, done);
      } catch (error) {
        over = error instanceof TooLate;
        throw error;
      } finally {
        if (--waiting === 0) for (const resolve of whenAnswered.splice(0)) resolve();
      }
    },
  };
}
