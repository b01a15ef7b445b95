/**
 * The shop's event stream as an outbox: whoever makes something of it reads it in a consumer group, and says when that is
 * done. What a reader took and never finished is given out again.
 */
import { keysOfShop, webhookShopsKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { type Connection, loadScript, run } from './script.ts';

const script = loadScript('follow', ['live', 'events'], ['version', 'group', 'wanted']);
const unlist = loadScript('unlist', ['webhookShops'], ['shop', 'since']);

/** The group that makes deliveries to webhooks of events. */
const GROUP = 'webhooks';
/** One reader for all processes: who took an event does not matter, only for how long it has not been finished. */
const READER = 'workers';

/** Something that happened, as a script wrote it. */
export type OutboxEvent = {
  readonly id: string;
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** '' where there is no such field. */
  field(name: string): string;
};

/** Has the shop's events read for webhooks from now on, or not any more. Throws `StaleConfig`. */
export async function followEvents(scope: Scope, wanted: boolean): Promise<void> {
  await run(scope.redis, script, scope.keys, { version: scope.version, group: GROUP, wanted: wanted ? '1' : '' });
}

type Entry = [id: string, fields: string[] | null];

function eventsFrom(entries: readonly Entry[]): OutboxEvent[] {
  return entries.map(([id, fields]) => {
    const named = new Map<string, string>();
    for (let i = 0; fields && i < fields.length; i += 2) named.set(fields[i] ?? '', fields[i + 1] ?? '');
    const field = (name: string) => named.get(name) ?? '';
    return { id, type: field('type'), at: Number(field('at')), field };
  });
}

const isNoGroup = (error: unknown) => error instanceof Error && error.message.startsWith('NOGROUP');

/**
 * The next events: first those that another reader took `staleMs` ago or longer without finishing them, then new ones; at
 * most `count` of each. `undefined` where nobody follows this shop's events.
 */
export async function takeEvents(
  redis: Connection,
  shop: string,
  { count, staleMs }: { readonly count: number; readonly staleMs: number },
): Promise<OutboxEvent[] | undefined> {
  const { events } = keysOfShop(shop);
  try {
    const [[, left = []], read] = (await Promise.all([
      redis.xautoclaim(events, GROUP, READER, staleMs, '0-0', 'COUNT', count),
      redis.xreadgroup('GROUP', GROUP, READER, 'COUNT', count, 'STREAMS', events, '>'),
    ])) as [[string, Entry[]?], [string, Entry[]][] | null];
    return eventsFrom([...left, ...(read?.[0]?.[1] ?? [])]);
  } catch (error) {
    if (isNoGroup(error)) return undefined;
    throw error;
  }
}

/** Something lasting has been made of these events: nobody is given them again. */
export async function finishEvents(redis: Connection, shop: string, events: readonly OutboxEvent[]): Promise<void> {
  if (events.length === 0) return;
  await redis.xack(keysOfShop(shop).events, GROUP, ...events.map(({ id }) => id));
}

/** Lists a shop that is about to have a webhook; `now` in ms. */
export const announceWebhookShop = (redis: Connection, shop: string, now: number) =>
  redis.zadd(webhookShopsKey, now, shop);

/** Lists a shop that has a webhook; one that is listed stays as it was announced. `now` in ms. */
export const keepWebhookShop = (redis: Connection, shop: string, now: number) =>
  redis.zadd(webhookShopsKey, 'NX', now, shop);

/** Takes a shop off the list, unless it was announced later than `since` (ms). Answers whether it is off the list. */
export async function unlistWebhookShop(redis: Connection, shop: string, since: number): Promise<boolean> {
  const [result] = await run(redis, unlist, { webhookShops: webhookShopsKey }, { shop, since });
  return result === 'done';
}

export const listWebhookShops = (redis: Connection) => redis.zrange(webhookShopsKey, 0, '-1');
