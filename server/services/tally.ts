/**
 * Counts that must cost nothing: of commands and calls, while they are answered. Each node counts in its memory and tells
 * Redis, which answers what all nodes have counted, only with every twentieth part of an allowance: who stays far
 * below it costs no trip at all. Over n nodes a window may so come to n twentieths more than is allowed.
 */
import { LRUCache } from 'lru-cache';
import type { Rate } from '../store/rates.ts';

export type Tally = {
  /** Counts one more and answers 0; or, where the allowance is used up, in how many ms there is a new one: at least 1. */
  count(key: string): number;
};

/** Keys kept in mind: far more than are busy within a window; about 20 MB. */
const KEYS = 100_000;
const PART = 20;

type Window = {
  /** By all nodes, as far as this one knows. */
  used: number;
  /** Of those, what Redis has not been told, and what it has been told and not yet answered. */
  untold: number;
  asked: number;
  endsAt: number;
};

/** `time` is in ms and never goes back; `onFault` hears of counts that could not be kept. */
export function createTally(rate: Rate, time: () => number, onFault: (error: unknown) => void): Tally {
  const { count, seconds } = rate.allowance;
  const part = Math.max(1, Math.floor(count / PART));
  const windows = new LRUCache<string, Window>({ max: KEYS });

  function tell(key: string, window: Window): void {
    const { untold } = window;
    window.untold = 0;
    window.asked += untold;
    rate.add(key, untold).then(
      ({ used, endsInMs }) => {
        window.asked -= untold;
        window.used = used + window.asked + window.untold;
        window.endsAt = time() + endsInMs;
      },
      (error) => {
        window.asked -= untold;
        onFault(error);
      },
    );
  }

  return {
    count(key) {
      const now = time();
      let window = windows.get(key);
      if (!window || window.endsAt <= now) {
        window = { used: 0, untold: 0, asked: 0, endsAt: now + seconds * 1000 };
        windows.set(key, window);
      }
      if (window.used >= count) return Math.max(1, window.endsAt - now);
      window.used += 1;
      window.untold += 1;
      if (window.untold >= part) tell(key, window);
      return 0;
    },
  };
}
