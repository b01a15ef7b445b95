/** Who a socket is: the token of its handshake. A bad one is refused with `connect_error` and its code. */
import type { Namespace, Socket } from 'socket.io';
import { z } from 'zod';
import { type ErrorCode, failureOf, invalid, type Language, Refusal } from '../../../client-sdk/contract/index.ts';
import { refusalOf } from '../refusal-of.ts';
import type { Io } from './tell.ts';

const handshake = z.looseObject({
  token: z.string().min(1).max(4_096),
  language: z.enum(['en', 'zh']).optional(),
  /** How often this client has been connected before; counted, and believed for nothing else. */
  reconnects: z.int().min(0).optional(),
});

/** What is known of a socket from its handshake on. */
export type SocketData<Actor> = { readonly actor: Actor; readonly language: Language; readonly again: boolean };

const refusedWith = (refusal: Refusal, language: Language) =>
  Object.assign(new Error(refusal.code), { data: failureOf(refusal, language) });

/** Everything is said in one of our two namespaces; a socket in the root one would never be asked for a token. */
export function refuseRoot(io: Io): void {
  const refusal = new Refusal('not-found', 'There is nothing in this namespace; connect to /buyer or /agent.');
  io.use((_socket, next) => next(refusedWith(refusal, 'en')));
}

export type Admission<Actor> = {
  /** Answers whose the token is, or throws. */
  identify(token: string, socket: Socket): Promise<Actor>;
  onFault(error: unknown): void;
  onRefused(code: ErrorCode): void;
};

/** Lets in who has a good token. */
export function admit<Actor>(namespace: Namespace, { identify, onFault, onRefused }: Admission<Actor>): void {
  namespace.use((socket: Socket, next) => {
    const auth = handshake.safeParse(socket.handshake.auth);
    const language: Language = auth.data?.language ?? 'en';
    const identified = auth.success
      ? identify(auth.data.token, socket)
      : Promise.reject(socket.handshake.auth?.token === undefined ? new Refusal('unauthorized') : invalid(auth.error));
    identified.then(
      (actor) => {
        const again = (auth.data?.reconnects ?? 0) > 0;
        socket.data = { actor, language, again } satisfies SocketData<Actor>;
        next();
      },
      (error) => {
        const refusal = refusalOf(error);
        if (refusal !== error) onFault(error);
        onRefused(refusal.code);
        next(refusedWith(refusal, language));
      },
    );
  });
}
