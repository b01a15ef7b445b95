/**
 * A shop's event stream done once more from its beginning, and what it comes to beside what the shop is. Each event says
 * where a conversation came from, so that one that is missing, doubled or out of order shows.
 */

import { readConfig } from '../../server/store/configure.ts';
import type { Connection } from '../../server/store/script.ts';
import { dump } from './shop.ts';

export type Event = Readonly<Record<string, string>>;

export type Talk = {
  readonly buyer: string;
  state: string;
  agent: string;
  via: string;
  lastSeq: number;
  waitingSince: string;
  /** Everybody who has ever held it, in order; '' while nobody did. */
  readonly holders: string[];
};

export type Told = {
  readonly talks: Map<string, Talk>;
  readonly presences: Map<string, string>;
  /** How often each assignment was told, by its id. */
  readonly assignments: Map<string, number>;
  /** Those of clicks. */
  readonly opens: string[];
  readonly problems: string[];
};

function eventOf([, fields]: [string, string[]]): Event {
  const event: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 2) event[fields[i] ?? ''] = fields[i + 1] ?? '';
  return event;
}

/** What a stream says, its events in order. */
function retell(events: readonly Event[], isRobot: (agent: string) => boolean): Told {
  const told: Told = { talks: new Map(), presences: new Map(), assignments: new Map(), opens: [], problems: [] };
  const { talks, presences, assignments, opens, problems } = told;

  /** Who has talked with the robot and comes to a person, or into a line, waits for them. */
  function move(talk: Talk, state: string, agent: string, at: string): void {
    const leavesRobot = talk.state === 'robot' && state !== 'robot';
    if (leavesRobot && talk.waitingSince === '' && talk.lastSeq > 0) talk.waitingSince = at;
    if (agent !== talk.holders.at(-1)) talk.holders.push(agent);
    Object.assign(talk, { state, agent });
  }

  function assigned({ conversation: id = '', buyer = '', agent = '', outcome = '', at = '', ...event }: Event): void {
    const { assignment, from = '', mode = 'open' } = event;
    const name = `${id}.${assignment}`;
    assignments.set(name, (assignments.get(name) ?? 0) + 1);
    if (mode === 'open') opens.push(name);
    const before = talks.get(id);
    if (from !== (before?.agent ?? '')) problems.push(`${name} came from ${from}, ${before?.agent} had it`);
    if (before?.state === 'closed') problems.push(`${name} is of a closed conversation`);
    const talk = before ?? {
      buyer,
      state: '',
      agent: '',
      via: '',
      lastSeq: 0,
      waitingSince: '',
      holders: [],
    };
    const state = outcome === 'robot' ? 'robot' : agent ? 'assigned' : outcome === 'queue' ? 'queued' : 'pooled';
    move(talk, state, agent, at);
    talk.via = outcome;
    talks.set(id, talk);
  }

  function message(talk: Talk, id: string, { seq, from, by = '', at = '' }: Event): void {
    if (Number(seq) !== talk.lastSeq + 1) problems.push(`message ${seq} of ${id} comes after ${talk.lastSeq}`);
    talk.lastSeq = Number(seq);
    // A program that stands in as the proxy answers something, but the buyer goes on waiting for a person.
    if (from === 'buyer') talk.waitingSince ||= at;
    else if (!(from === 'robot' && talk.via === 'proxy')) talk.waitingSince = '';
    if (from !== 'buyer' && from !== 'system' && by !== talk.agent)
      problems.push(`${by} spoke in ${id} of ${talk.agent}`);
  }

  for (const event of events) {
    const { type, conversation: id = '', agent = '', presence = '', at = '' } = event;
    if (type === 'assigned') assigned(event);
    else if (type === 'presence') presences.set(agent, presence);
    else if (type === 'message' || type === 'transferred' || type === 'closed') {
      const talk = talks.get(id);
      if (!talk || talk.state === 'closed') {
        problems.push(`a ${type} of ${id}, which is not open`);
      } else if (type === 'message') message(talk, id, event);
      else if (type === 'closed') Object.assign(talk, { state: 'closed', waitingSince: '' });
      else {
        if (event.from !== talk.agent) problems.push(`${id} was transferred from ${event.from}, ${talk.agent} had it`);
        move(talk, isRobot(agent) ? 'robot' : 'assigned', agent, at);
        talk.via = isRobot(agent) ? 'robot' : 'agent';
      }
    }
  }
  return told;
}

/**
 * Reads the whole stream of a shop and answers what it tells, with every difference to the shop as it is among the
 * problems. The stream must never have been trimmed, no buyer erased, and nobody dismissed.
 */
export async function toldByStream(redis: Connection, shop: string): Promise<Told> {
  const all = await dump(redis, shop);
  const config = await readConfig(redis, shop);
  const events = ((all.events ?? []) as [string, string[]][]).map(eventOf);
  const told = retell(events, (agent) => config?.agents.get(agent)?.kind === 'robot');
  const { talks, presences, assignments, problems } = told;
  for (const [name, times] of assignments) if (times !== 1) problems.push(`${name} was told ${times} times`);

  const stored = Object.keys(all).filter((key) => key.startsWith('conversation:'));
  if (stored.length !== talks.size) problems.push(`${stored.length} conversations, the stream knows ${talks.size}`);
  for (const [id, talk] of talks) {
    const is = (all[`conversation:${id}`] ?? {}) as Event;
    const shown = { buyer: is.buyer, state: is.state, agent: is.agent ?? '', lastSeq: Number(is.lastSeq ?? 0) };
    const { buyer, state, agent, lastSeq } = talk;
    for (const [fact, value] of Object.entries({ buyer, state, agent, lastSeq, waitingSince: talk.waitingSince })) {
      const held = fact === 'waitingSince' ? (is.waitingSince ?? '') : shown[fact as keyof typeof shown];
      if (held !== value) problems.push(`${fact} of ${id} is ${held}, the stream says ${value}`);
    }
  }
  const live = (all.live ?? {}) as Event;
  for (const [agent, presence] of presences) {
    const is = live[`${agent}:presence`];
    if (is !== presence) problems.push(`${agent} is ${is}, the stream says ${presence}`);
  }
  return told;
}
