/** A token that is renewed by itself, well before it expires, and at once when the server has refused it. */
import { CommandError, type CommandErrorCode } from './command-error.ts';

export type Renewing<Kept> = {
  /** What is kept now. */
  readonly kept: Kept;
  /**
   * A token that serves for a while. `refused`: one that the server did not take; another one is got then. Rejects as
   * `unauthorized` once it is over: somebody has to log in again.
   */
  getToken(refused?: string): Promise<string>;
  /** Renews no more; nothing is told to the server. */
  stop(): void;
};

export type RenewingParts<Kept> = {
  readonly first: Kept;
  readonly renew: (kept: Kept) => Promise<Kept>;
  /** Told what is to be kept in place of what was before; `undefined` when it is over. */
  readonly onChange?: ((kept: Kept | undefined) => void) | undefined;
};

/** What of a token's life has passed when it is renewed. */
const RENEW_AFTER = 0.8;
/** After a failure that passes it is tried again after about this long, in ms. */
const AGAIN_MS = 10_000;
/** Browsers take a longer wait for none at all. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Failures after which nothing is over. A buyer's token of the shop's own back end cannot be renewed, and yet serves. */
const goesOn: ReadonlySet<CommandErrorCode> = new Set([
  'unavailable',
  'rate-limited',
  'internal',
  'timeout',
  'forbidden',
]);

/**
 * When a token that has come just now is to be renewed, by this machine's clock, in ms. How long it lasts stands in it;
 * the times at which it begins and ends are the server's, whose clock may be another.
 */
export function renewalOf(token: string): number {
  try {
    const part = token.split('.')[1] ?? '';
    const { iat, exp } = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as {
      iat: number;
      exp: number;
    };
    if (exp > iat) return Date.now() + RENEW_AFTER * (exp - iat) * 1000;
  } catch {
    // A token that does not say; it is renewed when it is refused.
  }
  return Number.POSITIVE_INFINITY;
}

export function createRenewing<Kept extends { readonly token: string; readonly renewAt: number }>({
  first,
  renew,
  onChange,
}: RenewingParts<Kept>): Renewing<Kept> {
  let kept = first;
  let over: CommandError | undefined;
  let stopped = false;
  let renewing: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function plan(delayMs: number): void {
    clearTimeout(timer);
    if (stopped || over || delayMs > LONGEST_WAIT_MS) return;
    timer = setTimeout(() => void renewOnce().catch(() => {}), Math.max(0, delayMs));
    // It must not keep a program of Node running.
    (timer as { unref?: () => void }).unref?.();
  }

  async function renewNow(): Promise<void> {
    try {
      const next = await renew(kept);
      if (stopped) return;
      kept = next;
      onChange?.(kept);
      plan(kept.renewAt - Date.now());
    } catch (error) {
      if (stopped || !(error instanceof CommandError)) throw error;
      if (!goesOn.has(error.code)) {
        over = new CommandError('unauthorized', error.message, error.details);
        onChange?.(undefined);
        throw over;
      }
      if (error.code !== 'forbidden') plan(AGAIN_MS * (0.5 + Math.random()));
      throw error;
    }
  }

  /** One at a time: a renewal under way serves whoever asks. */
  function renewOnce(): Promise<void> {
    renewing ??= renewNow().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  plan(kept.renewAt - Date.now());
  return {
    get kept() {
      return kept;
    },
    async getToken(refused) {
      if (over) throw over;
      if (refused !== undefined && refused === kept.token) await renewOnce();
      else if (Date.now() >= kept.renewAt) {
        // It has some life left: who asks is not to wait for a server that is away, nor to be refused for that.
        await renewOnce().catch((error: unknown) => {
          if (over) throw error;
        });
      }
      return kept.token;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
