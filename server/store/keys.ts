/** The one place that names keys. All keys of a shop carry its hash tag, so that a shop lives in one slot. */

const PREFIX = 'fenliu:';

/** The number of the format in which everything here is kept. */
export const formatKey = `${PREFIX}format`;
/** The set of all shop ids. */
export const shopsKey = `${PREFIX}shops`;
/** Of those, the ones whose events webhooks are made of, by when that was announced in ms, so that the others cost nothing. */
export const webhookShopsKey = `${PREFIX}webhooks`;
/** Server nodes by their last heartbeat, in ms. */
export const nodesKey = `${PREFIX}nodes`;
/** What the counts of one limit begin with; what follows of a shop carries its hash tag, of an address none. */
export const ratePrefix = (limit: string) => `${PREFIX}rate:${limit}`;
/** How all shops stand together, as last counted: a text that many nodes read and one writes. */
export const shopCountsKey = `${PREFIX}counts`;
/** BullMQ's own keys begin with it. Hash-tagged, so that all of a queue lie in one slot of a cluster. */
export const jobsPrefix = '{fenliu-jobs}';

/** Where conversations stand, and who could take them: what every script needs that moves one. */
export const moveKeys = ['live', 'held', 'waits', 'owed', 'queue', 'pool', 'overnight', 'todo', 'lapses'] as const;

const shopWide = [
  ...moveKeys,
  'config',
  'secrets',
  'hot',
  'warm',
  'idle',
  'closed',
  'sockets',
  'places',
  'shifts',
  'events',
  'audit',
  'erasing',
] as const;

export type ShopKey = (typeof shopWide)[number];

/**
 * Every key of a shop that is not one buyer's or one conversation's:
 *
 * - `live`: version, counters, and the live record of every agent and group (hash)
 * - `config`, `secrets`: settings, agents, groups; key hashes and password hashes (hashes)
 * - `held`, `waits`: open conversations by holder; those that wait for their holder's reply (sorted sets read by prefix)
 * - `owed`: conversations that wait for their holder's reply, by since when this holder owes it (sorted set)
 * - `queue`, `pool`, `overnight`: conversations by ticket, the queue by priority first (sorted sets)
 * - `todo`: conversations due to be dispatched again, by since when (sorted set)
 * - `lapses`: agents whose connection is lost, by the end of their grace (sorted set)
 * - `hot`, `warm`: contacts, `<buyer>:<agent>`, by time, while their hot window runs, and after it (sorted sets)
 * - `idle`: open conversations by a time at which something was said, or a later one that is looked up (sorted set)
 * - `closed`: conversations by closing time (sorted set)
 * - `sockets`: `<agent>:<socket>` to the node that has it (hash)
 * - `places`: conversations in the queue to what their buyers were last told of their place (hash)
 * - `shifts`: every change of presence, `<agent>:<at>:<count>:<presence>:<cause>` (sorted set read by prefix)
 * - `events`: what happened (stream)
 * - `audit`: who has changed what (stream)
 * - `erasing`: buyers who are being erased, by since when (sorted set)
 */
export type ShopKeys = Record<ShopKey, string> & { base: string };

export function keysOfShop(shop: string): ShopKeys {
  const base = `${PREFIX}{${shop}}:`;
  return {
    base,
    ...(Object.fromEntries(shopWide.map((name) => [name, base + name])) as Record<ShopKey, string>),
  };
}

/** Who is on duty in a group, by pass (sorted set). */
export const readyKey = (keys: ShopKeys, group: string) => `${keys.base}ready:${group}`;
/** A buyer: profile, recent contacts, newest conversation (hash). */
export const buyerKey = (keys: ShopKeys, buyer: string) => `${keys.base}buyer:${buyer}`;
/** A conversation with its assignments, `a:<request>` (hash). */
export const conversationKey = (keys: ShopKeys, conversation: string) => `${keys.base}conversation:${conversation}`;
/** Its messages; the one with `seq` n stands at index n - 1 (list of JSON). */
export const messagesKey = (keys: ShopKeys, conversation: string) => `${keys.base}messages:${conversation}`;
/** `<kind>:<sender>:<clientId>` to `seq`: what was sent already (hash). */
export const sentKey = (keys: ShopKeys, conversation: string) => `${keys.base}sent:${conversation}`;
/** How far the erasing of a buyer has come, and what is still to be found by (hash); gone when all of them is. */
export const erasureKey = (keys: ShopKeys, buyer: string) => `${keys.base}erasure:${buyer}`;
/** An agent's session: whose, of which epoch, its refreshes and its end (hash that expires with it). */
export const sessionKey = (keys: ShopKeys, session: string) => `${keys.base}session:${session}`;
/** Until when a buyer's tokens are refused; `buyer` is a hash that names nobody (hash that expires). */
export const revokedKey = (keys: ShopKeys, buyer: string) => `${keys.base}revoked:${buyer}`;
