/** Brings messages through the log to whoever listens, and fetches what the log finds missing. */
import type { Message } from './contract/index.ts';
import { createMessageLog } from './message-log.ts';

/** What a flow needs of its client. */
export type FlowSource = {
  /** Messages after a seq, in order, as many as the server gives at once. */
  list(conversation: string, afterSeq: number): Promise<{ messages: Message[]; hasMore: boolean }>;
  /** A message to be shown: each once, in the order of its conversation. */
  tell(message: Message): void;
  /** A listing failed. True when the client will ask again by `catchUp` or `follow`; false when there is no use. */
  asksAgain(error: unknown): boolean;
};

/** Of so many conversations it is compared what was told last: as many as somebody writes in within a moment. */
const LATEST = 20;

/** The messages of all conversations of one client. */
export type MessageFlow = {
  /** Takes messages from wherever they come. True when one is of a conversation nobody had spoken of. */
  take(messages: readonly Message[]): boolean;
  /** Tells every message after `lastSeq` from now on; of a conversation already followed, fetches what is missing. */
  follow(conversation: string, lastSeq: number): void;
  /** Tells what came up to `lastSeq`, as far as it may still be read, and then nothing more. */
  leave(conversation: string, lastSeq?: number): void;
  /** The server has `lastSeq` messages, fewer than were told: tells those that are there and were not told. */
  doubt(conversation: string, lastSeq: number): void;
  /** The server may have lost what was told last, and have others in its place: tells those. */
  doubtLatest(): void;
  /** Asks for everything after what was shown last, even if nothing is known to be missing. */
  catchUp(conversation: string): void;
  follows(conversation: string): boolean;
  /** The conversations followed, each with the `seq` up to which nothing is missing. */
  following(): Map<string, number>;
};

/** A flow without any conversation yet. */
export function createMessageFlow(source: FlowSource): MessageFlow {
  const log = createMessageLog();
  /** Conversations whose missing messages are being fetched. */
  const filling = new Set<string>();
  /** Conversations to be followed no longer once nothing of them is missing. */
  const leaving = new Set<string>();

  function tell(messages: readonly Message[]): void {
    for (const message of messages) source.tell(message);
  }

  /** Fetches until nothing is missing. One at a time for each conversation; the one under way sees what came meanwhile. */
  async function fill(conversation: string, evenWithoutGap = false): Promise<void> {
    if (filling.has(conversation)) return;
    filling.add(conversation);
    try {
      for (let more = evenWithoutGap; log.follows(conversation); ) {
        const reached = log.reached(conversation) ?? 0;
        const upTo = log.gap(conversation)?.upTo ?? reached;
        if (upTo === reached && !more) break;
        const page = await source.list(conversation, reached);
        for (const message of page.messages) if (log.follows(conversation)) tell(log.accept(message));
        const now = log.reached(conversation) ?? 0;
        more = page.hasMore && now > reached;
        // Nothing is stepped over of what was doubted meanwhile, and nothing that there may not be.
        const left = log.gap(conversation);
        if (!more && now >= reached && left) tell(log.settle(conversation, Math.min(upTo, left.upTo)));
      }
    } catch (error) {
      if (source.asksAgain(error)) return;
      // Not ours to read any more: nothing is held back for what will never come.
      log.unfollow(conversation);
    } finally {
      filling.delete(conversation);
    }
    if (leaving.delete(conversation)) log.unfollow(conversation);
  }

  return {
    take(messages) {
      let unheardOf = false;
      for (const message of messages) {
        unheardOf ||= log.reached(message.conversation) === undefined;
        tell(log.accept(message));
      }
      for (const conversation of new Set(messages.map((message) => message.conversation))) void fill(conversation);
      return unheardOf;
    },
    follow(conversation, lastSeq) {
      leaving.delete(conversation);
      log.follow(conversation, lastSeq);
      void fill(conversation);
    },
    leave(conversation, lastSeq = 0) {
      if (!log.follows(conversation)) return;
      log.follow(conversation, lastSeq);
      leaving.add(conversation);
      void fill(conversation);
    },
    doubt(conversation, lastSeq) {
      log.doubt(conversation, lastSeq);
      void fill(conversation);
    },
    doubtLatest() {
      for (const conversation of log.latest(LATEST)) {
        log.doubt(conversation);
        void fill(conversation);
      }
    },
    catchUp(conversation) {
      void fill(conversation, true);
    },
    follows: log.follows,
    following: log.following,
  };
}
