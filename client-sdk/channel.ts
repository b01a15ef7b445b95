/**
 * One held connection to a namespace of the server. Commands are promises; what was not acknowledged when the
 * connection broke is sent again, in order, and carried out once.
 */
import { io, type Socket } from 'socket.io-client';
import { CommandError, type CommandErrorCode, localError } from './command-error.ts';
import type { Ack, ErrorCode, Language } from './contract/index.ts';
import { type CommandLimits, createOutbox, type Outbox, retryAfterOf } from './outbox.ts';

/** How a client reaches the server. Times are in milliseconds. */
export type ConnectionOptions = {
  /** Where the server is, such as `https://chat.example.com`. */
  url: string;
  /** The token to begin with. Needed unless `getToken` is given. */
  token?: string;
  /**
   * Asked for a token when there is none, and once more when the server refuses the present one as `unauthorized`; it is
   * then told which. A `CommandError` that does not pass by itself ends the connection; after anything else it is asked again.
   */
  getToken?: (refused?: string) => string | Promise<string>;
  /** The language of errors. Default `en`. */
  language?: Language;
  /** The path of socket.io on the server. Default `/socket.io`. */
  path?: string;
  /** How long a command may take, reconnecting included. Default: as long as it needs, until the client disconnects. */
  commandTimeoutMs?: number;
  /**
   * For how long a command is tried again that the server cannot carry out just now (`unavailable`, `rate-limited`); then
   * it is rejected with that. Waiting for a connection does not count. Default 30000; 0 never tries again.
   */
  patienceMs?: number;
  /** A heartbeat that has no answer after so long says that the connection is broken, and another is made. Default 15000. */
  answerMs?: number;
  /** Waits before reconnecting are drawn from 0 to a bound that doubles from `minMs` to `maxMs`. Default 500, 5000. */
  backoff?: { minMs: number; maxMs: number };
};

/** Whether the connection stands, and if not, what the last attempt failed with. */
export type ConnectionStatus = { connected: boolean; error?: Error };

/** The server refused the handshake; `final` when the client gives up, else it tries again. */
export type ConnectionRefused = { error: CommandError; final: boolean };

/** Who is told what a channel hears. `connected` comes after the commands outstanding have been sent again. */
export type ChannelListener = {
  connected(): void;
  status(status: ConnectionStatus): void;
  refused(refused: ConnectionRefused): void;
  event(name: string, data: unknown): void;
};

/** From `connect()` until the channel is closed or refused for good. */
type Session = { opened: Promise<void>; resolve: () => void; reject: (error: Error) => void };

/** Refusals that pass by themselves. */
const passing: ReadonlySet<string> = new Set<CommandErrorCode>(['unavailable', 'rate-limited', 'internal', 'timeout']);

export class Channel {
  readonly #options: ConnectionOptions;
  readonly #backoff: { minMs: number; maxMs: number };
  readonly #listener: ChannelListener;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  #session: Session | undefined;
  #ended: CommandError;
  #token: string | undefined;
  #askedAgain = false;
  #ready = false;
  #failures = 0;
  /** How often a connection stood; the server counts who comes back. */
  #connections = 0;
  #connectedAt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(namespace: '/buyer' | '/agent', options: ConnectionOptions, listener: ChannelListener) {
    this.#options = options;
    this.#backoff = options.backoff ?? { minMs: 500, maxMs: 5_000 };
    this.#listener = listener;
    this.#token = options.token;
    this.#ended = localError('closed', options.language);
    this.#socket = io(new URL(namespace, options.url).href, {
      path: options.path ?? '/socket.io',
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      autoConnect: false,
      // Two clients on one page have a connection each: what breaks one does not break the other.
      forceNew: true,
      // Reconnecting is done here, where a refused handshake and a lost network wait by the same rule.
      reconnection: false,
      timeout: 10_000,
    });
    this.#socket.on('connect', () => this.#connected());
    this.#socket.on('disconnect', (reason) => this.#lost(reason));
    this.#socket.on('connect_error', (error) => this.#failed(error));
    this.#outbox = createOutbox({
      transmit: (name, data, answered) => this.#socket.emit(name, data, answered),
      language: () => options.language,
    });
    this.#socket.onAny((name: string, data: unknown) => this.#listener.event(name, data));
  }

  get connected(): boolean {
    return this.#ready;
  }

  /**
   * Connects, and stays connected until closed. Resolves when the first connection stands; rejects when the server
   * refuses it for good, or when the channel is closed before.
   */
  connect(): Promise<void> {
    if (this.#session) return this.#session.opened;
    let resolve = () => {};
    let reject: (error: Error) => void = () => {};
    const opened = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    // Who does not wait for it hears of a failure by the events; it must not count as unhandled.
    opened.catch(() => {});
    this.#session = { opened, resolve, reject };
    this.#askedAgain = false;
    this.#failures = 0;
    void this.#attempt(this.#session);
    return opened;
  }

  /** Ends the connection. What is outstanding is rejected with `closed`; whether it was carried out is then unknown. */
  close(): void {
    if (this.#session) this.#end(localError('closed', this.#options.language));
  }

  /** Sends a command, now or when the connection stands, and answers what the server acknowledges. */
  command(name: string, data: object, limits: Partial<CommandLimits> = {}): Promise<unknown> {
    if (!this.#session) return Promise.reject(this.#ended);
    const { timeoutMs = this.#options.commandTimeoutMs, patienceMs = this.#options.patienceMs ?? 30_000 } = limits;
    return this.#outbox.add(name, data, { timeoutMs, patienceMs });
  }

  /**
   * Asks over the connection that stands, and over no other. One that gives no answer in time is taken for broken, and
   * another is made. Rejects with a `CommandError`: `closed` where there was no answer.
   */
  probe(name: string, data: object): Promise<unknown> {
    const closed = () => localError('closed', this.#options.language);
    if (!this.#ready) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#socket
        .timeout(this.#options.answerMs ?? 15_000)
        .emit(name, data, (unanswered: Error | null, answer: Ack<unknown>) => {
          if (unanswered) {
            reject(closed());
            // Unless it is what broke meanwhile; then this is no news.
            if (this.#socket.connected) this.#socket.disconnect();
          } else if (answer.ok) resolve(answer.data);
          else reject(new CommandError(answer.error.code, answer.error.message, answer.error.details));
        });
    });
  }

  async #attempt(session: Session, refused?: string): Promise<void> {
    try {
      this.#token ??= await this.#options.getToken?.(refused);
    } catch (error) {
      if (session !== this.#session) return;
      if (error instanceof CommandError && !passing.has(error.code)) this.#refuse(error);
      else this.#retry(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (session !== this.#session) return;
    const { language } = this.#options;
    this.#socket.auth = {
      token: this.#token,
      ...(language && { language }),
      ...(this.#connections > 0 && { reconnects: this.#connections }),
    };
    this.#socket.connect();
  }

  #connected(): void {
    this.#ready = true;
    this.#askedAgain = false;
    this.#connections += 1;
    this.#connectedAt = Date.now();
    this.#outbox.opened();
    this.#listener.status({ connected: true });
    this.#session?.resolve();
    // Unless whoever was told just now has closed it.
    if (this.#ready) this.#listener.connected();
  }

  #lost(reason: string): void {
    const stood = this.#ready;
    this.#ready = false;
    this.#outbox.lost();
    // socket.io keeps what it could not send and would send it ahead of ours; we send everything again ourselves.
    this.#socket.sendBuffer = [];
    if (!this.#session) return;
    // A server that accepts and at once hangs up is not to be asked twice a second by everybody.
    if (stood && Date.now() - this.#connectedAt > this.#backoff.maxMs) this.#failures = 0;
    this.#retry(new Error(`connection lost: ${reason}`));
  }

  /** The handshake did not succeed: with a code, the server refused it; without, it was not reached. */
  #failed(error: Error): void {
    if (!this.#session) return;
    const refusal = (error as { data?: { code?: ErrorCode; message?: string; details?: unknown } }).data;
    if (!refusal?.code) {
      this.#retry(error);
      return;
    }
    const refused = new CommandError(refusal.code, refusal.message ?? error.message, refusal.details);
    if (refusal.code === 'unauthorized' && this.#options.getToken && !this.#askedAgain) {
      this.#askedAgain = true;
      const old = this.#token;
      this.#token = undefined;
      void this.#attempt(this.#session, old);
    } else if (passing.has(refusal.code)) {
      this.#listener.refused({ error: refused, final: false });
      this.#retry(refused, retryAfterOf(refused.details));
    } else {
      this.#refuse(refused);
    }
  }

  /** Refused for good. */
  #refuse(error: CommandError): void {
    this.#listener.refused({ error, final: true });
    // A listener may have closed the client, or begun anew.
    if (this.#session) this.#end(error);
  }

  #retry(error: Error, atLeastMs = 0): void {
    const session = this.#session;
    const { minMs, maxMs } = this.#backoff;
    const bound = Math.min(maxMs, minMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    // By the next attempt the token may be too old again.
    this.#askedAgain = false;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(
      () => {
        if (session && session === this.#session) void this.#attempt(session);
      },
      atLeastMs + Math.random() * bound,
    );
    this.#listener.status({ connected: false, error });
  }

  #end(error: CommandError): void {
    const session = this.#session;
    this.#session = undefined;
    this.#ended = error;
    this.#ready = false;
    if (this.#options.getToken) this.#token = undefined;
    clearTimeout(this.#retryTimer);
    this.#socket.disconnect();
    this.#outbox.end(error);
    session?.reject(error);
    this.#listener.status({ connected: false, error });
  }
}
