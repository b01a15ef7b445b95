/**
 * What anybody may do how often, for both edges. Who is over a limit is refused with `rate-limited` and told when to come
 * again. Numbers and reasons stand in allowances.ts.
 */
import { createHash } from 'node:crypto';
import { Refusal } from '../../client-sdk/contract/index.ts';
import { type Allowance, createRate, ofShop } from '../store/rates.ts';
import { addressKey } from './address-key.ts';
import { defaultLimits, type LimitChanges, type LimitOptions } from './allowances.ts';
import { counted, createTurns, mustHaveRoom, tooMany } from './attempts.ts';
import { createFlow } from './flow.ts';
import type { House } from './house.ts';
import { createTally, type Tally } from './tally.ts';
import { bareError } from './trouble.ts';

export type Account = { readonly shop: string; readonly agent: string; readonly address: string };
export type SocketOwner = { readonly shop: string; readonly buyer?: string; readonly address: string };

/** Counted apart: a flood of buyers must not silence the agents of the shop. */
export type Side = 'buyers' | 'staff';

export type Limits = {
  readonly allowed: LimitOptions;
  /** Milliseconds that never go back, for what is counted here. */
  time(): number;
  /** Counts a new visitor. Throws `rate-limited`. */
  visitor(shop: string, address: string): Promise<void>;
  /** Lets somebody try to log in, and counts what ends `unauthorized`. Throws `rate-limited`, and what `attempt` throws. */
  logIn<T>(account: Account, attempt: () => Promise<T>): Promise<T>;
  /** Throws `unauthorized` and counts it unless the admin key is right; `rate-limited` after too many wrong ones. */
  adminKey(address: string, isRight: boolean): Promise<void>;
  /** Counts a socket that is opened, or a token that is shown to a namespace. Throws `rate-limited`. */
  handshake(address: string): void;
  /** Counts a REST call of an address, whoever makes it. Throws `rate-limited`. */
  call(address: string): void;
  /** Counts a REST call that writes for a shop, by who may. Throws `rate-limited`. */
  callForShop(shop: string, side: Side): void;
  /** For one socket: counts its commands as they come. What it answers throws `rate-limited`. */
  commands(owner: SocketOwner): (command: string) => void;
};

/** The limits that are so many in so many seconds. */
type Counted = { [K in keyof LimitOptions]: LimitOptions[K] extends Allowance ? K : never }[keyof LimitOptions];

/** What only reads is counted for its socket alone. */
const reads: ReadonlySet<string> = new Set(['message:list', 'conversation:list', 'state:sync']);

/** How long a socket that is too fast should wait, in ms: then there is room for a second's worth. */
const SOCKET_WAIT_MS = 1_000;

function mustPass(tally: Tally, key: string): void {
  const waitMs = tally.count(key);
  if (waitMs > 0) throw tooMany(waitMs);
}

/** Keys in Redis say nothing of a buyer, so that one who is erased leaves no trace in them. */
const nameless = (buyer: string) => createHash('sha256').update(buyer).digest('base64url').slice(0, 22);

/** `time` is in ms and never goes back. */
export function createLimits(
  { redis, log }: Pick<House, 'redis' | 'log'>,
  changes: LimitChanges = {},
  time: () => number = () => performance.now(),
): Limits {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  const allowed: LimitOptions = { ...defaultLimits, ...(Object.fromEntries(given) as Partial<LimitOptions>) };
  const rate = (name: string, of: Counted) => createRate(redis, name, allowed[of]);
  const visitors = rate('visitors', 'visitors');
  const wrong = rate('passwords', 'wrongPasswords');
  const wrongOfAddress = rate('address', 'wrongPasswordsOfAddress');
  const wrongAdmin = rate('admin', 'wrongAdminKeys');
  const inTurn = createTurns();

  const tally = (name: string, of: Counted) =>
    createTally(rate(name, of), time, (error) =>
      log.warn({ err: bareError(error), limit: name }, 'what was counted could not be told the other nodes'),
    );
  const ofBuyer = tally('buyer', 'writesOfBuyer');
  const ofAddress = tally('calls', 'callsOfAddress');
  const forShop = tally('shop', 'callsOfShop');
  const handshakes = tally('handshakes', 'handshakes');

  return {
    allowed,
    time,
    async visitor(shop, address) {
      const { used, endsInMs } = await visitors.add(ofShop(shop, addressKey(address)));
      if (used > visitors.allowance.count) throw tooMany(endsInMs);
    },
    logIn({ shop, agent, address }, attempt) {
      const from = addressKey(address);
      const key = ofShop(shop, `${agent}:${from}`);
      return inTurn(key, () =>
        counted(
          [
            [wrong, key],
            [wrongOfAddress, from],
          ],
          attempt,
        ),
      );
    },
    async adminKey(address, isRight) {
      const from = addressKey(address);
      // The right key waits for nobody: a page of the board asks for many files at once.
      if (isRight) return mustHaveRoom(wrongAdmin, from);
      return inTurn(from, () =>
        counted([[wrongAdmin, from]], () =>
          Promise.reject(new Refusal('unauthorized', 'This is not the admin key; it is ADMIN_KEY of the server.')),
        ),
      );
    },
    handshake: (address) => mustPass(handshakes, addressKey(address)),
    call: (address) => mustPass(ofAddress, addressKey(address)),
    callForShop: (shop, side) => mustPass(forShop, ofShop(shop, side)),
    commands({ shop, buyer, address }) {
      const flow = createFlow(allowed.commands);
      const from = addressKey(address);
      const buyerKey = buyer === undefined ? undefined : ofShop(shop, nameless(buyer));
      const side: Side = buyer === undefined ? 'staff' : 'buyers';
      const shopKey = ofShop(shop, side);
      return (command) => {
        if (!flow.take(time())) throw tooMany(SOCKET_WAIT_MS);
        if (reads.has(command)) return;
        // The narrowest first: who is refused uses up nothing of what others share.
        if (buyerKey !== undefined) mustPass(ofBuyer, buyerKey);
        mustPass(ofAddress, from);
        mustPass(forShop, shopKey);
      };
    },
  };
}
