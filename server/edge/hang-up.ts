/** Ending what an HTTP server still has open: answers are written, and then nobody keeps it from closing. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as breath } from 'node:timers/promises';
import { TooLate, within } from './time-limit.ts';

/** How long a client may take to agree that its WebSocket ends, in ms; one that hangs never does. */
const FAREWELL_MS = 1_000;

/**
 * Follows the connections of a server that does not listen yet. What it answers ends those that are left, and resolves when
 * the server, which has been told to close, has; `closed` says so.
 */
export function createHangUp(http: Server): (closed: Promise<unknown>) => Promise<void> {
  const open = new Set<Socket>();
  http.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return async (closed) => {
    // What was answered just now is still to be written.
    await breath();
    // A connection that is kept for the next request would keep the server for more than a minute.
    http.closeAllConnections();
    await within(FAREWELL_MS, closed).catch((error) => {
      if (!(error instanceof TooLate)) throw error;
      for (const socket of open) socket.destroy();
    });
    await closed;
  };
}
