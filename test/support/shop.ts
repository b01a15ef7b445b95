/** Shops for tests: made through the services, their people put where a test wants them, and looked at key by key. */
import { randomUUID } from 'node:crypto';
import { Cluster } from 'ioredis';
import {
  defaultSettings,
  type GroupPut,
  type Kind,
  type Presence,
  type Role,
  type SettingsPatch,
} from '../../client-sdk/contract/index.ts';
import { choosePresence, connectAgent, disconnectAgent } from '../../server/services/attendance.ts';
import { putBuyer } from '../../server/services/buyers.ts';
import type { House } from '../../server/services/house.ts';
import { patchSettings, putAgent, putGroup } from '../../server/services/shops.ts';
import { configure } from '../../server/store/configure.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import type { Connection } from '../../server/store/script.ts';

export type AgentSpec = {
  readonly role?: Role | undefined;
  readonly kind?: Kind | undefined;
  readonly capacity?: number | undefined;
};
export type GroupSpec = {
  readonly name?: string | undefined;
  /** Agent to level. */
  readonly members: Readonly<Record<string, number>>;
  readonly binds?: { readonly [K in keyof GroupPut['binds']]?: GroupPut['binds'][K] | undefined } | undefined;
  readonly mode?: GroupPut['mode'] | undefined;
  readonly robot?: string | null | undefined;
};
export type BuyerSpec = {
  readonly name?: string | undefined;
  readonly crowds?: string[] | undefined;
  readonly exclusiveAgent?: string | null | undefined;
};
export type ShopSpec = {
  readonly settings?: SettingsPatch | undefined;
  readonly agents: Readonly<Record<string, AgentSpec>>;
  readonly groups?: Readonly<Record<string, GroupSpec>> | undefined;
  readonly buyers?: Readonly<Record<string, BuyerSpec>> | undefined;
};

/** An id that no other test has. */
export const newShopId = (prefix = 'test') => `${prefix}-${randomUUID()}`;

export function groupPutOf(id: string, spec: GroupSpec): GroupPut {
  return {
    name: spec.name ?? id,
    binds: {
      crowds: spec.binds?.crowds ?? [],
      products: spec.binds?.products ?? [],
      intents: spec.binds?.intents ?? [],
      orderStates: spec.binds?.orderStates ?? [],
    },
    members: Object.entries(spec.members).map(([agent, level]) => ({ agent, level })),
    mode: spec.mode ?? 'efficiency-first',
    robot: spec.robot ?? null,
  };
}

/**
 * Opens a shop with exactly these agents, all offline. It is in no list of shops, so that no worker comes by at its own
 * time. `now` in ms.
 */
export async function openShop(house: House, shop: string, spec: ShopSpec, now: number): Promise<void> {
  const fields = { name: shop, settings: defaultSettings };
  await configure(house.redis, { now, shop, request: 'opening', expected: '0', fields, roster: [], groups: [] });
  for (const [id, { role = 'agent', kind = 'human', capacity }] of Object.entries(spec.agents)) {
    await putAgent(house, shop, id, { name: id, role, kind, capacity }, now);
  }
  for (const [id, group] of Object.entries(spec.groups ?? {})) {
    await putGroup(house, shop, id, groupPutOf(id, group), now);
  }
  if (spec.settings) await patchSettings(house, shop, spec.settings, now);
  for (const [id, buyer] of Object.entries(spec.buyers ?? {})) {
    await putBuyer(house, shop, id, { ...buyer, crowds: buyer.crowds ?? [] }, now);
  }
  await house.settled();
}

/** The one socket that a test gives an agent. */
export const socketOf = (agent: string) => `socket-${agent}`;

/**
 * Agents choose their presence and connect, or disconnect where they choose `offline`; all at one moment: nothing that
 * follows from the first comes before the last.
 */
export async function setPresences(
  house: House,
  shop: string,
  presences: Readonly<Record<string, Presence>>,
  now: number,
): Promise<void> {
  const all = Object.entries(presences);
  await Promise.all(all.map(([agent, presence]) => choosePresence(house, shop, agent, presence, 'chose', now)));
  await Promise.all(
    all.map(([agent, presence]) =>
      presence === 'offline'
        ? disconnectAgent(house, shop, agent, socketOf(agent), now)
        : connectAgent(house, shop, agent, socketOf(agent), 'node', now),
    ),
  );
  await house.settled();
}

/** All keys of a shop. */
export async function keysOf(redis: Connection, shop: string): Promise<string[]> {
  const { base } = keysOfShop(shop);
  const keys = new Set<string>();
  // Whichever node of a cluster has them.
  for (const node of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
    let cursor = '0';
    do {
      const [next, found] = await node.scan(cursor, 'MATCH', `${base}*`, 'COUNT', 10_000);
      for (const key of found) keys.add(key);
      cursor = next;
    } while (cursor !== '0');
  }
  return [...keys].sort();
}

/**
 * What a key holds: an object for a hash, `[member, score]` pairs for a sorted set, a list otherwise; `undefined` for one that
 * has gone since it was found.
 */
async function contentOf(redis: Connection, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'hash':
      return redis.hgetall(key);
    case 'zset': {
      const flat = await redis.zrange(key, 0, '-1', 'WITHSCORES');
      return flat.flatMap((member, i) => (i % 2 === 0 ? [[member, Number(flat[i + 1])]] : []));
    }
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      return undefined;
    default:
      throw new Error(`${key} is a ${type}, and no key of a shop is`);
  }
}

/** Every key of a shop with what it holds, without the part that all have in common. */
export async function dump(redis: Connection, shop: string): Promise<Record<string, unknown>> {
  const { base } = keysOfShop(shop);
  const found: Record<string, unknown> = {};
  for (const key of await keysOf(redis, shop)) {
    const content = await contentOf(redis, key);
    if (content !== undefined) found[key.slice(base.length)] = content;
  }
  return found;
}

/** Removes every key of a shop. */
export async function removeShop(redis: Connection, shop: string): Promise<void> {
  const keys = await keysOf(redis, shop);
  if (keys.length > 0) await redis.unlink(...keys);
}
