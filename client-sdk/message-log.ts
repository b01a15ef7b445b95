/**
 * Puts the messages of conversations in order. They arrive in any order and possibly more than once: live, as the answer
 * to one's own sending, and in pages fetched. They leave once each, in the order of their `seq`.
 *
 * A store that has lost its latest writes (a power cut, a replica that took over) gives their numbers anew, to other
 * messages. So the latest that were shown are remembered by id as well: where they turn out to be others, or may be, what the
 * store has now is compared with them, and what is new is shown: in its order, though perhaps after something that came later.
 */
import type { Message } from './contract/index.ts';

/** Messages up to `upTo` exist, those up to `afterSeq` have been shown; what lies between is to be fetched. */
export type Gap = { afterSeq: number; upTo: number };

/** What has been shown of each conversation, and what waits for something before it. */
export type MessageLog = {
  /**
   * Tells that the conversation has `lastSeq` messages. The first time, and again after `unfollow`, showing begins
   * after it; later it reveals what has not come yet.
   */
  follow(conversation: string, lastSeq: number): void;
  /** The conversation is no longer listened to: what waits is forgotten, what was shown is remembered for a while. */
  unfollow(conversation: string): void;
  /** Takes a message and answers those to show now. Of a conversation not heard of, showing begins with this one. */
  accept(message: Message): Message[];
  /** Nothing up to `upTo` can be fetched any more: steps over what is missing and answers those to show now. */
  settle(conversation: string, upTo: number): Message[];
  /**
   * What was shown may not be what the store has: there is a gap now over all that can be compared. `lastSeq`: as many messages
   * as it has, where that is known.
   */
  doubt(conversation: string, lastSeq?: number): void;
  /** What is to be fetched, if anything. */
  gap(conversation: string): Gap | undefined;
  /** `seq` up to which nothing is missing; undefined for a conversation never heard of. */
  reached(conversation: string): number | undefined;
  follows(conversation: string): boolean;
  /** The conversations followed, each as far as it is `reached`. */
  following(): Map<string, number>;
  /** Those of them in which something was shown last, at most `count`, latest last. */
  latest(count: number): string[];
};

/**
 * Bounds of a log's memory: messages kept a conversation while an earlier one is missing, conversations remembered, and
 * messages whose ids are remembered a conversation.
 */
export type MessageLogLimits = { waiting: number; remembered: number; compared: number };

/** What was shown of a conversation: kept while it is followed, and for a while after. */
type Shown = {
  /** Up to here nothing is missing. */
  reached: number;
  /** While what was shown is compared: up to where it had been, and is again if nobody listens any more. */
  before: number | undefined;
  /** The latest ids by their `seq`, as the store had them. */
  readonly at: Map<number, string>;
  /** The latest ids, also of what the store has lost since. */
  readonly ids: Set<string>;
};

type Track = Shown & { known: number; readonly waiting: Map<number, Message> };

/** Leaves the latest `count`. */
function trim(kept: Map<number, string> | Set<string>, count: number): void {
  const [first] = kept.keys();
  if (kept.size > count && first !== undefined) (kept as Map<unknown, unknown>).delete(first);
}

/** An empty log. */
export function createMessageLog(
  limits: MessageLogLimits = { waiting: 500, remembered: 1_000, compared: 50 },
): MessageLog {
  /** In the order in which something was last shown. */
  const tracks = new Map<string, Track>();
  /** Of conversations no longer followed, longest ago first. */
  const marks = new Map<string, Shown>();

  /** Moves on to a message; true where it is to be shown, and was not already. */
  function reach(shown: Shown, { seq, id }: Message): boolean {
    shown.reached = seq;
    shown.at.delete(seq);
    shown.at.set(seq, id);
    trim(shown.at, limits.compared);
    if (shown.ids.has(id)) return false;
    shown.ids.add(id);
    trim(shown.ids, 2 * limits.compared);
    return true;
  }

  /** Whether a message has the number of another that was shown, and was not shown itself. */
  const isAnother = ({ at, ids }: Shown, { seq, id }: Message) => (at.get(seq) ?? id) !== id && !ids.has(id);

  /** Begins to compare what the store has up to `upTo` with what was shown. */
  function compare(track: Track, upTo: number): void {
    track.before ??= track.reached;
    track.reached = Math.min(track.reached, upTo, Math.min(upTo + 1, ...track.at.keys()) - 1);
    track.known = upTo;
    track.waiting.clear();
  }

  /** Moves on while the next message is there. */
  function flush(conversation: string, track: Track): Message[] {
    const ready: Message[] = [];
    for (let next = track.waiting.get(track.reached + 1); next; next = track.waiting.get(track.reached + 1)) {
      track.waiting.delete(next.seq);
      if (reach(track, next)) ready.push(next);
    }
    track.known = Math.max(track.known, track.reached);
    if (track.reached === track.known) track.before = undefined;
    if (ready.length > 0) {
      tracks.delete(conversation);
      tracks.set(conversation, track);
    }
    return ready;
  }

  function begin(conversation: string, after: number): Track {
    const mark = marks.get(conversation) ?? { reached: after, before: undefined, at: new Map(), ids: new Set() };
    // What lies between what was shown then and now is history, and not to be compared.
    const at = after > mark.reached ? new Map<number, string>() : mark.at;
    const track: Track = { ...mark, at, reached: Math.max(mark.reached, after), known: after, waiting: new Map() };
    if (after < mark.reached) compare(track, after);
    marks.delete(conversation);
    tracks.set(conversation, track);
    return track;
  }

  function remember(conversation: string, { reached, at, ids }: Shown): void {
    marks.delete(conversation);
    marks.set(conversation, { reached, before: undefined, at, ids });
    const [longestAgo] = marks.keys();
    if (marks.size > limits.remembered && longestAgo !== undefined) marks.delete(longestAgo);
  }

  return {
    follow(conversation, lastSeq) {
      const track = tracks.get(conversation);
      if (track) track.known = Math.max(track.known, lastSeq);
      else begin(conversation, lastSeq);
    },

    unfollow(conversation) {
      const track = tracks.get(conversation);
      if (!track) return;
      tracks.delete(conversation);
      remember(conversation, { ...track, reached: track.before ?? track.reached });
    },

    accept(message) {
      const { conversation, seq } = message;
      const mark = marks.get(conversation);
      if (mark) {
        // A straggler of a conversation that has gone: shown if it is newer; nothing is fetched for its sake.
        if (seq <= mark.reached && !isAnother(mark, message)) return [];
        // What lies between is nothing that was shown here, and not to be compared.
        if (seq > mark.reached + 1) mark.at.clear();
        if (!reach(mark, message)) return [];
        remember(conversation, mark);
        return [message];
      }
      const track = tracks.get(conversation) ?? begin(conversation, seq - 1);
      if (seq <= track.reached) {
        if (!isAnother(track, message)) return [];
        compare(track, seq);
      }
      track.known = Math.max(track.known, seq);
      // When too many wait, the rest is not kept: it is known to exist, and is fetched in its turn.
      if (track.waiting.size < limits.waiting || seq === track.reached + 1) track.waiting.set(seq, message);
      return flush(conversation, track);
    },

    doubt(conversation, lastSeq) {
      const track = tracks.get(conversation);
      if (track) compare(track, lastSeq ?? track.known);
    },

    settle(conversation, upTo) {
      const track = tracks.get(conversation);
      if (!track || track.reached >= upTo) return [];
      const kept = [...track.waiting.values()].filter((m) => m.seq <= upTo).sort((a, b) => a.seq - b.seq);
      for (const { seq } of kept) track.waiting.delete(seq);
      // What is not there has no id, and whatever comes in its place is another.
      for (let seq = Math.max(track.reached, upTo - limits.compared) + 1; seq <= upTo; seq += 1) track.at.set(seq, '');
      const ready = kept.filter((message) => reach(track, message));
      track.reached = upTo;
      while (track.at.size > limits.compared) trim(track.at, limits.compared);
      return [...ready, ...flush(conversation, track)];
    },

    gap(conversation) {
      const track = tracks.get(conversation);
      return track && track.reached < track.known ? { afterSeq: track.reached, upTo: track.known } : undefined;
    },

    reached: (conversation) => (tracks.get(conversation) ?? marks.get(conversation))?.reached,
    follows: (conversation) => tracks.has(conversation),
    following: () => new Map([...tracks].map(([conversation, { reached }]) => [conversation, reached])),
    latest: (count) =>
      [...tracks]
        .filter(([, { at }]) => at.size > 0)
        .slice(-count)
        .map(([conversation]) => conversation),
  };
}
