/** The server of websockets beneath socket.io, which shows each of them with the bytes that come over it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';

/** How long a client may take to say goodbye, in ms; `ws` itself would wait 30 s. */
const GOODBYE_MS = 2_000;

export type Arrived = {
  readonly request: IncomingMessage;
  readonly websocket: WebSocket;
  /** Tells how many bytes have come, before `ws` looks at them. */
  onBytes(hear: (bytes: number) => void): void;
};

/** For the option `wsEngine` of socket.io. `arrived` is told before socket.io. */
export function shownWebSockets(arrived: (arrived: Arrived) => void): typeof WebSocketServer {
  return class extends WebSocketServer {
    constructor(options: ServerOptions) {
      const withGoodbye: ServerOptions & { closeTimeout: number } = { ...options, closeTimeout: GOODBYE_MS };
      super(withGoodbye);
    }

    override handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      callback: (client: WebSocket, request: IncomingMessage) => void,
    ): void {
      super.handleUpgrade(request, socket, head, (websocket: WebSocket) => {
        arrived({
          request,
          websocket,
          // First: `ws` may have read a whole packet by the time it returns.
          onBytes: (hear) => void socket.prependListener('data', (chunk: Buffer) => hear(chunk.length)),
        });
        callback(websocket, request);
      });
    }
  } as typeof WebSocketServer;
}
