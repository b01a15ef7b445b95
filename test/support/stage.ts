/**
 * A shop for the test of one script: the store's wrappers called directly, one command at a time, with nothing that
 * follows of its own accord, and what a command changed, key by key.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import type { Conversation, Presence } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../../server/plan/config.ts';
import { planFor, planForLeaving } from '../../server/plan/plan.ts';
import type { House } from '../../server/services/house.ts';
import { readBuyer } from '../../server/store/buyers.ts';
import { type Claim, type Claimed, claim } from '../../server/store/claim.ts';
import { type Stored, storeMessage } from '../../server/store/message.ts';
import { changePresence } from '../../server/store/presence.ts';
import { readConversation } from '../../server/store/read.ts';
import type { Scope } from '../../server/store/scope.ts';
import { type Connection, StaleConfig } from '../../server/store/script.ts';
import { problemsIn } from './consistent.ts';
import { createTestHouse, type TestHouse } from './house.ts';
import { dump, newShopId, openShop, removeShop, type ShopSpec, socketOf } from './shop.ts';

/** The time at which every stage begins. */
export const NOON = Date.parse('2026-03-02T12:00:00+08:00');

type Assigned = Extract<Claimed, { kind: 'assigned' }>;

export type Stage = {
  readonly house: House;
  readonly redis: Connection;
  readonly shop: string;
  /** The shop's keys and groups, as they are now. */
  scope(): Promise<Scope>;
  config(): Promise<ShopConfig>;
  /** Chooses a presence and connects; `offline` disconnects, without a grace. */
  be(presence: Presence, ...agents: string[]): Promise<void>;
  /** A claim with whatever is not said taken from how things stand. */
  claim(what: Partial<Claim> & { readonly buyer: string }): Promise<Claimed>;
  /** An open that must be assigned; the conversation of buyer `x` is called `c-x` unless said. */
  open(buyer: string, what?: Partial<Claim>): Promise<Assigned>;
  /** Runs the dispatcher again on the conversation of a buyer, as it stands. */
  again(mode: Claim['mode'], buyer: string, what?: Partial<Claim>): Promise<Claimed>;
  conversation(buyer: string): Promise<Conversation>;
  /** A message from the buyer, or from whoever holds the conversation. */
  say(from: 'buyer' | 'holder', buyer: string, at?: number): Promise<Stored>;
  dump(): Promise<Record<string, unknown>>;
  members(line: string): Promise<string[]>;
  /** The members of a line with their scores. */
  scores(line: string): Promise<Record<string, number>>;
  live(field: string): Promise<string | null>;
  /** What a command changed; see `changes`. */
  effect(command: () => Promise<unknown>): Promise<Record<string, unknown>>;
  /** Runs a command that must change nothing at all, and answers its answer. */
  unchanged<T>(command: () => Promise<T>): Promise<T>;
  /** A command sent with another version of the configuration is refused, and changes nothing. */
  refusesStale(command: (stale: Scope) => Promise<unknown>): Promise<void>;
};

type Fields = Record<string, string>;
const isHash = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function changedFields(before: Fields, after: Fields): Record<string, string | null> {
  const changed: Record<string, string | null> = {};
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[field] !== after[field]) changed[field] = after[field] ?? null;
  }
  return changed;
}

/** An entry of a stream as an object, without its id and time. */
function eventOf([, fields]: [string, string[]]): Fields {
  const event: Fields = {};
  for (let i = 0; i < fields.length; i += 2) event[fields[i] ?? ''] = fields[i + 1] ?? '';
  delete event.at;
  return event;
}

/** An entry of the audit log: what is '' is left out. */
function accountOf(entry: [string, string[]]): Record<string, unknown> {
  const fields = Object.entries(eventOf(entry)).filter(([, value]) => value !== '');
  return Object.fromEntries(fields.map(([name, value]) => [name, name === 'changes' ? JSON.parse(value) : value]));
}

/** Fields of `live` that say whose turn it is. */
const isTurn = (field: string) => field.startsWith('@') || field.includes(':left:');

/**
 * What is different between two dumps, key by key: the fields of a hash that changed (`null` for one that is gone), the
 * new events and entries of the audit log, the members of a sorted set, any other key as it is now; `null` for a key that is gone.
 *
 * Passes, and the counters behind them, are left out: what they bring about is tested as fairness.
 */
export function changes(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key], after[key]];
    if (isDeepStrictEqual(was, is)) continue;
    if (is === undefined) found[key] = null;
    else if (key === 'events') found[key] = (is as []).slice(((was ?? []) as []).length).map(eventOf);
    else if (key === 'audit') found[key] = (is as []).slice(((was ?? []) as []).length).map(accountOf);
    else if (isHash(is)) {
      const fields = Object.entries(changedFields((was ?? {}) as Fields, is));
      const told = fields.filter(([field]) => key !== 'live' || !isTurn(field));
      if (told.length > 0) found[key] = Object.fromEntries(told);
    } else if (key.startsWith('ready:')) {
      const members = (value: unknown) => ((value ?? []) as [string, number][]).map(([member]) => member).sort();
      if (!isDeepStrictEqual(members(was), members(is))) found[key] = members(is);
    } else found[key] = is;
  }
  return found;
}

async function setStage(house: House, spec: ShopSpec): Promise<Stage> {
  const shop = newShopId('script');
  await openShop(house, shop, spec, NOON);
  const { redis } = house;
  const at = () => house.configs.fresh(shop);
  let counter = 0;

  const stage: Stage = {
    house,
    redis,
    shop,
    scope: async () => (await at()).scope,
    config: async () => (await at()).config,
    async be(presence, ...agents) {
      const { scope } = await at();
      for (const agent of agents) {
        await changePresence(scope, { change: 'choose', agent, presence, cause: 'chose' }, NOON);
        const socket = socketOf(agent);
        await changePresence(
          scope,
          presence === 'offline'
            ? { change: 'disconnect', agent, socket, graceMs: 0 }
            : { change: 'connect', agent, socket, node: 'node' },
          NOON,
        );
      }
    },
    async claim(what) {
      const { config, scope } = await at();
      const known = await readBuyer(scope, what.buyer);
      const { now = NOON, mode = 'open', entry = {} } = what;
      return claim(scope, {
        now,
        mode,
        entry,
        plan:
          mode === 'leave'
            ? planForLeaving(config, 'left-the-queue')
            : planFor(config, known ?? { crowds: [] }, entry, now, mode !== 'open' && mode !== 'again'),
        profile: known?.profile ?? '0',
        conversation: known?.conversation || `c-${what.buyer}`,
        request: `r${++counter}`,
        expected: known?.conversation ? 'current' : 'new',
        warmMs: config.settings.contactWindows.warmMs,
        limit: '',
        ...what,
      });
    },
    async open(buyer, what = {}) {
      const claimed = await stage.claim({ ...what, buyer, mode: 'open' });
      if (claimed.kind !== 'assigned') throw new Error(`the open of ${buyer} came to: ${claimed.kind}`);
      return claimed;
    },
    async again(mode, buyer, what = {}) {
      const { scope } = await at();
      const record = await readConversation(scope, (await readBuyer(scope, buyer))?.newest ?? '');
      if (!record) throw new Error(`${buyer} has no conversation`);
      const { id } = record.conversation;
      const owedSince = mode === 'missed' ? `:${(await stage.scores('owed'))[id] ?? ''}` : '';
      const expected = `${record.request}:${record.conversation.agent ?? ''}${owedSince}`;
      return stage.claim({ entry: record.entry, ...what, buyer, mode, expected, conversation: id });
    },
    async conversation(buyer) {
      const { scope } = await at();
      const record = await readConversation(scope, (await readBuyer(scope, buyer))?.newest ?? '');
      if (!record) throw new Error(`${buyer} has no conversation`);
      return record.conversation;
    },
    async say(from, buyer, time = NOON) {
      const { config, scope } = await at();
      const { id, agent = '' } = await stage.conversation(buyer);
      const kind = from === 'buyer' ? from : config.agents.get(agent)?.kind === 'robot' ? 'robot' : 'agent';
      const n = ++counter;
      const draft = {
        id: `m${n}`,
        conversation: id,
        from: { kind, id: from === 'buyer' ? buyer : agent },
        body: { type: 'text', text: `text ${n}` },
        clientId: `client${n}`,
        at: time,
      } as const;
      return storeMessage(scope, buyer, draft, config.settings.contactWindows);
    },
    dump: () => dump(redis, shop),
    members: async (line) => redis.zrange((await stage.scope()).keys.base + line, 0, '-1'),
    async scores(line) {
      const flat = await redis.zrange((await stage.scope()).keys.base + line, 0, '-1', 'WITHSCORES');
      return Object.fromEntries(flat.flatMap((member, i) => (i % 2 === 0 ? [[member, Number(flat[i + 1])]] : [])));
    },
    live: async (field) => redis.hget((await stage.scope()).keys.live, field),
    async effect(command) {
      const before = await stage.dump();
      await command();
      return changes(before, await stage.dump());
    },
    async unchanged(command) {
      const before = await stage.dump();
      const answer = await command();
      expect(await stage.dump()).toEqual(before);
      return answer;
    },
    async refusesStale(command) {
      const stale = { ...(await stage.scope()), version: '999' };
      await stage.unchanged(() => expect(command(stale)).rejects.toThrow(StaleConfig));
    },
  };
  return stage;
}

/**
 * Stages for the tests of a file. After each test every shop it used is checked for what must always hold between its
 * keys, and removed.
 */
export function useStages(): (spec: ShopSpec) => Promise<Stage> {
  let test: TestHouse;
  const used: string[] = [];
  beforeAll(() => {
    test = createTestHouse(inject('redis'));
  });
  afterEach(async () => {
    const { house } = test;
    await house.settled();
    const shops = used.splice(0);
    const problems = await Promise.all(shops.map((shop) => problemsIn(house.redis, shop)));
    await Promise.all(shops.map((shop) => removeShop(house.redis, shop)));
    expect(problems.flat()).toEqual([]);
  });
  afterAll(() => test.close());
  return async (spec) => {
    const stage = await setStage(test.house, spec);
    used.push(stage.shop);
    return stage;
  };
}

/** The parts of an effect that are the same for nearly every command are spelt once: an event of this type. */
export const event = (type: string, fields: Record<string, string>) => ({ type, ...fields });

/** As the store answers an open: what was assigned, in short. */
export const gist = (claimed: Claimed): string => {
  if (claimed.kind !== 'assigned') return claimed.kind;
  const { outcome, agent = '-', step } = claimed.assignment;
  return `${outcome} ${agent} ${step}`;
};
