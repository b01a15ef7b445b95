/** What the people of a town were promised: every command that was acknowledged, and every one that was refused. */
import { CommandError, type CommandErrorCode } from '../../client-sdk/command-error.ts';
import type { Assignment, Message } from '../../client-sdk/contract/index.ts';

/** Somebody with a client. */
export type Someone = { readonly kind: 'buyer' | 'agent' | 'robot'; readonly shop: string; readonly id: string };

export type Refused = {
  readonly who: Someone;
  readonly command: string;
  readonly conversation: string;
  readonly code: CommandErrorCode;
};

export type Ledger = {
  /** Messages that were acknowledged, by whom. */
  readonly said: {
    readonly who: Someone;
    readonly text: string;
    readonly clientId: string;
    readonly message: Message;
  }[];
  readonly opened: { readonly who: Someone; readonly assignment: Assignment }[];
  readonly refused: Refused[];
  /** What must not happen whatever the town does. */
  readonly faults: string[];
  /** Commands not answered yet, each once for as often as it was begun. */
  readonly underWay: Set<readonly [name: string]>;
  /** What was told to the clients; what of it was said while they were not connected; connections after the first. */
  told: number;
  replayed: number;
  reconnects: number;
  /** Commands sent again because the service could not answer just now. */
  retries: number;
};

export const newLedger = (): Ledger => ({
  said: [],
  opened: [],
  refused: [],
  faults: [],
  underWay: new Set(),
  told: 0,
  replayed: 0,
  reconnects: 0,
  retries: 0,
});

/** Pass by themselves; the same command again, with the same id, is carried out once. */
const passing: ReadonlySet<CommandErrorCode> = new Set(['unavailable', 'rate-limited', 'closed', 'timeout']);
/** What the state of a shop can explain. */
const explicable: ReadonlySet<CommandErrorCode> = new Set(['conflict', 'forbidden', 'not-found']);

const SOON_MS = 300;
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Sends a command until it is answered, refused or not; `undefined` where it is refused. */
export async function insist<T>(
  ledger: Ledger,
  who: Someone,
  [command, conversation]: readonly [command: string, conversation: string],
  attempt: () => Promise<T>,
): Promise<T | undefined> {
  const name = `${command} of ${who.id} in ${who.shop} about ${conversation}`;
  const begun = [name] as const;
  ledger.underWay.add(begun);
  try {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        if (!passing.has(error.code)) {
          if (explicable.has(error.code)) ledger.refused.push({ who, command, conversation, code: error.code });
          else ledger.faults.push(`${name}: ${error.code}, ${error.message}`);
          return undefined;
        }
      }
      ledger.retries += 1;
      await pause(SOON_MS);
    }
  } finally {
    ledger.underWay.delete(begun);
  }
}
