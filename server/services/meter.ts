/** What is counted and timed while the house works, for whoever watches it. Services say what happened; they read no clock. */
import type { Assignment, ErrorCode, Message, MoveCause } from '../../client-sdk/contract/index.ts';
import type { Delivered } from './webhook-delivery.ts';

/** Ends what was begun, and times it. */
export type Stop = () => void;

/** Where a socket is. */
export type Side = 'buyer' | 'agent';

/**
 * Why a connection was not taken, or ended, by what it did and not by whose it was: too many `connections`, too many
 * `handshakes`, `half-open` for too long or among too many, more `packets` or `bytes` than allowed, `unread` by its client.
 */
export const turnedAwayBecause = ['connections', 'handshakes', 'half-open', 'packets', 'bytes', 'unread'] as const;
export type TurnedAway = (typeof turnedAwayBecause)[number];

/** What became of a turn of a job; `passed` where an earlier one was still under way. */
export type TurnResult = 'done' | 'failed' | 'passed';

/** What became of an attempt to deliver to a webhook: `failed` is tried again, a dead letter is not. */
export type DeliveryResult = Delivered | 'failed' | 'dead-letter';

export type Meter = {
  /** A click has come; to be ended when its assignment is there. One that comes to none is not ended. */
  clicked(): Stop;
  /** A run of the dispatcher has come to an assignment. */
  assigned(assignment: Pick<Assignment, 'step' | 'outcome'>, cause: MoveCause): void;
  /** A message was stored, the same one again not counted. */
  said(by: Message['from']['kind']): void;
  /** So many messages were sent to a client that asked for what it had missed. */
  replayed(count: number): void;
  /** A command has come; to be ended with how it was answered. Its name is one of the contract's, or `unknown`. */
  command(name: string): (code: ErrorCode | 'ok') => void;
  /** A script is sent to Redis; to be ended when its answer, or none, has come. */
  script(name: string): Stop;
  /** A socket is connected, `again` where its client has been before; to be ended when it is gone. */
  connected(side: Side, again: boolean): Stop;
  /** A handshake was refused. */
  refused(side: Side, code: ErrorCode): void;
  /** A connection was not taken, or ended. */
  turnedAway(because: TurnedAway): void;
  /** The connection to Redis stands, or does not. */
  redis(stands: boolean): void;
  /** The turn of a job has come; to be ended with what became of it. */
  turn(name: string): (result: TurnResult) => void;
  /** A webhook is called; to be ended with what became of it. */
  delivery(): (result: DeliveryResult) => void;
};

const nothing = () => {};

/** Counts nothing: for tests, and for a process that nobody watches. */
export const silentMeter: Meter = {
  clicked: () => nothing,
  assigned: nothing,
  said: nothing,
  replayed: nothing,
  command: () => nothing,
  script: () => nothing,
  connected: () => nothing,
  refused: nothing,
  turnedAway: nothing,
  redis: nothing,
  turn: () => nothing,
  delivery: () => nothing,
};
