/**
 * A shop in plain TypeScript, as small as it can be: who is present, who waits, who was in contact. Whom the dispatcher
 * chooses it does not know; what the choice must respect, it does.
 */
import type { Assignment, Conversation, LiveAgent, Outcome, Presence } from '../../client-sdk/contract/index.ts';

export const GRACE_MS = 20_000;
export const HOT_MS = 24 * 3_600_000;
export const WARM_MS = 72 * 3_600_000;

export type Person = {
  readonly kind: 'human' | 'robot';
  readonly capacity: number;
  chosen: Presence;
  connected: boolean;
  /** End of the grace, while a connection is lost. */
  lapsesAt: number | undefined;
};

export type Talk = {
  readonly id: string;
  readonly buyer: string;
  holder: string;
  state: string;
  waiting: boolean;
  /** Whether anything was said. */
  said: boolean;
};

export type Rules = {
  readonly whenFull: 'queue' | 'leave-message';
  readonly leaveTo: 'pool' | 'owner';
  readonly robotFirst: boolean;
};

export type Model = {
  now: number;
  rules: Rules;
  readonly people: Map<string, Person>;
  /** The open conversation of each buyer. */
  readonly talks: Map<string, Talk>;
  /** Each buyer's contacts and when. */
  readonly contacts: Map<string, Map<string, number>>;
};

export function effective(model: Model, id: string): Presence {
  const person = model.people.get(id);
  if (!person) return 'offline';
  const there = person.connected || (person.lapsesAt !== undefined && model.now < person.lapsesAt);
  return there ? person.chosen : 'offline';
}

const held = (model: Model, id: string) => [...model.talks.values()].filter((talk) => talk.holder === id);
export const active = (model: Model, id: string) => held(model, id).length;
export const pending = (model: Model, id: string) => held(model, id).filter((talk) => talk.waiting).length;

export function onDuty(model: Model, id: string): boolean {
  const person = model.people.get(id);
  return person?.kind === 'human' && effective(model, id) === 'online' && active(model, id) < person.capacity;
}

/** What the live board must show of everybody. */
export function board(model: Model): LiveAgent[] {
  return [...model.people.entries()]
    .map(([id, person]) => ({
      id,
      presence: effective(model, id),
      connected: person.connected,
      pending: pending(model, id),
      active: active(model, id),
      onDuty: onDuty(model, id),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Contacts of a buyer, latest first. */
function contactsOf(model: Model, buyer: string): [agent: string, age: number][] {
  // Of two met at the same moment the one met last comes first.
  const contacts = [...(model.contacts.get(buyer)?.entries() ?? [])].reverse();
  return contacts.map(([agent, at]) => [agent, model.now - at] as [string, number]).sort((a, b) => a[1] - b[1]);
}

/** A conversation is as the dispatcher says now; a human who comes to hold it becomes a contact. */
export function holds(model: Model, conversation: Conversation): void {
  const before = model.talks.get(conversation.buyer);
  if (conversation.state === 'closed') {
    if (before?.id === conversation.id) model.talks.delete(conversation.buyer);
    return;
  }
  const holder = conversation.agent ?? '';
  // Who has talked with the robot and comes to a person waits for them.
  const leftRobot = before?.state === 'robot' && conversation.state !== 'robot' && before.said;
  const moved = before?.id !== conversation.id || before.holder !== holder;
  model.talks.set(conversation.buyer, {
    id: conversation.id,
    buyer: conversation.buyer,
    holder,
    state: conversation.state,
    waiting: before?.id === conversation.id && (before.waiting || leftRobot),
    said: before?.id === conversation.id && before.said,
  });
  if (moved) meets(model, conversation.buyer, holder);
}

/** A buyer is sent to, or speaks with, an agent. */
export function meets(model: Model, buyer: string, agent: string): void {
  if (model.people.get(agent)?.kind !== 'human') return;
  const contacts = model.contacts.get(buyer) ?? new Map<string, number>();
  contacts.delete(agent);
  contacts.set(agent, model.now);
  model.contacts.set(buyer, contacts);
}

/** What an assignment must be, as far as the model knows; the problem, or undefined. Asked before the model learns of it. */
export function objection(model: Model, buyer: string, assignment: Assignment): string | undefined {
  const { outcome, agent = '', step } = assignment;
  const is = (expected: { outcome?: Outcome; agent?: string; step?: string }) => {
    for (const [key, value] of Object.entries(expected)) {
      if (assignment[key as 'outcome'] !== value)
        return `${key} should be ${value}, is ${assignment[key as 'outcome']}`;
    }
    return undefined;
  };
  const humans = [...model.people.keys()].filter((id) => model.people.get(id)?.kind === 'human');
  const contacts = contactsOf(model, buyer);
  const holder = model.talks.get(buyer)?.holder;
  const queued = [...model.talks.values()].some((talk) => talk.state === 'queued');

  const [latest] = contacts;
  if (latest && latest[1] <= HOT_MS && effective(model, latest[0]) !== 'offline') {
    return is({ outcome: 'agent', agent: latest[0], step: 'hot-contact' });
  }
  if (!humans.some((id) => effective(model, id) === 'online')) {
    return is({ outcome: model.rules.leaveTo, step: 'nobody-on-duty' });
  }
  if (queued) return undefined; // whoever is not the head of the queue waits; the head may pass
  const warm = contacts.filter(([, age]) => age <= WARM_MS).map(([id]) => id);
  const free = (id: string) => onDuty(model, id) || (effective(model, id) === 'online' && holder === id);
  const kept = warm.find(free);
  if (kept) return is({ outcome: 'agent', agent: kept, step: 'warm-contact' });
  const somebody = humans.some((id) => onDuty(model, id));
  if (somebody && warm.some((id) => effective(model, id) === 'hung-up')) {
    return (
      is({ outcome: 'agent', step: 'warm-contact' }) ?? (onDuty(model, agent) ? undefined : `${agent} is not on duty`)
    );
  }
  const robot = model.people.get('robo');
  const robotFree = robot !== undefined && (active(model, 'robo') < robot.capacity || holder === 'robo');
  if (model.rules.robotFirst && effective(model, 'robo') === 'online' && robotFree)
    return is({ outcome: 'robot', step: 'shop-robot' });
  if (outcome === 'robot')
    return step === 'group-robot' && effective(model, agent) === 'online' ? undefined : `robot at ${step}`;
  if (somebody) {
    if (outcome !== 'agent') return `somebody is on duty, and it went to the ${outcome}`;
    return onDuty(model, agent) ? undefined : `${agent} is not on duty`;
  }
  return is({ outcome: model.rules.whenFull === 'queue' ? 'queue' : model.rules.leaveTo, step: 'full' });
}
