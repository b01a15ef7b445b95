/**
 * A shop in plain TypeScript: who is here, who holds what, who met whom. It is not told what happens: it replays the
 * shop's events, and so must come to the same state as the shop itself.
 */
import type { Entry, Presence } from '../../client-sdk/contract/index.ts';
import type { BuyerFacts } from '../../server/plan/chain.ts';
import type { ShopConfig } from '../../server/plan/config.ts';
import { membershipsOf, rosterEntry } from '../../server/plan/roster.ts';

export type Person = {
  chosen: Presence;
  presence: Presence;
  readonly sockets: Set<string>;
  /** End of the grace, while the last connection is lost. */
  lapsesAt: number | undefined;
};

export type Talk = {
  readonly id: string;
  readonly buyer: string;
  state: 'robot' | 'queued' | 'pooled' | 'assigned' | 'closed';
  /** '' where nobody holds it. */
  agent: string;
  group: string;
  overnight: boolean;
  waitingSince: number | undefined;
  lastSeq: number;
  entry: Entry;
};

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
  queue: string[];
  pool: string[];
  /** Passes in each group as they were read, until something happens that may change them. */
  passes: ReadonlyMap<string, ReadonlyMap<string, number>> | undefined;
};

export function personOf(world: World, id: string): Person {
  const known = world.people.get(id);
  if (known) return known;
  const person: Person = { chosen: 'offline', presence: 'offline', sockets: new Set(), lapsesAt: undefined };
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

function meet(world: World, buyer: string, agent: string): void {
  if (rosterOf(world, agent)?.kind !== 'agent') return;
  const { warmMs } = world.config.settings.contactWindows;
  const others = contactsOf(world, buyer).filter(([id, at]) => id !== agent && world.now - at <= warmMs);
  world.contacts.set(buyer, [[agent, world.now] as [string, number], ...others].slice(0, 10));
}

function leaveLines(world: World, id: string): void {
  world.queue = world.queue.filter((other) => other !== id);
  world.pool = world.pool.filter((other) => other !== id);
}

function must(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}

export type Happening = Readonly<Record<string, string>>;

/** Whether an effective presence is what was chosen and what is connected. */
export const effective = (person: Person): Presence =>
  person.sockets.size > 0 || person.lapsesAt !== undefined ? person.chosen : 'offline';

function replayPresence(world: World, { agent = '', presence, cause }: Happening): void {
  const person = personOf(world, agent);
  if (cause === 'lost-connection') {
    const lapsed = person.lapsesAt !== undefined && person.lapsesAt <= world.now;
    must(presence === 'offline' && (lapsed || person.sockets.size === 0), `${agent} lost no connection`);
    person.lapsesAt = undefined;
  } else {
    must(presence === effective(person), `${agent} became ${presence}, chose ${person.chosen}`);
  }
  must(presence !== person.presence, `${agent} became what they were, ${presence}`);
  person.presence = presence as Presence;
}

function replayAssigned(world: World, happening: Happening, entry: Entry): void {
  const { conversation: id = '', buyer = '', outcome, agent = '', from = '', group = '', step } = happening;
  // A new conversation says neither where it comes from nor why: it is a click.
  const { mode = 'open' } = happening;
  const before = world.talks.get(id);
  must(from === (before?.agent ?? ''), `${id} came from ${from}`);
  must(before !== undefined || mode === 'open', `${id} is new, and came by ${mode}`);
  const state =
    outcome === 'robot' ? 'robot' : agent ? 'assigned' : outcome === 'queue' ? ('queued' as const) : 'pooled';
  const talk: Talk = before ?? {
    id,
    buyer,
    state,
    agent,
    group,
    overnight: false,
    waitingSince: undefined,
    lastSeq: 0,
    entry,
  };
  if (!before || before.agent !== agent || (agent === '' && before.state !== state)) {
    leaveLines(world, id);
    if (state === 'queued') world.queue.push(id);
    if (state === 'pooled') world.pool.push(id);
  }
  if (step === 'night-shift') talk.overnight = true;
  else if (mode === 'open') talk.overnight = false;
  Object.assign(talk, { state, agent, group, entry });
  world.talks.set(id, talk);
  if (mode === 'open') world.newest.set(buyer, id);
  if (agent) meet(world, buyer, agent);
}

function replayMessage(world: World, talk: Talk, { seq, from }: Happening): void {
  must(Number(seq) === talk.lastSeq + 1, `message ${seq} of ${talk.id} comes after ${talk.lastSeq}`);
  talk.lastSeq = Number(seq);
  talk.waitingSince = from === 'buyer' ? (talk.waitingSince ?? world.now) : undefined;
  if (talk.agent && (from !== 'buyer' || personOf(world, talk.agent).presence !== 'offline')) {
    meet(world, talk.buyer, talk.agent);
  }
}

/** Takes in what happened; `entry` is what the buyer of an assignment brought along. Throws for what cannot be. */
export function replay(world: World, happening: Happening, entry: Entry) {
  const { type, conversation: id = '', agent = '' } = happening;
  must(Number(happening.at) === world.now, `a ${type} at ${happening.at}`);
  if (type === 'presence') return replayPresence(world, happening);
  if (type === 'assigned') return replayAssigned(world, happening, entry);
  if (type === 'configured' || type === 'profile') return;
  const talk = world.talks.get(id);
  if (!talk || talk.state === 'closed') throw new Error(`a ${type} of ${id}, which is not open`);
  if (type === 'message') return replayMessage(world, talk, happening);
  leaveLines(world, id);
  if (type === 'closed') {
    Object.assign(talk, { state: 'closed', waitingSince: undefined });
    return;
  }
  must(type === 'transferred' && happening.from === talk.agent, `a ${type} of ${id} from ${happening.from}`);
  const state = rosterOf(world, agent)?.kind === 'robot' ? 'robot' : 'assigned';
  Object.assign(talk, { state, agent, group: happening.group ?? '' });
  meet(world, talk.buyer, agent);
}
