/**
 * Walks the chain beside the trace of an assignment and objects where the trace says anything else than what the world
 * was like. Where the dispatcher has a choice (whose turn it is, which group is drawn), the choice is taken from the trace
 * and has only to be one that it had.
 */
import { type Assignment, type Outcome, type StepName, WHOLE_SHOP } from '../../client-sdk/contract/index.ts';
import { chain, type LeftTo, leavingQueue, type Step } from '../../server/plan/chain.ts';
import {
  contactsOf,
  hasRoom,
  isDoing,
  onDutyIn,
  onlineOf,
  pendingOf,
  personOf,
  queueOf,
  rosterOf,
  type Talk,
  type World,
} from './world.ts';

export type Run = {
  readonly mode: string;
  readonly buyer: string;
  /** As it was before. */
  readonly talk: Talk | undefined;
  readonly entry: Talk['entry'];
};

type Facts = Readonly<Record<string, unknown>>;
const agentLeftTo = (left: LeftTo) => (left.outcome === 'queue' ? '' : (left.agent ?? ''));
type GroupStep = Extract<Step, { groups: unknown }>;

/** Throws for an assignment that its trace does not explain, or whose trace is not true. */
export function explain(world: World, run: Run, assignment: Assignment): void {
  const { settings } = world.config;
  const { talk, mode } = run;
  const trace = [...assignment.trace];
  let at = 0;
  let over = false;
  const limit =
    mode === 'morning' || mode === 'pool'
      ? Math.max(1, settings.handoverLimit ?? settings.busyThreshold)
      : Number.POSITIVE_INFINITY;
  const limited = Number.isFinite(limit);
  const [head] = queueOf(world);
  const queueFirst = mode !== 'queue' && head !== undefined && !(mode === 'open' && head === talk?.id);
  // Who has left this buyer without a reply does not get them again.
  const missed = mode === 'missed' ? new Set([...(talk?.missed ?? []), talk?.agent]) : undefined;

  // Robots answer first only where the chain starts anew: a click, or a holder who has left.
  const withoutRobots = mode !== 'open' && mode !== 'again';

  const holds = (id: string) => talk?.agent === id;
  const presence = (id: string) => personOf(world, id).presence;
  const underLimit = (id: string) => pendingOf(world, id) < limit;
  const awake = (id: string) => !missed?.has(id);
  const fits = (id: string) => underLimit(id) && awake(id);
  const canTake = (id: string) =>
    !queueFirst &&
    presence(id) === 'online' &&
    (rosterOf(world, id)?.levels.size ?? 0) > 0 &&
    fits(id) &&
    (hasRoom(world, id) || holds(id));
  const robotHere = (id: string) =>
    rosterOf(world, id)?.kind === 'robot' && presence(id) === 'online' && (hasRoom(world, id) || holds(id));
  const unfit = missed ? 'missed-it' : 'at-limit';
  /** Who could be given a buyer by turn in a group. */
  const takers = (group: string) => [...onDutyIn(world, group)].filter(([id]) => fits(id));
  const next = () => trace[at];

  function expect(expected: Facts): void {
    const item: Facts = trace[at] ?? {};
    for (const key of new Set([...Object.keys(item), ...Object.keys(expected)])) {
      if (item[key] === expected[key]) continue;
      throw new Error(`item ${at + 1} should be ${JSON.stringify(expected)}, is ${JSON.stringify(item)}`);
    }
    at += 1;
  }
  const passed = (step: StepName, why: string, facts: Facts = {}) => expect({ step, result: 'passed', why, ...facts });
  function won(step: StepName, why: string, outcome: Outcome, agent: string, group = '', facts: Facts = {}): void {
    expect({ step, result: 'won', why, ...facts });
    over = true;
    const came = { outcome: assignment.outcome, agent: assignment.agent ?? '', group: assignment.group ?? '' };
    const should = { outcome, agent, group };
    if (assignment.step !== step || JSON.stringify(came) !== JSON.stringify(should)) {
      throw new Error(`${step} should come to ${JSON.stringify(should)}, came to ${JSON.stringify(came)}`);
    }
    if (at !== trace.length) throw new Error(`the trace goes on after ${step} has won`);
  }

  /** The turn in a group goes to somebody who could take it; what is said of them is true. */
  function turn(step: StepName, why: string, group: string, facts: Facts): void {
    const { agent = '', pass } = next() as { agent?: string; pass?: number };
    const level = takers(group).find(([id]) => id === agent)?.[1];
    if (level === undefined) throw new Error(`it was not the turn of ${agent || 'nobody'} in ${group}`);
    const passes = world.passes?.get(group);
    if (passes) {
      const lowest = Math.min(...takers(group).map(([id]) => passes.get(id) ?? Number.NaN));
      if (pass !== lowest || passes.get(agent) !== lowest) {
        throw new Error(`${agent} is said to have pass ${pass} in ${group}: ${JSON.stringify([...passes])}`);
      }
    }
    const named = group === WHOLE_SHOP ? {} : { group };
    const pending = pendingOf(world, agent);
    won(step, why, 'agent', agent, group === WHOLE_SHOP ? '' : group, {
      ...named,
      agent,
      pass,
      level,
      pending,
      ...facts,
    });
  }

  function hotContact(withinMs: number) {
    const known = contactsOf(world, run.buyer).find(([id]) => rosterOf(world, id)?.kind === 'agent');
    if (!known) return passed('hot-contact', 'no-contact');
    const [agent, ageMs] = [known[0], world.now - known[1]];
    const facts = { agent, ageMs };
    if (ageMs > withinMs) return passed('hot-contact', 'older-than-window', facts);
    if (presence(agent) === 'offline') return passed('hot-contact', 'contact-offline', facts);
    if (!awake(agent)) return passed('hot-contact', 'missed-it', facts);
    if (limited && (presence(agent) !== 'online' || !underLimit(agent)))
      return passed('hot-contact', 'at-limit', facts);
    won('hot-contact', 'recent-and-present', 'agent', agent, '', { ...facts, presence: presence(agent) });
  }

  function warmContact(withinMs: number) {
    const known = contactsOf(world, run.buyer).filter(([id]) => rosterOf(world, id)?.kind === 'agent');
    const recent = known.filter(([, met]) => world.now - met <= withinMs);
    const here = recent.find(([id]) => canTake(id));
    if (here) {
      const facts = { agent: here[0], ageMs: world.now - here[1] };
      return won('warm-contact', 'on-duty', 'agent', here[0], '', facts);
    }
    const away = recent.find(([id]) => presence(id) === 'hung-up')?.[0];
    if (away !== undefined && !queueFirst) {
      const own = [...(rosterOf(world, away)?.levels.keys() ?? [])].filter((group) => group !== WHOLE_SHOP);
      const staffed = own.filter((group) => takers(group).length > 0);
      if (staffed.length > 0) {
        const group = String(next()?.group);
        if (!staffed.includes(group)) throw new Error(`a colleague was looked for in ${group}, not in ${staffed}`);
        return turn('warm-contact', 'hung-up-colleague', group, { contact: away });
      }
      if (takers(WHOLE_SHOP).length > 0) return turn('warm-contact', 'hung-up-shop', WHOLE_SHOP, { contact: away });
    }
    if (recent.length > 0) {
      const gone = recent.every(([id]) => presence(id) === 'offline');
      return passed('warm-contact', gone ? 'all-offline' : 'nobody-on-duty');
    }
    passed('warm-contact', known.length > 0 ? 'older-than-window' : 'no-contact');
  }

  function amongGroups({ step, by: narrowedBy, groups }: GroupStep) {
    const names = groups.map(({ id }) => id);
    const staffed = names.filter((group) => takers(group).length > 0);
    const robotOf = (group: string) => groups.find(({ id }) => id === group)?.robot ?? undefined;
    const withRobot = names.filter((group) => robotHere(robotOf(group) ?? ''));
    // Drawn among those with somebody to take it, else among those with a robot; a single one without looking.
    const drawable = names.length === 1 ? names : staffed.length > 0 ? staffed : withRobot;
    let drawn = drawable.length === 1 ? drawable[0] : undefined;
    const item = next();
    if (drawable.length > 1) {
      if (item?.group !== undefined) drawn = String(item.group);
      // That others wait first does not say in which group.
      else drawn = drawable.find((group) => robotOf(group) === undefined);
      if (!drawable.includes(drawn ?? '')) throw new Error(`${drawn} was drawn from ${drawable}`);
    }
    const robot = drawn === undefined ? undefined : robotOf(drawn);
    if (robot !== undefined && drawn !== undefined) {
      if (robotHere(robot)) {
        const facts = { group: drawn, agent: robot, narrowedBy };
        return won('group-robot', 'group-robot-on', 'robot', robot, drawn, facts);
      }
      passed('group-robot', 'robot-away', { agent: robot, group: drawn });
    }
    const somebody = names.some((group) => onDutyIn(world, group).size > 0);
    if (drawn !== undefined && queueFirst) return passed(step, 'others-wait-first', { narrowedBy });
    if (drawn === undefined || takers(drawn).length === 0) {
      return passed(step, somebody ? unfit : 'nobody-on-duty', { narrowedBy });
    }
    turn(step, 'next-in-turn', drawn, { narrowedBy });
  }

  function tried(step: Step) {
    if ('passed' in step) return passed(step.step, step.passed);
    switch (step.step) {
      case 'hot-contact':
        return hotContact(step.withinMs);
      case 'night-shift':
        return won(step.step, 'night', 'proxy', step.proxy, '', { agent: step.proxy });
      case 'nobody-on-duty': {
        const online = onlineOf(world);
        if (online > 0) return passed(step.step, 'someone-online', { online });
        return won(step.step, 'nobody-online', step.leftTo.outcome, agentLeftTo(step.leftTo));
      }
      case 'warm-contact':
        return warmContact(step.withinMs);
      case 'exclusive-agent': {
        const { agent } = step;
        if (rosterOf(world, agent)?.kind !== 'agent' || !canTake(agent)) {
          return passed(step.step, 'not-on-duty', { agent });
        }
        return won(step.step, 'on-duty', 'agent', agent, '', { agent });
      }
      case 'shop-robot':
        if (!robotHere(step.robot)) return passed(step.step, 'robot-away', { agent: step.robot });
        return won(step.step, 'robot-first', 'robot', step.robot, '', { agent: step.robot });
      case 'group':
      case 'widened':
        return amongGroups(step);
      case 'full': {
        const why = step.why ?? (queueFirst ? 'others-wait-first' : 'everyone-full');
        return won(step.step, why, step.leftTo.outcome, agentLeftTo(step.leftTo));
      }
    }
  }

  const profile = world.profiles.get(run.buyer) ?? { crowds: [] };
  const why = isDoing(world, 'leave', run.buyer) ? 'left-the-queue' : 'waited-too-long';
  const steps =
    mode === 'leave'
      ? leavingQueue(world.config, why)
      : chain(world.config, profile, run.entry, world.now, withoutRobots);
  for (const step of steps) {
    if (!over) tried(step);
  }
}
