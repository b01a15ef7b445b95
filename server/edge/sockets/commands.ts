/**
 * How a command goes: taken on, parsed, done in its turn, acknowledged. Whatever is wrong is answered with its code; the
 * connection goes on.
 */
import type { Socket } from 'socket.io';
import type { z } from 'zod';
import { type Ack, failureOf, invalid, type Language, Refusal } from '../../../client-sdk/contract/index.ts';
import type { Log } from '../../services/house.ts';
import type { Meter } from '../../services/meter.ts';
import { bareError } from '../../services/trouble.ts';
import { refusalOf } from '../refusal-of.ts';
import { TooLate } from '../time-limit.ts';
import type { Share, Workload } from '../workload.ts';
import { UNREAD } from './packets.ts';

type Command = { readonly who?: readonly string[]; readonly data: z.ZodType; readonly answer: z.ZodType };

/** What carries out each command of a table, given who asks. A missing one does not compile. */
export type Handlers<Commands extends Record<string, Command>, Asking> = {
  readonly [K in keyof Commands]: (
    asking: Asking,
    data: z.output<Commands[K]['data']>,
  ) => Promise<z.output<Commands[K]['answer']>>;
};

export type Serving<Commands extends Record<string, Command>, Asking> = {
  readonly commands: Commands;
  readonly handlers: Handlers<Commands, Asking>;
  readonly language: Language;
  readonly log: Log;
  readonly workload: Workload;
  readonly meter: Meter;
  /** For the log: shop and who. */
  readonly facts: object;
  /** Counts a command, before anything is done about it. Throws what refuses it. */
  allow(command: string): void;
  /** Who asks, as the shop has them at this moment. Throws what refuses them. */
  asking(): Promise<Asking>;
  /** What `who` of a command calls them; needed where a command says who may send it. */
  kindOf?(asking: Asking): string;
  /** Keeps a command in mind until it has been answered. */
  track(command: Promise<void>): void;
};

async function carryOut<Commands extends Record<string, Command>, Asking>(
  serving: Serving<Commands, Asking>,
  name: string,
  args: readonly unknown[],
): Promise<unknown> {
  const command = Object.hasOwn(serving.commands, name) ? serving.commands[name] : undefined;
  if (!command) throw new Refusal('invalid', `There is no command ${name.slice(0, 64)} here; see the documentation.`);
  if (args.length !== 1) throw new Refusal('invalid', 'A command takes one object.');
  if (args[0] === UNREAD) throw new Refusal('invalid', `The packet is ${UNREAD}; send less.`);
  const parsed = command.data.safeParse(args[0]);
  if (!parsed.success) throw invalid(parsed.error);
  const handler = serving.handlers[name as keyof Commands];
  const asking = await serving.asking();
  if (command.who && !command.who.includes(serving.kindOf?.(asking) ?? '')) throw new Refusal('forbidden');
  return handler(asking, parsed.data as z.output<Commands[keyof Commands]['data']>);
}

/** Carried out one after another for each socket: what somebody writes stays in the order they wrote it. */
const inOrder: ReadonlySet<string> = new Set(['message:send']);

type Work = () => Promise<unknown>;

/** Lets work wait for what came before it. What nobody waits for any more when its turn comes is not begun. */
function createLine(): (work: Work, late: () => boolean) => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  return (work, late) => {
    const turn = last.then(() => {
      if (late()) throw new TooLate();
      return work();
    });
    last = turn.catch(() => undefined);
    return turn;
  };
}

type Facts = { readonly language: Language; readonly log: Log; readonly facts: object };

/** What the client is told of an error; what it is not to blame for is logged. */
function failed({ language, log, facts }: Facts, command: string, error: unknown): Ack<never> {
  const refusal = refusalOf(error);
  if (refusal !== error) {
    const all = { ...facts, command, err: bareError(error) };
    if (refusal.code === 'unavailable') log.warn(all, 'a command could not be answered');
    else log.error(all, 'a command failed');
  }
  return { ok: false, error: failureOf(refusal, language) };
}

/** Serves every command a socket sends. Answers what of it is under way, at any time. */
export function serveCommands<Commands extends Record<string, Command>, Asking>(
  socket: Socket,
  serving: Serving<Commands, Asking>,
): Share {
  const share: Share = { underWay: 0 };
  const inTurn = createLine();
  const count = async (name: string) => serving.allow(name);
  socket.onAny((event: unknown, ...args: unknown[]) => {
    // socket.io lets numbers through as well.
    const name = String(event);
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (args.pop() as (answer: Ack<unknown>) => void) : () => {};
    // Names that clients make up are one to the meter.
    const metered = serving.meter.command(Object.hasOwn(serving.commands, name) ? name : 'unknown');
    const work = () => carryOut(serving, name, args);
    const answered = count(name)
      .then(() => serving.workload.carryOut((late) => (inOrder.has(name) ? inTurn(work, late) : work()), share))
      .then(
        (data): Ack<unknown> => ({ ok: true, data }),
        (error) => failed(serving, name, error),
      )
      .then((answer) => {
        acknowledge(answer);
        metered(answer.ok ? 'ok' : answer.error.code);
      });
    serving.track(answered);
  });
  return share;
}
