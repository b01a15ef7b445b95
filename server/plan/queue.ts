/** What a buyer in the queue is told: how long it may take, and when a change is worth telling. Pure. */

/** Served so far before there is anything to estimate from. */
const LEAST = 3;
const SECOND = 1_000;

/**
 * An estimate of what is left of the wait at this place, in ms, in whole seconds: so many places at the pace at which
 * the queue has moved, counted until the last was served, or until now where that is slower: a pace that slackens is seen
 * before the next buyer is served. `undefined` while too few were served to say anything.
 *
 * `served`: when buyers of this queue were served, in ms, the latest last.
 */
export function waitEstimate(served: readonly number[], position: number, now: number): number | undefined {
  const [first] = served;
  if (first === undefined || served.length < LEAST) return undefined;
  const last = served.at(-1) ?? first;
  const perPlace = Math.max((now - first) / served.length, (last - first) / (served.length - 1), 0);
  return Math.max(SECOND, Math.ceil((position * perPlace) / SECOND) * SECOND);
}

/** A place as a buyer is told of it. */
export type Place = { readonly position: number; readonly etaMs?: number };

/** A place with its estimate at `now` (ms), where there is one. */
export function placeAt(served: readonly number[], position: number, now: number): Place {
  const etaMs = waitEstimate(served, position, now);
  return { position, ...(etaMs === undefined ? {} : { etaMs }) };
}

/** Places this near the head are told one by one. */
const NEAR = 10;
/** Further back, by how much of itself a place has to change; an estimate anywhere. */
const PART = 0.1;
const ETA_PART = 0.25;
const ETA_LEAST_MS = 10 * SECOND;

/**
 * Whether a place is to be told again, given what was told last. Whoever is near the head hears of each step; a hundred
 * places back a step is no news, and told to everybody each time it would be a storm.
 */
export function worthTelling(told: Place | undefined, place: Place): boolean {
  if (!told) return true;
  const steps = Math.abs(place.position - told.position);
  if (steps > 0 && (place.position <= NEAR || steps >= told.position * PART)) return true;
  if (place.etaMs === undefined || told.etaMs === undefined) return place.etaMs !== told.etaMs;
  return Math.abs(place.etaMs - told.etaMs) > Math.max(ETA_LEAST_MS, told.etaMs * ETA_PART);
}

/** Places that are looked at in every turn; of those behind them, a part a turn. */
export const HEAD = 1_000;

/**
 * Which places a turn looks at, both ends inclusive: the head of the queue, and one page of what is behind it, another with
 * every turn, so that a turn takes as long in a queue of a hundred thousand. `turn` counts the
 * turns of this shop.
 */
export function placesToLookAt(length: number, turn: number): readonly (readonly [from: number, to: number])[] {
  if (length === 0) return [];
  const head = [1, Math.min(HEAD, length)] as const;
  if (length <= HEAD) return [head];
  const pages = Math.ceil((length - HEAD) / HEAD);
  const from = HEAD + (turn % pages) * HEAD + 1;
  return [head, [from, Math.min(length, from + HEAD - 1)]];
}

/** Why they wait: whoever is next waits for a place, everybody else for those before them as well. */
export const waitingBecause = (position: number) => (position === 1 ? 'everyone-full' : 'others-wait-first');
