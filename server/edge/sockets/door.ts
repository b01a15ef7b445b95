/**
 * The door of the sockets: connections before anybody knows whose they are, and what each may send.
 *
 * A connection is half open until it has joined a namespace with a good token. So many half-open ones are kept; then the
 * oldest makes room: who has a token joins within milliseconds, who only holds places loses them first.
 *
 * A connection has one transport at a time: long polling, a websocket, or a websocket that is tried beside the polling.
 * Bytes of a websocket count for its connection once the connection uses it, until then for the websocket alone.
 */
import type { IncomingMessage } from 'node:http';
import type { ServerOptions, Socket } from 'socket.io';
import type { WebSocket } from 'ws';
import { addressKey } from '../../services/address-key.ts';
import { createFlow } from '../../services/flow.ts';
import type { Limits } from '../../services/limits.ts';
import type { Meter, TurnedAway } from '../../services/meter.ts';
import { addressOf } from '../came-from.ts';
import { securityHeaders } from '../security-headers.ts';
import { refuseRoot } from './handshake.ts';
import { createIntakes, type Intake } from './intake.ts';
import { packetParser } from './packets.ts';
import type { Io } from './tell.ts';
import { type Arrived, shownWebSockets } from './web-sockets.ts';

/** The most one packet may carry, in bytes: beyond it the connection is ended instead of answered. */
const MAX_PACKET_BYTES = 16 * 1024 * 1024;

/** How long a connection may be half open, in ms. */
const HALF_OPEN_MS = 10_000;

/** Of engine.io's sockets, what is documented and used here; the types of socket.io hide the id. */
type Connection = {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly readyState: string;
  on(event: 'packet', listen: (packet: { readonly type: string; readonly data?: unknown }) => void): void;
  once(event: 'upgrade' | 'close', listen: () => void): void;
  close(discard: true): void;
};
const connectionOf = ({ conn }: Socket) => conn as unknown as Connection;

/** A connection, from its first request on. */
type Guest = {
  readonly connection: Connection;
  readonly address: string;
  readonly intake: Intake;
  /** Counts a packet, and ends the connection where they are too many. */
  packet(): void;
  namespaces: number;
  line: Line | undefined;
  /** While it is half open. */
  patience?: NodeJS.Timeout;
};

/** A websocket; `guest` from when the connection uses it. */
type Line = { readonly websocket: WebSocket; guest: Guest | undefined; before: number };

export type Door = {
  /** What socket.io is to be made with. */
  readonly options: Partial<ServerOptions>;
  /** Watches over the connections of a socket.io that is attached to its HTTP server. */
  watch(io: Io): void;
};

export type DoorParts = {
  readonly limits: Limits;
  readonly trustProxy: number;
  readonly meter: Pick<Meter, 'turnedAway'>;
};

/** The connection that a request belongs to; none for the first of a connection. */
const connectionIn = (request: IncomingMessage) =>
  new URL(request.url ?? '', 'http://localhost').searchParams.get('sid') ?? undefined;

/** The first is the one that has been in it longest. */
const oldestOf = (guests: ReadonlySet<Guest> | undefined): Guest | undefined => guests?.values().next().value;

export function createDoor({ limits, trustProxy, meter }: DoorParts): Door {
  const { allowed, time } = limits;
  const openIntake = createIntakes({ allowed, time });
  const guests = new Map<string, Guest>();
  const connectionsOf = new Map<string, number>();
  const halfOpen = new Set<Guest>();
  const halfOpenOf = new Map<string, Set<Guest>>();
  /** Websockets that are the first transport of their connection, by their request. */
  const first = new WeakMap<IncomingMessage, Line>();
  /** Websockets that are tried beside a polling connection. */
  const tried = new Map<string, Set<Line>>();

  function end({ connection, line }: Guest, because: TurnedAway): void {
    // What it has sent already may still come.
    if (connection.readyState === 'open') meter.turnedAway(because);
    connection.close(true);
    line?.websocket.terminate();
  }

  function arrived({ request, websocket, onBytes }: Arrived): void {
    const line: Line = { websocket, guest: undefined, before: 0 };
    onBytes((bytes) => {
      if (line.guest) {
        line.guest.intake.received(bytes);
        return;
      }
      line.before += bytes;
      if (line.before <= allowed.bytesBeforeJoining) return;
      if (websocket.readyState === websocket.OPEN) meter.turnedAway('bytes');
      websocket.terminate();
    });
    // Answered by `ws` itself: socket.io has packets of its own for this, and browsers cannot send any.
    websocket.on('ping', () => line.guest?.packet());
    const connection = connectionIn(request);
    if (connection === undefined) {
      first.set(request, line);
      return;
    }
    const lines = tried.get(connection) ?? new Set();
    tried.set(connection, lines.add(line));
    websocket.once('close', () => {
      lines.delete(line);
      if (lines.size === 0) tried.delete(connection);
    });
  }

  function use(guest: Guest, line: Line | undefined): void {
    if (!line) return;
    line.guest = guest;
    guest.line = line;
  }

  function becomeHalfOpen(guest: Guest): void {
    const others = halfOpenOf.get(guest.address) ?? new Set();
    halfOpenOf.set(guest.address, others);
    const crowded =
      others.size >= allowed.halfOpenOfAddress
        ? oldestOf(others)
        : halfOpen.size >= allowed.halfOpen
          ? oldestOf(halfOpen)
          : undefined;
    halfOpen.add(guest);
    others.add(guest);
    guest.patience = setTimeout(() => end(guest, 'half-open'), HALF_OPEN_MS).unref();
    if (crowded) end(crowded, 'half-open');
  }

  function beNoLongerHalfOpen(guest: Guest): void {
    clearTimeout(guest.patience);
    halfOpen.delete(guest);
    const others = halfOpenOf.get(guest.address);
    others?.delete(guest);
    if (others?.size === 0) halfOpenOf.delete(guest.address);
  }

  function welcome(connection: Connection): void {
    const address = addressKey(addressOf(connection.request, trustProxy));
    const flow = createFlow(allowed.packets);
    const guest: Guest = {
      connection,
      address,
      intake: openIntake(() => end(guest, 'bytes')),
      packet() {
        if (!flow.take(time())) end(guest, 'packets');
      },
      namespaces: 0,
      line: undefined,
    };
    guests.set(connection.id, guest);
    connectionsOf.set(address, (connectionsOf.get(address) ?? 0) + 1);
    use(guest, first.get(connection.request));
    becomeHalfOpen(guest);

    connection.on('packet', ({ type, data }) => {
      guest.packet();
      guest.intake.packet(type, data);
    });
    connection.once('upgrade', () => {
      // socket.io has hung up on any other.
      const lines = [...(tried.get(connection.id) ?? [])];
      use(
        guest,
        lines.find(({ websocket }) => websocket.readyState === websocket.OPEN),
      );
    });
    connection.once('close', () => {
      guests.delete(connection.id);
      const left = (connectionsOf.get(address) ?? 1) - 1;
      if (left > 0) connectionsOf.set(address, left);
      else connectionsOf.delete(address);
      beNoLongerHalfOpen(guest);
      guest.intake.closed();
    });
  }

  function joined(socket: Socket): void {
    const guest = guests.get(connectionOf(socket).id);
    if (!guest) return;
    guest.namespaces += 1;
    beNoLongerHalfOpen(guest);
    guest.intake.joined();
    socket.once('disconnect', () => {
      guest.namespaces -= 1;
      if (guest.namespaces > 0 || guest.connection.readyState !== 'open') return;
      becomeHalfOpen(guest);
    });
  }

  /** What comes in by long polling. */
  function countBody(request: IncomingMessage): void {
    if (request.method !== 'POST') return;
    const guest = guests.get(connectionIn(request) ?? '');
    // In front, and without starting to read: that is for whoever understands it.
    if (guest)
      request.prependListener('data', (chunk: string | Buffer) => guest.intake.received(Buffer.byteLength(chunk)));
  }

  function refused(because: TurnedAway, says: string): string {
    meter.turnedAway(because);
    return says;
  }

  function refusalOf(request: IncomingMessage): string | undefined {
    const address = addressOf(request, trustProxy);
    if (guests.size >= allowed.connections)
      return refused('connections', 'unavailable: too many connections; try again in a moment');
    if ((connectionsOf.get(addressKey(address)) ?? 0) >= allowed.connectionsOfAddress)
      return refused('connections', 'rate-limited: too many connections from this address');
    try {
      limits.handshake(address);
      return undefined;
    } catch {
      return refused('handshakes', 'rate-limited: too many connections from this address in a short time');
    }
  }

  return {
    options: {
      maxHttpBufferSize: MAX_PACKET_BYTES,
      // Ours comes first, and counts; it is for who has left again, too.
      connectTimeout: 2 * HALF_OPEN_MS,
      cors: { origin: true },
      serveClient: false,
      // The listener does it.
      destroyUpgrade: false,
      // A frame of a kilobyte could unfold to megabytes.
      perMessageDeflate: false,
      parser: packetParser,
      wsEngine: shownWebSockets(arrived),
      allowRequest(request, answer) {
        const refusal = refusalOf(request);
        answer(refusal, refusal === undefined);
      },
    },
    watch(io) {
      io.engine.use(securityHeaders);
      io.engine.use((request: IncomingMessage, _response: unknown, next: () => void) => {
        countBody(request);
        next();
      });
      io.engine.on('connection', welcome);
      refuseRoot(io);
      for (const namespace of ['/buyer', '/agent']) io.of(namespace).on('connection', joined);
    },
  };
}
