/** Handing sockets on: their clients connect again elsewhere, and not all of them at the same moment. */
import type { Socket } from 'socket.io';
import type { Share } from '../workload.ts';

/** A connected socket, and what it has under way. */
export type Present = { readonly socket: Socket; readonly share: Share };

/**
 * Of the window, the part before the first socket goes: in it the balancer notices that this node is no longer ready, so
 * that it sends nobody back.
 */
const NOTICE = 1 / 5;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Ends a socket once nothing of it is under way; resolves when it has gone. */
function leave({ socket, share }: Present): Promise<void> {
  return new Promise((resolve) => {
    if (!socket.connected) {
      resolve();
      return;
    }
    socket.once('disconnect', () => resolve());
    const end = () => {
      if (share.underWay === 0) socket.disconnect(true);
    };
    // Not before what was just answered has been written.
    share.onIdle = () => setImmediate(end);
    end();
  });
}

/**
 * Ends the sockets one after another in the order given, spread evenly over the window. Resolves when all have gone, and at
 * the end of the window at the latest: what still has something under way then is left.
 */
export async function handOn(present: readonly Present[], windowMs: number): Promise<void> {
  const began = performance.now();
  const left = (ms: number) => began + ms - performance.now();
  const notice = windowMs * NOTICE;
  const gone: Promise<void>[] = [];
  await pause(notice);
  for (const [i, one] of present.entries()) {
    const due = notice + (i / present.length) * (windowMs - notice);
    // A timer is late by a millisecond or more: thousands of sockets go several at a time.
    if (left(due) > 0) await pause(left(due));
    gone.push(leave(one));
  }
  let end: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    end = setTimeout(resolve, left(windowMs));
  });
  await Promise.race([Promise.all(gone), over]);
  clearTimeout(end);
}
