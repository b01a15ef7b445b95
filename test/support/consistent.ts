/** What must hold between the keys of a shop after every command, whatever the command was. */
import type { Agent, Group, Settings } from '../../client-sdk/contract/index.ts';
import { membershipsOf, rosterEntry } from '../../server/plan/roster.ts';
import { readConfig } from '../../server/store/configure.ts';
import type { Connection } from '../../server/store/script.ts';
import { dump } from './shop.ts';

type Hash = Record<string, string>;
type Dump = Record<string, unknown>;

const hash = (all: Dump, key: string) => (all[key] ?? {}) as Hash;
const pairs = (all: Dump, key: string) => (all[key] ?? []) as [string, number][];
const members = (all: Dump, key: string) => pairs(all, key).map(([member]) => member);
const named = (all: Dump, prefix: string) =>
  Object.keys(all)
    .filter((key) => key.startsWith(prefix))
    .map((key) => [key.slice(prefix.length), hash(all, key)] as const);

type Say = (holds: boolean, problem: string) => void;
const same = (a: readonly string[], b: readonly string[]) => [...a].sort().join() === [...b].sort().join();

/** One holder each, in exactly the lines its state says. */
function checkConversations(all: Dump, say: Say): void {
  const live = hash(all, 'live');
  const lines: Record<'held' | 'waits' | 'owed' | 'queue' | 'pool' | 'idle', string[]> = {
    held: [],
    waits: [],
    owed: [],
    queue: [],
    pool: [],
    idle: [],
  };
  const closed: string[] = [];
  for (const [id, c] of named(all, 'conversation:')) {
    const holder = c.state === 'queued' || c.state === 'pooled' ? '' : (c.agent ?? '');
    if (c.state === 'closed') {
      closed.push(id);
      say(!c.waitingSince, `${id} is closed and waits`);
      say(
        Number(c.closedAt) >= Number(c.lastAt ?? c.openedAt),
        `${id} is closed since ${c.closedAt}, before ${c.lastAt}`,
      );
      for (const line of ['overnight', 'todo']) say(!members(all, line).includes(id), `${id} is closed and in ${line}`);
    } else {
      lines.held.push(`${holder}:${id}`);
      say((c.agent ?? '') === holder, `${id} is ${c.state} and names ${c.agent}`);
      if (holder && c.waitingSince) {
        lines.waits.push(`${holder}:${id}`);
        // Of what is left with a proxy nobody expects a reply in time.
        if (c.via !== 'proxy') lines.owed.push(id);
      }
      lines.idle.push(id);
      checkTimes(all, id, c, say);
      if (c.state === 'queued') lines.queue.push(id);
      if (c.state === 'pooled') lines.pool.push(id);
      if (members(all, 'overnight').includes(id)) say(c.via === 'proxy', `${id} is overnight via ${c.via}`);
      say(hash(all, `buyer:${c.buyer}`).conversation === id, `${id} is open and not the newest of ${c.buyer}`);
    }
    say(`a:${c.assignment}` in c, `${id} has no record of its assignment`);
    const said = ((all[`messages:${id}`] ?? []) as string[]).map((line) => (JSON.parse(line) as { seq: number }).seq);
    say(said.join() === said.map((_, i) => i + 1).join(), `${id} counts its messages ${said.join()}`);
    say(Number(c.lastSeq ?? 0) === said.length, `${id} has lastSeq ${c.lastSeq} and ${said.length} messages`);
  }
  for (const [line, expected] of Object.entries({ ...lines, closed })) {
    say(same(members(all, line), expected), `${line} is ${members(all, line)}, conversations say ${expected}`);
  }
  for (const line of ['overnight', 'todo']) {
    for (const id of members(all, line)) say(`conversation:${id}` in all, `${line} names ${id}, which is not there`);
  }
  say(Number(live.queued ?? 0) === lines.queue.length, 'queued is not the length of the queue');
}

/** When an open conversation began to be idle, and since when its reply is owed. */
function checkTimes(all: Dump, id: string, c: Hash, say: Say): void {
  const score = (line: string) => pairs(all, line).find(([member]) => member === id)?.[1];
  const [idle, owed, last] = [score('idle'), score('owed'), Number(c.lastAt ?? c.openedAt)];
  // Later would be closed too late; what waits is not closed, and is looked at again.
  if (!c.waitingSince && c.state !== 'queued')
    say(
      (idle ?? 0) <= Math.max(last, Number(c.openedAt)),
      `${id} is idle since ${idle}, something was said at ${last}`,
    );
  const since = Number(c.waitingSince);
  if (owed !== undefined) say(owed >= since, `${id} waits since ${since}, the reply is owed since ${owed} already`);
  say(!c.missed || !!c.waitingSince, `${id} was missed by ${c.missed} and does not wait`);
  say(!c.overnight || Number(c.overnight) > 1, `${id} came in overnight at ${c.overnight}`);
}

/** More than any ticket: so far apart do the priorities of the queue lie. */
const CLASS = 1e13;

/** Tickets are given once, and rise; the queue is ordered by priority first. */
function checkTickets(all: Dump, say: Say): void {
  const live = hash(all, 'live');
  for (const line of ['queue', 'pool', 'overnight']) {
    const tickets = pairs(all, line).map(([member, score]) => {
      const priority = Math.max(0, Math.ceil(-score / CLASS));
      say(line === 'queue' ? priority <= 9 : priority === 0, `${member} has priority ${priority} in ${line}`);
      return score + priority * CLASS;
    });
    say(new Set(tickets).size === tickets.length, `two in ${line} have the same ticket: ${tickets}`);
    const last = Number(live.tickets ?? 0);
    for (const ticket of tickets) say(ticket > 0 && ticket <= last, `${ticket} is in ${line}, the last was ${last}`);
  }
  const served = (live.served ?? '').split(',').filter(Boolean);
  say(served.length <= 20 && served.every((at) => /^\d{13}$/.test(at)), `served is ${live.served}`);
}

/** Each contact of a buyer stands in the line of one window. */
function checkContacts(all: Dump, say: Say): void {
  const [hot, warm] = [new Map(pairs(all, 'hot')), new Map(pairs(all, 'warm'))];
  for (const contact of hot.keys()) say(!warm.has(contact), `${contact} is hot and warm`);
  for (const [buyer, { contacts = '' }] of named(all, 'buyer:')) {
    for (const [agent = '', at] of contacts
      .split(',')
      .filter(Boolean)
      .map((item) => item.split('='))) {
      const score = hot.get(`${buyer}:${agent}`) ?? warm.get(`${buyer}:${agent}`);
      // Later would be told too late; one that was refreshed since is looked up.
      say(score !== undefined && score <= Number(at), `${buyer}:${agent} is of ${at}, and stands at ${score}`);
    }
  }
}

/** The last entry of each agent's log says how they are. */
function checkShifts(all: Dump, say: Say): void {
  const live = hash(all, 'live');
  const last = new Map<string, { count: number; presence: string }>();
  for (const entry of members(all, 'shifts')) {
    const [agent = '', at, count, presence = '', cause, ...by] = entry.split(':');
    say(/^\d{13}$/.test(at ?? '') && /^\d{10}$/.test(count ?? '') && !!cause && by.length === 1, `shift ${entry}`);
    // In the order of their times, which is how they are read.
    say((last.get(agent)?.count ?? 0) < Number(count), `${entry} stands after ${last.get(agent)?.count}`);
    last.set(agent, { count: Number(count), presence });
  }
  for (const field of Object.keys(live).filter((name) => name.endsWith(':presence'))) {
    const [id, presence] = [field.slice(0, -':presence'.length), live[field]];
    say(last.get(id)?.presence === presence, `${id} is ${presence}, and was ${last.get(id)?.presence} in the log`);
  }
  for (const id of last.keys()) say(`${id}:presence` in live, `${id} has a log and no presence`);
  const most = Math.max(0, ...[...last.values()].map(({ count }) => count));
  say(Number(live.shifts ?? 0) === most, `${live.shifts} shifts were counted, the last in the log is ${most}`);
}

/** Loads, effective presence, and who stands in which ready set. */
function checkAgents(all: Dump, agents: ReadonlyMap<string, Agent>, say: Say): void {
  const live = hash(all, 'live');
  const ready = new Map<string, string[]>();
  const levels = new Map<string, number>();
  let online = 0;
  for (const field of Object.keys(live).filter((name) => name.endsWith(':kind'))) {
    const id = field.slice(0, -':kind'.length);
    const get = (what: string) => live[`${id}:${what}`] ?? '';
    const count = (line: string) => members(all, line).filter((m) => m.startsWith(`${id}:`)).length;
    say(Number(get('active')) === count('held'), `${id} has active ${get('active')} and holds ${count('held')}`);
    say(Number(get('pending')) === count('waits'), `${id} has pending ${get('pending')}, ${count('waits')} wait`);
    const sockets = Object.keys(hash(all, 'sockets')).filter((s) => s.startsWith(`${id}:`)).length;
    say(Number(get('sockets')) === sockets, `${id} counts ${get('sockets')} sockets of ${sockets}`);
    const connected = sockets > 0 || members(all, 'lapses').includes(id);
    const chosen = (connected && get('chosen')) || 'offline';
    const tooMany = !!live.hangUpAt && get('kind') === 'agent' && Number(get('active')) >= Number(live.hangUpAt);
    const effective =
      chosen === 'online' && (tooMany || (get('kind') === 'agent' && get('silent') === '1')) ? 'hung-up' : chosen;
    say((get('presence') || 'offline') === effective, `${id} is ${get('presence')} and should be ${effective}`);
    say(agents.has(id) !== (get('kind') === 'gone'), `${id} is of kind ${get('kind')}`);
    if (effective === 'online' && get('groups')) online++;
    const room = get('capacity') === '' || Number(get('active')) < Number(get('capacity'));
    if (effective !== 'online' || !room) continue;
    for (const [, group = '', level] of get('groups').matchAll(/([^,=]+)=(\d)/g)) {
      ready.set(group, [...(ready.get(group) ?? []), id]);
      levels.set(group, (levels.get(group) ?? 0) + Number(level));
    }
  }
  say(Number(live.online ?? 0) === online, `online is ${live.online}, ${online} are`);
  for (const key of Object.keys(all).filter((name) => name.startsWith('ready:'))) {
    const group = key.slice('ready:'.length);
    say(same(members(all, key), ready.get(group) ?? []), `${key} is ${members(all, key)}, on duty ${ready.get(group)}`);
    const time = Number(live[`@${group}:time`] ?? 0);
    for (const [id, pass] of pairs(all, key)) say(pass >= time, `${id} has pass ${pass} in ${group} at time ${time}`);
  }
  for (const [group, ids] of ready) say(`ready:${group}` in all, `${ids} are on duty in ${group}, which is empty`);
  for (const field of Object.keys(live).filter((name) => /^@.*:levels$/.test(name))) {
    const group = field.slice(1, -':levels'.length);
    say(Number(live[field]) === (levels.get(group) ?? 0), `${field} is ${live[field]}, on duty ${levels.get(group)}`);
  }
  const [first] = pairs(all, 'lapses');
  say((live.lapse ?? '') === (first ? String(first[1]) : ''), `lapse is ${live.lapse}, the first is ${first}`);
}

/** The live records say what the configuration says. */
function checkRoster(
  all: Dump,
  config: { settings: Settings; agents: Map<string, Agent>; groups: Map<string, Group>; version: string },
  say: Say,
): void {
  const live = hash(all, 'live');
  const shop = { shop: '', name: '', ...config };
  const memberships = membershipsOf(shop);
  const inOrder = (groups: string) => groups.split(',').sort().join();
  for (const id of config.agents.keys()) {
    const entry = rosterEntry(shop, id, memberships);
    const found = { kind: live[`${id}:kind`], capacity: live[`${id}:capacity`], groups: live[`${id}:groups`] ?? '' };
    const agrees = found.kind === entry?.kind && found.capacity === entry?.capacity;
    say(agrees && inOrder(found.groups) === inOrder(entry?.groups ?? ''), `${id} is ${JSON.stringify(found)} live`);
  }
  say(Number(live.threshold) === config.settings.busyThreshold, `threshold is ${live.threshold}`);
  const { atActive } = config.settings.autoHangUp;
  say((live.hangUpAt ?? '') === String(atActive ?? ''), `hangUpAt is ${live.hangUpAt}`);
}

/** What does not hold in a shop; empty when all is well. */
export async function problemsIn(redis: Connection, shop: string): Promise<string[]> {
  const problems: string[] = [];
  const say: Say = (holds, problem) => {
    if (!holds) problems.push(problem);
  };
  const all = await dump(redis, shop);
  const config = await readConfig(redis, shop);
  if (!config) return Object.keys(all).length === 0 ? [] : ['keys without a configuration'];
  checkConversations(all, say);
  checkTickets(all, say);
  checkContacts(all, say);
  checkShifts(all, say);
  checkAgents(all, config.agents, say);
  checkRoster(all, config, say);
  return problems;
}
