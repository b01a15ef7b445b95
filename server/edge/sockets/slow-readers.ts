/**
 * Who does not read does not make our memory grow: a connection for which too much waits to be sent is ended. Its client
 * connects again and asks for what it lacks, as after any lost connection.
 */
import type { Log } from '../../services/house.ts';
import type { Meter } from '../../services/meter.ts';
import type { Io } from './tell.ts';

/**
 * What may wait for one connection, in characters or bytes. The longest answer there is, a page of 200 messages of 8,000
 * characters, is 4.8 MB where each takes three bytes; who reads at all has little more than that waiting, and not for long.
 */
const MOST_WAITING = 8 * 1024 * 1024;

/** What of engine.io's connections is looked at. */
type Reader = {
  readonly writeBuffer: readonly { readonly data?: unknown }[];
  readonly transport: {
    readonly name: string;
    /** The WebSocket, where it is one. */
    readonly socket?: { readonly bufferedAmount: number; terminate(): void };
  };
  on(event: 'packetCreate', listener: (packet: { readonly data?: unknown }) => void): unknown;
  close(discard: boolean): unknown;
};

function sizeOf({ data }: { readonly data?: unknown }): number {
  if (typeof data === 'string') return data.length;
  return data instanceof Uint8Array ? data.byteLength : 0;
}

function waitingFor({ writeBuffer, transport }: Reader): number {
  return writeBuffer.reduce((sum, packet) => sum + sizeOf(packet), transport.socket?.bufferedAmount ?? 0);
}

/** Ends connections for which more than `most` waits. What waits is added up anew only after as much again was sent. */
export function endSlowReaders(
  io: Io,
  { log, meter }: { readonly log: Log; readonly meter: Pick<Meter, 'turnedAway'> },
  most = MOST_WAITING,
): void {
  io.engine.on('connection', (reader: Reader) => {
    let sent = 0;
    let ended = false;
    reader.on('packetCreate', (packet) => {
      if (sent > most && !ended) {
        sent = waitingFor(reader);
        ended = sent > most;
        if (ended) {
          meter.turnedAway('unread');
          log.warn({ waiting: sent, transport: reader.transport.name }, 'a connection does not read; it is ended');
          // A WebSocket would first wait for all of it to be read.
          if (reader.transport.name === 'websocket') reader.transport.socket?.terminate();
          else reader.close(true);
          return;
        }
      }
      sent += sizeOf(packet);
    });
  });
}
