/**
 * The configurations this node has read, each with the scope that addresses the shop. Plans are made of them; a script
 * refuses one that is out of date, and the command is planned again with what holds now.
 */
import { defaultSettings, Refusal } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../plan/config.ts';
import { readConfig, readVersion } from '../store/configure.ts';
import { type Scope, scopeOf } from '../store/scope.ts';
import { type Connection, StaleConfig } from '../store/script.ts';

export type Shop = { readonly config: ShopConfig; readonly scope: Scope };

export type Configs = {
  /** As last read. Throws `not-found` for a shop that is not there. */
  get(shop: string): Promise<Shop>;
  /** As it is now. Throws `not-found`. */
  fresh(shop: string): Promise<Shop>;
  /** Runs a command with the configuration, again with the present one when it failed or was refused with one out of date. */
  use<T>(shop: string, command: (shop: Shop) => Promise<T>): Promise<T>;
  /** As `use`, for a change of the configuration itself: one after another, as each makes the others out of date. */
  change<T>(shop: string, command: (shop: Shop) => Promise<T>): Promise<T>;
  /** What was read may never have been: all is read again. A version that was lost is given once more, to something else. */
  forget(): void;
};

/** Tries of a command before it takes its turn among the changes that make each of its tries out of date. */
const TRIES = 5;
/** Tries of a change: only those of other nodes are in its way, and each time one of all gets through. */
const CHANGE_TRIES = 100;

export function createConfigs(redis: Connection): Configs {
  const read = new Map<string, Promise<Shop>>();

  async function load(shop: string): Promise<Shop> {
    const stored = await readConfig(redis, shop);
    if (!stored) throw new Refusal('not-found', `There is no shop ${shop}; check the identifier.`);
    const config: ShopConfig = { shop, ...stored, settings: { ...defaultSettings, ...stored.settings } };
    return { config, scope: scopeOf(redis, shop, stored.version, stored.groups.keys()) };
  }

  function reload(shop: string): Promise<Shop> {
    const loading = load(shop);
    read.set(shop, loading);
    // A failure is not remembered.
    loading.catch(() => {
      if (read.get(shop) === loading) read.delete(shop);
    });
    return loading;
  }

  const get = (shop: string) => read.get(shop) ?? reload(shop);

  /** True where a command failed for what is known of the shop. What refused it may be so no more, such as that somebody is not there. */
  async function isOutOfDate(error: unknown, { config }: Shop): Promise<boolean> {
    if (error instanceof StaleConfig) return true;
    return error instanceof Refusal && (await readVersion(redis, config.shop)) !== config.version;
  }

  async function tryOften<T>(shop: string, command: (shop: Shop) => Promise<T>, most: number): Promise<T> {
    for (let tries = 1; ; tries++) {
      const known = await get(shop);
      try {
        return await command(known);
      } catch (error) {
        if (tries === most || !(await isOutOfDate(error, known))) throw error;
        // Somebody else may have read it again meanwhile.
        if ((await get(shop)) === known) await reload(shop);
      }
    }
  }

  /** The end of the last change under way in each shop. */
  const changing = new Map<string, Promise<void>>();

  function change<T>(shop: string, command: (shop: Shop) => Promise<T>): Promise<T> {
    const turn = (changing.get(shop) ?? Promise.resolve()).then(() => tryOften(shop, command, CHANGE_TRIES));
    const ended = turn
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        if (changing.get(shop) === ended) changing.delete(shop);
      });
    changing.set(shop, ended);
    return turn;
  }

  return {
    get,
    change,
    forget: () => read.clear(),
    async use(shop, command) {
      try {
        return await tryOften(shop, command, TRIES);
      } catch (error) {
        if (!(error instanceof StaleConfig)) throw error;
        // One change after another, such as a roster being brought in: in turn with them.
        return change(shop, command);
      }
    },
    async fresh(shop) {
      const known = await get(shop);
      const version = await readVersion(redis, shop);
      return version === known.config.version ? known : reload(shop);
    },
  };
}
