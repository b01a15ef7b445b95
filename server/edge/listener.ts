/**
 * The HTTP server, with its patience. Whoever sends a request byte by byte, reads an answer byte by byte, or opens connections
 * and says nothing, is let go of after a while, and holds no more of them than others leave.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { addressKey } from '../services/address-key.ts';
import type { LimitOptions } from '../services/allowances.ts';

const SECOND = 1_000;

const patience = {
  /** From the connection, or the request before, until all headers have come. They fit into a packet or two. */
  headersTimeout: 10 * SECOND,
  /** Until the body has come as well: 2 MB, the largest, over a slow mobile line. */
  requestTimeout: 30 * SECOND,
  /** How often the two above are looked at; they may take this much longer. */
  connectionsCheckingInterval: 2 * SECOND,
  /** An idle connection is kept for the next request; longer than balancers keep theirs, which would else send into one that closes. */
  keepAliveTimeout: 75 * SECOND,
} as const;

/** A connection on which nothing moves is ended: an answer that is not read. Long polling is silent for 25 s at most. */
const SILENCE_MS = 60 * SECOND;

/** Requests under way on one connection. */
const MAX_PIPELINED = 10;

/** Where socket.io is. */
const SOCKETS_PATH = '/socket.io/';

/** Browsers send some twenty. */
const MAX_HEADERS = 100;

export type ListenerParts = {
  readonly allowed: Pick<LimitOptions, 'connections' | 'connectionsOfAddress'>;
  /** Behind proxies a connection does not say whose it is: they have to bound what one address opens. */
  readonly trustProxy: number;
};

/** It does not listen yet. */
export function createListener(app: RequestListener, { allowed, trustProxy }: ListenerParts): Server {
  const server = createServer(patience, oneByOne(app));
  server.timeout = SILENCE_MS;
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = allowed.connections;
  server.on('upgrade', refuseUpgrade);
  if (trustProxy === 0) boundEachAddress(server, allowed.connectionsOfAddress);
  return server;
}

/**
 * Whoever sends the next request before the last is answered may have a few so; browsers and balancers have none. Node reads all
 * requests of a chunk, and a thousand fit into one: their answers would be sixty megabytes that nobody has to read.
 */
function oneByOne(app: RequestListener): RequestListener {
  const underWay = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    const count = (underWay.get(socket) ?? 0) + 1;
    if (count > MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    underWay.set(socket, count);
    response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    app(request, response);
  };
}

/** Only socket.io has anything to upgrade to. Whoever is refused may not keep the connection, which no timeout sees any more. */
function refuseUpgrade({ url }: IncomingMessage, socket: Duplex): void {
  if (url?.startsWith(SOCKETS_PATH)) return;
  socket.on('error', () => {});
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
}

function boundEachAddress(server: Server, most: number): void {
  const open = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const address = addressKey(socket.remoteAddress ?? '');
    const count = (open.get(address) ?? 0) + 1;
    if (count > most) {
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}
