/** How a command goes: parse, do, acknowledge. Whatever is wrong is answered with its code; the connection goes on. */
import type { Socket } from 'socket.io';
import type { z } from 'zod';
import { type Ack, failureOf, invalid, type Language, Refusal } from '../../../client-sdk/contract/index.ts';
import type { Log } from '../../services/house.ts';
import { bareError, passesByItself } from '../../services/trouble.ts';
import { UNREAD } from './packets.ts';

type Command = { readonly data: z.ZodType; readonly answer: z.ZodType };

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
  /** For the log: shop and who. */
  readonly facts: object;
  /** Counts a command, before anything is done about it. Throws what refuses it. */
  allow(command: string): void;
  /** Who asks, as the shop has them at this moment. Throws what refuses them. */
  asking(): Promise<Asking>;
  /** Keeps a command in mind until it has been answered. */
  track(command: Promise<void>): void;
};

/** The refusal that a thrown value is for the client. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(passesByItself(error) ? 'unavailable' : 'internal');
}

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
  return handler(await serving.asking(), parsed.data as z.output<Commands[keyof Commands]['data']>);
}

/** Carried out one after another for each socket: what somebody writes stays in the order they wrote it. */
const inOrder: ReadonlySet<string> = new Set(['message:send']);

/** Serves every command a socket sends. */
export function serveCommands<Commands extends Record<string, Command>, Asking>(
  socket: Socket,
  serving: Serving<Commands, Asking>,
): void {
  let before: Promise<void> = Promise.resolve();
  socket.onAny((event: unknown, ...args: unknown[]) => {
    // socket.io lets numbers through as well.
    const name = String(event);
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (args.pop() as (answer: Ack<unknown>) => void) : () => {};
    try {
      serving.allow(name);
    } catch (error) {
      acknowledge({ ok: false, error: failureOf(refusalOf(error), serving.language) });
      return;
    }
    const answer = () =>
      carryOut(serving, name, args).then(
        (data) => acknowledge({ ok: true, data }),
        (error) => {
          const refusal = refusalOf(error);
          if (refusal !== error)
            serving.log.error({ ...serving.facts, command: name, err: bareError(error) }, 'a command failed');
          acknowledge({ ok: false, error: failureOf(refusal, serving.language) });
        },
      );
    const answered = inOrder.has(name) ? before.then(answer) : answer();
    if (inOrder.has(name)) before = answered;
    serving.track(answered);
  });
}
