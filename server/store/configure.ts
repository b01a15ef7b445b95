/** The shop's configuration: written whole or not at all, read with its version. */
import { type Agent, type By, type Group, type Settings, WHOLE_SHOP } from '../../client-sdk/contract/index.ts';
import { type Account, byText } from './audit.ts';
import { keysOfShop, readyKey, shopsKey } from './keys.ts';
import { type Connection, loadScript, run } from './script.ts';
import { type Effects, effectsOf } from './shapes.ts';

const script = loadScript(
  'configure',
  ['live', 'config', 'secrets', 'held', 'waits', 'overnight', 'todo', 'lapses', 'shifts', 'events', 'audit'],
  ['now', 'request', 'expected', 'by', 'action', 'target', 'changes', 'threshold', 'hangUpAt', 'fieldCount'],
);

export type ConfigFields = {
  readonly name?: string;
  readonly settings?: Settings;
  readonly agents?: ReadonlyMap<string, Agent | undefined>;
  readonly groups?: ReadonlyMap<string, Group | undefined>;
  /** Hashes of keys and passwords, and the secret that signs buyers' tokens; '' removes one. */
  readonly secrets?: Readonly<Record<string, string>>;
};

/** What the scripts know of an agent; `undefined` for one who is gone. */
export type RosterChange = {
  readonly agent: string;
  readonly entry: { readonly kind: string; readonly capacity: string; readonly groups: string } | undefined;
};

export type ConfigChange = {
  readonly now: number;
  readonly shop: string;
  /** Made once for a command, however often it is tried: the same again is answered as before, with no second effect. */
  readonly request: string;
  /** What the audit log says of it, and who made it; nothing if not given. */
  readonly account?: (Account & { readonly by: By }) | undefined;
  /** The version that was read; '0' for a shop that is not there yet. */
  readonly expected: string;
  readonly fields: ConfigFields;
  readonly roster: readonly RosterChange[];
  /** The rule of automatic hang-up has changed: `roster` names every agent, and each is looked at anew. */
  readonly hangUp?: boolean;
  /** Every group before and after the change. */
  readonly groups: Iterable<string>;
};

function triples(fields: ConfigFields): string[] {
  const line: string[] = [];
  const put = (hash: 'config' | 'secrets', field: string, value: unknown) => {
    const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
    line.push(hash, field, text);
  };
  if (fields.name !== undefined) put('config', 'name', fields.name);
  if (fields.settings) put('config', 'settings', fields.settings);
  for (const [id, agent] of fields.agents ?? []) put('config', `agent:${id}`, agent);
  for (const [id, group] of fields.groups ?? []) put('config', `group:${id}`, group);
  for (const [name, value] of Object.entries(fields.secrets ?? {})) put('secrets', name, value);
  return line;
}

/** Writes a change and answers the new version. Throws `StaleConfig` if the configuration has changed since it was read. */
export async function configure(
  redis: Connection,
  change: ConfigChange,
): Promise<{ readonly version: string } & Effects> {
  const keys = keysOfShop(change.shop);
  const fields = triples(change.fields);
  const roster = change.roster.flatMap(({ agent, entry }) => [
    agent,
    entry?.kind ?? '',
    entry?.capacity ?? '',
    entry?.groups ?? '',
  ]);
  const reply = await run(
    redis,
    script,
    keys,
    {
      now: change.now,
      request: change.request,
      expected: change.expected,
      by: byText(change.account?.by),
      action: change.account?.action ?? '',
      target: change.account?.target ?? '',
      changes: change.account?.changes ?? '',
      threshold: change.fields.settings?.busyThreshold ?? '',
      hangUpAt: change.hangUp ? (change.fields.settings?.autoHangUp.atActive ?? 'none') : '',
      fieldCount: fields.length / 3,
    },
    [...new Set([WHOLE_SHOP, ...change.groups])].map((group) => readyKey(keys, group)),
    [...fields, ...roster],
  );
  return { version: String(reply[1]), ...effectsOf(reply[2], reply[3]) };
}

export type StoredConfig = {
  readonly version: string;
  readonly name: string;
  readonly settings: Settings;
  readonly agents: Map<string, Agent>;
  readonly groups: Map<string, Group>;
};

/** The configuration and its version as one moment shows them, `undefined` for a shop that is not there. */
export async function readConfig(redis: Connection, shop: string): Promise<StoredConfig | undefined> {
  const keys = keysOfShop(shop);
  const replies = await redis.multi().hget(keys.live, 'version').hgetall(keys.config).exec();
  const version = replies?.[0]?.[1] as string | null | undefined;
  const fields = replies?.[1]?.[1] as Record<string, string> | undefined;
  if (!version || !fields?.settings) return undefined;
  const agents = new Map<string, Agent>();
  const groups = new Map<string, Group>();
  // In one order everywhere: a draw among groups counts for them as they are listed, and Redis lists as it likes.
  for (const [field, value] of Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (field.startsWith('agent:')) agents.set(field.slice(6), JSON.parse(value) as Agent);
    else if (field.startsWith('group:')) groups.set(field.slice(6), JSON.parse(value) as Group);
  }
  return { version, name: fields.name ?? shop, settings: JSON.parse(fields.settings) as Settings, agents, groups };
}

/** The version alone: whether a configuration read earlier still holds. */
export const readVersion = (redis: Connection, shop: string) => redis.hget(keysOfShop(shop).live, 'version');

export const readSecret = (redis: Connection, shop: string, name: string) => redis.hget(keysOfShop(shop).secrets, name);

/** Remembers that a shop exists, for whoever goes over all shops. */
export const registerShop = (redis: Connection, shop: string) => redis.sadd(shopsKey, shop);
export const listShops = (redis: Connection) => redis.smembers(shopsKey);
