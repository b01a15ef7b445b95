/**
 * The commands of one client until they are answered. What was not answered when the connection broke is sent again on
 * the next one; what the server cannot do just now is sent again in a while. What changes the same thing goes one after
 * another, so that nothing overtakes what is being tried again.
 */
import { CommandError, localError } from './command-error.ts';
import { marked } from './commands.ts';
import type { Ack, Language } from './contract/index.ts';

/** Times are in milliseconds. */
export type CommandLimits = {
  /** How long a command may take, all told. */
  readonly timeoutMs?: number | undefined;
  /** For how long it is tried again where the server cannot do it just now, counted while the connection stands. */
  readonly patienceMs: number;
};

type Command = {
  readonly name: string;
  readonly data: object;
  readonly lane: string | undefined;
  readonly bytes: number;
  readonly patienceMs: number;
  readonly calledAt: number;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  timeout?: ReturnType<typeof setTimeout>;
  sent: boolean;
  refusals: number;
  /** Until then the server wants to be left alone. */
  notBefore: number;
  again?: ReturnType<typeof setTimeout>;
};

export type OutboxParts = {
  /** Sends a command over the connection that stands; `answered` is called once, or never where that breaks. */
  transmit(name: string, data: object, answered: (answer: Ack<unknown>) => void): void;
  readonly language: () => Language | undefined;
};

export type Outbox = {
  /** Sends a command, now or when it can be, and answers what the server does. Rejects with a `CommandError`. */
  add(name: string, data: object, limits: CommandLimits): Promise<unknown>;
  /** A connection stands: everything is sent, in the order it was called. */
  opened(): void;
  /** The connection is gone. */
  lost(): void;
  /** Rejects everything. */
  end(error: CommandError): void;
};

/**
 * More than any command of the contract needs, and less than the server takes at once: a larger frame would end the
 * connection, and being sent again, would end it again for ever.
 */
const MAX_COMMAND_BYTES = 64 * 1024;
/** What all commands together may hold while they wait: hours of a person's writing, and no pile. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** What a command holds besides its data, about. */
const BYTES_BESIDE = 512;

/** Waits before the server is asked again are drawn around a bound that doubles from the first to the longest. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** What reads, or says how things are at the moment: it may overtake and be overtaken. */
const inNoOrder: ReadonlySet<string> = new Set([
  'message:list',
  'conversation:list',
  'state:sync',
  'typing:set',
  'message:read',
]);

/** Commands of one lane change the same thing. */
function laneOf(name: string, data: object): string | undefined {
  if (inNoOrder.has(name)) return undefined;
  return (data as { conversation?: string }).conversation ?? name;
}

/** For how long the server asked to be left alone, in ms. */
export function retryAfterOf(details: unknown): number {
  const { retryAfterMs } = (details ?? {}) as { retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : 0;
}

/** Nothing is waiting yet. */
export function createOutbox({ transmit, language }: OutboxParts): Outbox {
  /** In the order they were called. */
  const waiting = new Set<Command>();
  const lanes = new Map<string, Set<Command>>();
  let bytes = 0;
  let openedAt: number | undefined;

  const first = (lane: string) => lanes.get(lane)?.values().next().value;

  function send(command: Command): void {
    if (openedAt === undefined || command.sent || command.notBefore > Date.now()) return;
    if (command.lane !== undefined && first(command.lane) !== command) return;
    clearTimeout(command.again);
    command.sent = true;
    transmit(command.name, command.data, (answer) => answered(command, answer));
  }

  /** The command is done with, and the next of its lane may go. */
  function remove(command: Command): void {
    waiting.delete(command);
    bytes -= command.bytes;
    clearTimeout(command.timeout);
    clearTimeout(command.again);
    if (command.lane === undefined) return;
    const lane = lanes.get(command.lane);
    lane?.delete(command);
    if (lane?.size === 0) lanes.delete(command.lane);
  }

  function sendNext(lane: string | undefined): void {
    const next = lane === undefined ? undefined : first(lane);
    if (next) send(next);
  }

  function settle(command: Command, how: () => void): void {
    remove(command);
    how();
    sendNext(command.lane);
  }

  function answered(command: Command, answer: Ack<unknown>): void {
    if (!waiting.has(command)) return;
    if (answer.ok) {
      settle(command, () => command.resolve(answer.data));
      return;
    }
    const { code, message, details } = answer.error;
    const passes = code === 'unavailable' || code === 'rate-limited';
    if (passes && again(command, retryAfterOf(details))) return;
    settle(command, () => command.reject(new CommandError(code, message, details)));
  }

  /** Puts a command off; false where its patience ends before. */
  function again(command: Command, atLeastMs: number): boolean {
    const bound = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(command.refusals, 10));
    const wait = atLeastMs + bound * (0.5 + Math.random() / 2);
    const now = Date.now();
    // Waiting for a connection uses up no patience.
    const since = Math.max(command.calledAt, openedAt ?? now);
    if (now + wait > since + command.patienceMs) return false;
    command.sent = false;
    command.refusals += 1;
    command.notBefore = now + atLeastMs;
    command.again = setTimeout(() => {
      command.notBefore = 0;
      send(command);
    }, wait);
    return true;
  }

  return {
    add: (name, data, { timeoutMs, patienceMs }) =>
      new Promise((resolve, reject) => {
        const whole = marked(name, data);
        const size = new TextEncoder().encode(JSON.stringify(whole)).length;
        if (size > MAX_COMMAND_BYTES) throw localError('too-large', language());
        if (bytes + size + BYTES_BESIDE > MAX_WAITING_BYTES) throw localError('too-many', language());
        const command: Command = {
          name,
          data: whole,
          lane: laneOf(name, data),
          bytes: size + BYTES_BESIDE,
          patienceMs,
          calledAt: Date.now(),
          resolve,
          reject,
          sent: false,
          refusals: 0,
          notBefore: 0,
        };
        waiting.add(command);
        bytes += command.bytes;
        if (command.lane !== undefined) {
          const lane = lanes.get(command.lane) ?? new Set();
          lanes.set(command.lane, lane.add(command));
        }
        if (timeoutMs !== undefined) {
          command.timeout = setTimeout(() => {
            settle(command, () => reject(localError('timeout', language())));
          }, timeoutMs);
        }
        send(command);
      }),
    opened() {
      openedAt = Date.now();
      for (const command of waiting) send(command);
    },
    lost() {
      openedAt = undefined;
      for (const command of waiting) command.sent = false;
    },
    end(error) {
      openedAt = undefined;
      for (const command of [...waiting]) {
        remove(command);
        command.reject(error);
      }
    },
  };
}
