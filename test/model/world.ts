/**
 * A shop in plain TypeScript: who is here, who holds what, who met whom. It is not told what happens: the shop's events
 * are replayed in it (replay.ts), and so it must come to the same state as the shop itself.
 */
import type { Entry, Presence } from '../../client-sdk/contract/index.ts';
import type { BuyerFacts } from '../../server/plan/chain.ts';
import type { ShopConfig } from '../../server/plan/config.ts';
import type { Look } from '../../server/plan/overdue.ts';
import { membershipsOf, rosterEntry } from '../../server/plan/roster.ts';

export type Person = {
  chosen: Presence;
  presence: Presence;
  readonly sockets: Set<string>;
  /** End of the grace, while the last connection is lost. */
  lapsesAt: number | undefined;
  /** Hung up for having left a buyer without a reply. */
  silent: boolean;
};

export type Talk = {
  readonly id: string;
  readonly buyer: string;
  state: 'robot' | 'queued' | 'pooled' | 'assigned' | 'closed';
  /** '' where nobody holds it. */
  agent: string;
  group: string;
  /** The outcome by which its holder got it. */
  via: string;
  overnight: boolean;
  waitingSince: number | undefined;
  /** Since when its holder owes the reply; nobody expects one of a proxy. */
  owedSince: number | undefined;
  /** Who has left the buyer without a reply since the last one. */
  readonly missed: Set<string>;
  lastSeq: number;
  /** When something was said last, or the buyer clicked. */
  lastAt: number;
  /** Its place in the queue or the pool: when it came there, or a little later where several came at once. */
  place: number;
  /** In the queue: served before all of a lower one. */
  priority: number;
  entry: Entry;
};

/** Something that is being done: to which buyer, to which agent; '' for none. */
export type Deed = { readonly action: string; readonly buyer: string; readonly agent: string };

export type World = {
  now: number;
  config: ShopConfig;
  readonly people: Map<string, Person>;
  readonly talks: Map<string, Talk>;
  /** The newest conversation of each buyer. */
  readonly newest: Map<string, string>;
  /** Recent contacts of each buyer, latest first. */
  readonly contacts: Map<string, [agent: string, at: number][]>;
  readonly profiles: Map<string, BuyerFacts>;
  /** The last place that was given in a line. */
  lastPlace: number;
  /** When the replies that are owed were last gone over, and by which periods. */
  look: Look | undefined;
  /** What is being done, all of it at the same moment: in which order is for the shop to say. */
  doing: readonly Deed[];
  /** Passes in each group as they were read, until something happens that may change them. */
  passes: ReadonlyMap<string, ReadonlyMap<string, number>> | undefined;
};

/** A shop of which nothing is known but its configuration. */
export const worldOf = (config: ShopConfig, now: number): World => ({
  now,
  config,
  people: new Map(),
  talks: new Map(),
  newest: new Map(),
  contacts: new Map(),
  profiles: new Map(),
  lastPlace: 0,
  look: undefined,
  doing: [],
  passes: undefined,
});

/** Whether something is being done, to a buyer if one is named. */
export const isDoing = ({ doing }: World, action: string, buyer?: string) =>
  doing.some((deed) => deed.action === action && (buyer === undefined || deed.buyer === buyer));

export function personOf(world: World, id: string): Person {
  const known = world.people.get(id);
  if (known) return known;
  const person: Person = {
    chosen: 'offline',
    presence: 'offline',
    sockets: new Set(),
    lapsesAt: undefined,
    silent: false,
  };
  world.people.set(id, person);
  return person;
}

/** What an agent is to the dispatcher; `undefined` for who is gone. */
export function rosterOf(world: World, id: string) {
  const entry = rosterEntry(world.config, id, membershipsOf(world.config, new Set([id])));
  if (!entry) return undefined;
  const levels = new Map<string, number>();
  for (const [, group = '', level] of entry.groups.matchAll(/([^,=]+)=(\d)/g)) levels.set(group, Number(level));
  return { kind: entry.kind, room: entry.capacity === '' ? Number.POSITIVE_INFINITY : Number(entry.capacity), levels };
}

const heldBy = (world: World, agent: string) =>
  [...world.talks.values()].filter((talk) => talk.agent === agent && talk.state !== 'closed');
export const activeOf = (world: World, agent: string) => heldBy(world, agent).length;
export const pendingOf = (world: World, agent: string) =>
  heldBy(world, agent).filter((talk) => talk.waitingSince !== undefined).length;

export function hasRoom(world: World, id: string): boolean {
  return activeOf(world, id) < (rosterOf(world, id)?.room ?? 0);
}

export function isOnDuty(world: World, id: string): boolean {
  const levels = rosterOf(world, id)?.levels.size ?? 0;
  return personOf(world, id).presence === 'online' && levels > 0 && hasRoom(world, id);
}

/** Members of a group on duty, with their levels. */
export function onDutyIn(world: World, group: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const id of world.config.agents.keys()) {
    const level = rosterOf(world, id)?.levels.get(group);
    if (level !== undefined && isOnDuty(world, id)) found.set(id, level);
  }
  return found;
}

/** How many are online who could ever be on duty. */
export const onlineOf = (world: World) =>
  [...world.config.agents.keys()].filter(
    (id) => personOf(world, id).presence === 'online' && (rosterOf(world, id)?.levels.size ?? 0) > 0,
  ).length;

/** The open conversation of a buyer. */
export function openTalkOf(world: World, buyer: string): Talk | undefined {
  const talk = world.talks.get(world.newest.get(buyer) ?? '');
  return talk?.state === 'closed' ? undefined : talk;
}

export const contactsOf = (world: World, buyer: string) => world.contacts.get(buyer) ?? [];

const inState = (world: World, state: Talk['state']) =>
  [...world.talks.values()].filter((talk) => talk.state === state);

/** Conversations in the queue, in the order in which they are served. */
export const queueOf = (world: World): readonly string[] =>
  inState(world, 'queued')
    .sort((a, b) => b.priority - a.priority || a.place - b.place)
    .map(({ id }) => id);

export const poolOf = (world: World): readonly string[] =>
  inState(world, 'pooled')
    .sort((a, b) => a.place - b.place)
    .map(({ id }) => id);

/** The queue's priority of a buyer: the highest of their crowds'. */
export function priorityOf(world: World, buyer: string): number {
  const { priorities } = world.config.settings.queue;
  return Math.max(0, ...(world.profiles.get(buyer)?.crowds ?? []).map((crowd) => priorities[crowd] ?? 0));
}

export function must(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}

/** An entry of the shop's event stream. */
export type Happening = Readonly<Record<string, string>>;
