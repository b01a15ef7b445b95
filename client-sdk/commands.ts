/** What a command takes and answers, read off the contract's command maps, and how it is made safe to send again. */
import { nanoid } from 'nanoid';
import type { Ack, AgentCommands, BuyerCommands } from './contract/index.ts';

/** The data that the command `K` of the command map `C` takes. */
export type DataOf<C, K extends keyof C> = C[K] extends (data: infer D extends object, ack: never) => void ? D : never;

/** What the command `K` of the command map `C` answers when it succeeds. */
export type AnswerOf<C, K extends keyof C> = C[K] extends (data: never, ack: (answer: Ack<infer A>) => void) => void
  ? A
  : never;

type Commands = BuyerCommands & AgentCommands;
type Keys<K extends keyof Commands> = keyof DataOf<Commands, K>;
/** Data without any field reads as data with every field, hence the first question. */
type Repeatable = {
  [K in keyof Commands]: string extends Keys<K> ? never : 'requestId' extends Keys<K> ? K : never;
}[keyof Commands];

/** Every command whose schema takes a `requestId`, no more and no fewer: the compiler compares it with the contract. */
const repeatable: Record<Repeatable, true> = {
  'chat:open': true,
  'chat:human': true,
  'chat:rate': true,
  'chat:close': true,
  'queue:leave': true,
  'presence:set': true,
  'conversation:transfer': true,
  'conversation:close': true,
  'conversation:handover': true,
  'pool:claim': true,
};

/** An identifier no other client makes: for `requestId` and `clientId`. */
export function newId(): string {
  return nanoid();
}

/**
 * The data with all it needs to be sent twice and carried out once. What needs no mark comes back as it is: it reads,
 * or says the same thing again.
 */
export function marked(name: string, data: object): object {
  return Object.hasOwn(repeatable, name) && (data as { requestId?: string }).requestId === undefined
    ? { ...data, requestId: newId() }
    : { ...data };
}
