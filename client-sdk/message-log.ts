/**
 * Puts the messages of conversations in order. They arrive in any order and possibly more than once: live, as the answer
 * to one's own sending, and in pages fetched. They leave once each, in the order of their `seq`.
 *
 * A store that has lost its latest writes (a power cut, a replica that took over) gives their numbers anew, to other
 * messages. So the latest that were shown are remembered by id as well: where they turn out to be others, what the store
 * has now is compared with them, and what is new is shown.
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
  /** The store has `lastSeq` messages, fewer than were shown: there is a gap now over all that can be compared. */
  doubt(conversation: string, lastSeq: number): void;
  /** Nothing up to `upTo` can be fetched any more: steps over what is missing and answers those to show now. */
  settle(conversation: string, upTo: number): Message[];
  /** What is to be fetched, if anything. */
  gap(conversation: string): Gap | undefined;
  /** `seq` of the message shown last, or compared last; undefined for a conversation never heard of. */
  shown(conversation: string): number | undefined;
  follows(conversation: string): boolean;
  /** The conversations followed, each with the `seq` of the message shown last. */
  following(): Map<string, number>;
};

/**
 * Bounds of a log's memory: messages kept a conversation while an earlier one is missing, conversations remembered, and
 * messages whose ids are remembered a conversation.
 */
export type MessageLogLimits = { waiting: number; remembered: number; compared: number };

type Track = {
  shown: number;
  known: number;
  readonly waiting: Map<number, Message>;
  /** Ids of the messages shown last, by their `seq`, in its order. */
  readonly ids: Map<number, string>;
};

/** An empty log. */
export function createMessageLog(
  limits: MessageLogLimits = { waiting: 500, remembered: 1_000, compared: 100 },
): MessageLog {
  const tracks = new Map<string, Track>();
  /** Of conversations no longer followed: the last seq shown, longest ago first. */
  const marks = new Map<string, number>();

  /** Moves on to a message; true where it is to be shown, and was not before the store lost something. */
  function reach(track: Track, { seq, id }: Message): boolean {
    track.waiting.delete(seq);
    track.shown = seq;
    if (track.ids.get(seq) === id) return false;
    // What was shown from here on is not there any more.
    for (const shown of [...track.ids.keys()].reverse()) {
      if (shown < seq) break;
      track.ids.delete(shown);
    }
    track.ids.set(seq, id);
    const [first] = track.ids.keys();
    if (track.ids.size > limits.compared && first !== undefined) track.ids.delete(first);
    return true;
  }

  /** Begins to compare what the store has up to `upTo` with what was shown. */
  function compare(track: Track, upTo: number): void {
    const [first = upTo + 1] = track.ids.keys();
    track.shown = Math.min(first - 1, upTo);
    track.known = upTo;
    track.waiting.clear();
  }

  /** Moves on while the next message is there. */
  function flush(track: Track): Message[] {
    const ready: Message[] = [];
    for (let next = track.waiting.get(track.shown + 1); next; next = track.waiting.get(track.shown + 1)) {
      if (reach(track, next)) ready.push(next);
    }
    track.known = Math.max(track.known, track.shown);
    return ready;
  }

  function begin(conversation: string, after: number): Track {
    const shown = Math.max(after, marks.get(conversation) ?? 0);
    const track: Track = { shown, known: shown, waiting: new Map(), ids: new Map() };
    marks.delete(conversation);
    tracks.set(conversation, track);
    return track;
  }

  function remember(conversation: string, shown: number): void {
    marks.delete(conversation);
    marks.set(conversation, shown);
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
      remember(conversation, track.shown);
    },

    accept(message) {
      const { conversation, seq } = message;
      const mark = marks.get(conversation);
      if (mark !== undefined) {
        // A straggler of a conversation that has gone: shown if it is newer; nothing is fetched for its sake.
        if (seq <= mark) return [];
        remember(conversation, seq);
        return [message];
      }
      const track = tracks.get(conversation) ?? begin(conversation, seq - 1);
      if (seq <= track.shown) {
        if ((track.ids.get(seq) ?? message.id) === message.id) return [];
        compare(track, seq);
      }
      track.known = Math.max(track.known, seq);
      // When too many wait, the rest is not kept: it is known to exist, and is fetched in its turn.
      if (track.waiting.size < limits.waiting || seq === track.shown + 1) track.waiting.set(seq, message);
      return flush(track);
    },

    doubt(conversation, lastSeq) {
      const track = tracks.get(conversation);
      if (track && lastSeq < track.shown) compare(track, lastSeq);
    },

    settle(conversation, upTo) {
      const track = tracks.get(conversation);
      if (!track || track.shown >= upTo) return [];
      const kept = [...track.waiting.values()].filter((m) => m.seq <= upTo).sort((a, b) => a.seq - b.seq);
      const ready = kept.filter((message) => reach(track, message));
      track.shown = upTo;
      return [...ready, ...flush(track)];
    },

    gap(conversation) {
      const track = tracks.get(conversation);
      return track && track.shown < track.known ? { afterSeq: track.shown, upTo: track.known } : undefined;
    },

    shown: (conversation) => tracks.get(conversation)?.shown ?? marks.get(conversation),
    follows: (conversation) => tracks.has(conversation),
    following: () => new Map([...tracks].map(([conversation, { shown }]) => [conversation, shown])),
  };
}
