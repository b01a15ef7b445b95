/**
 * How many bytes connections may send, and how many of them may wait here for the rest of their packet. One connection may
 * send a packet of megabytes; that is answered like any other. A thousand of them at once would be the end of us.
 */
import type { LimitOptions } from '../../services/allowances.ts';
import { createFlow } from '../../services/flow.ts';

/** One connection's. */
export type Intake = {
  /** Bytes have come. Ends the connection, or the one with most unfinished bytes, where they are too many. */
  received(bytes: number): void;
  /** A packet has come to its end, with the data it carries. */
  packet(type: string, data: unknown): void;
  /** It is known whose connection this is. */
  joined(): void;
  /** Nothing more will come. */
  closed(): void;
};

export type IntakeParts = {
  readonly allowed: Pick<LimitOptions, 'bytes' | 'bytesBeforeJoining' | 'unfinishedBytes'>;
  /** Milliseconds that never go back. */
  readonly time: () => number;
};

type Unfinished = { bytes: number; readonly end: () => void };

/** Only these are looked through for the largest; a chunk of the network has so much. */
const LARGE = 64 * 1024;

/** How many binary packets belong to this one and follow it. */
const attachmentsOf = (data: string) => Number(/^[56](\d{1,4})-/.exec(data)?.[1] ?? 0);

/** Opens the intake of a connection that `end` ends. */
export function createIntakes({ allowed, time }: IntakeParts): (end: () => void) => Intake {
  let sum = 0;
  const large = new Set<Unfinished>();

  function set(unfinished: Unfinished, bytes: number): void {
    sum += bytes - unfinished.bytes;
    unfinished.bytes = bytes;
    if (bytes > LARGE) large.add(unfinished);
    else large.delete(unfinished);
  }

  function endLargest(): void {
    let largest: Unfinished | undefined;
    for (const one of large) if (!largest || one.bytes > largest.bytes) largest = one;
    if (!largest) return;
    set(largest, 0);
    largest.end();
  }

  return (end) => {
    const unfinished: Unfinished = { bytes: 0, end };
    const flow = createFlow(allowed.bytes);
    let known = false;
    let before = 0;
    /** Binary packets that are still to come, and what is kept until then. */
    let awaited = 0;
    let kept = 0;
    return {
      received(bytes) {
        if (!known) {
          before += bytes;
          if (before > allowed.bytesBeforeJoining) end();
          return;
        }
        if (!flow.take(time(), bytes)) {
          end();
          return;
        }
        set(unfinished, unfinished.bytes + bytes);
        if (sum > allowed.unfinishedBytes) endLargest();
      },
      packet(type, data) {
        if (type === 'message' && typeof data === 'string') {
          awaited = attachmentsOf(data);
          kept = awaited > 0 ? data.length : 0;
        } else if (type === 'message') {
          awaited = Math.max(0, awaited - 1);
          kept = awaited > 0 ? kept + (data as Buffer).length : 0;
        }
        set(unfinished, kept);
      },
      joined() {
        known = true;
      },
      closed() {
        set(unfinished, 0);
      },
    };
  };
}
