/** What can be done in the shop of the stories: plain data, so that a story that fails reads as a list of it. */
import fc from 'fast-check';
import type { Presence, SettingsPatch } from '../../client-sdk/contract/index.ts';
import type { GroupSpec, ShopSpec } from '../support/shop.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The shop as every story begins. */
export const cast: ShopSpec = {
  agents: {
    anna: { capacity: 2 },
    ben: { capacity: 1 },
    cleo: { capacity: 1 },
    dora: { role: 'owner', capacity: 3 },
    nora: {},
    robo: { kind: 'robot', capacity: 2 },
  },
  groups: {
    tea: { members: { anna: 5, ben: 2 }, binds: { products: ['tea'] } },
    hats: { members: { ben: 1, cleo: 3 }, binds: { products: ['hats'], orderStates: ['paid'] }, robot: 'robo' },
    vip: { members: { cleo: 4, anna: 1 }, binds: { crowds: ['vip'] } },
  },
  buyers: { xia: { crowds: ['vip'] }, zoe: { crowds: ['vip'] } },
};

/** Who is online when a story begins. */
export const atWork = ['anna', 'ben', 'robo'] as const;

/** What groups may be changed into. */
export const shapes: readonly GroupSpec[] = [
  { members: { anna: 1, cleo: 5 }, binds: { products: ['tea', 'hats'] } },
  { members: { ben: 3 }, binds: { orderStates: ['paid'] }, robot: 'robo' },
  { members: { anna: 2, ben: 2, nora: 2 }, binds: { crowds: ['vip'], products: ['tea'] } },
  { members: {}, robot: 'robo' },
];

const settings: readonly SettingsPatch[] = [
  { busyThreshold: 0 },
  { busyThreshold: 1 },
  { busyThreshold: 4 },
  { whenFull: 'queue' },
  { whenFull: 'leave-message' },
  { leaveMessage: { to: 'pool' } },
  { leaveMessage: { to: 'owner' } },
  { leaveMessage: { to: 'proxy', autoAssign: false } },
  { whenFull: 'leave-message', leaveMessage: { to: 'pool', autoAssign: false } },
  { whenFull: 'leave-message', leaveMessage: { to: 'pool', autoAssign: false } },
  { leaveMessage: { autoAssign: true } },
  { robotFirst: { enabled: true, robot: 'robo' } },
  { robotFirst: { enabled: false } },
  { nightShift: { enabled: true, proxy: 'nora' } },
  { nightShift: { enabled: false } },
  { nightShift: { proxy: null } },
  { exclusiveAgents: true },
  { handoverLimit: 2 },
  { contactWindows: { hotMs: HOUR, warmMs: 30 * HOUR } },
  { presenceGraceMs: 0 },
  { autoHangUp: { atActive: 1 } },
  { autoHangUp: { atActive: null } },
  { autoHangUp: { afterNoReplyMs: null } },
  { reassignAfterMs: null },
  { slowReplyMs: 0 },
  { slowReplyMs: 30 * SECOND },
  { idleCloseMs: 0 },
  { queue: { priorities: {} } },
  { queue: { leaveAfterMs: null } },
];

/** Rules of what happens because time passes, and of who goes first: some hold from the beginning of a story. */
const rules: readonly SettingsPatch[] = [
  { autoHangUp: { atActive: 2 } },
  { autoHangUp: { afterNoReplyMs: 30 * SECOND } },
  { reassignAfterMs: MINUTE },
  { idleCloseMs: HOUR },
  { queue: { priorities: { vip: 3 } } },
  { queue: { leaveAfterMs: MINUTE } },
];

export type Action =
  | { readonly do: 'open'; readonly buyer: string; readonly product: string; readonly orderState: string }
  | { readonly do: 'write' | 'reply' | 'human' | 'leave'; readonly buyer: string }
  | { readonly do: 'close'; readonly buyer: string; readonly by: string }
  | { readonly do: 'transfer'; readonly buyer: string; readonly by: string; readonly to: string }
  | { readonly do: 'take'; readonly buyer: string; readonly agent: string }
  | { readonly do: 'choose'; readonly agent: string; readonly presence: Presence; readonly by: 'chose' | 'supervisor' }
  | { readonly do: 'connect' | 'disconnect'; readonly agent: string; readonly socket: string }
  | { readonly do: 'settings'; readonly patch: SettingsPatch }
  | { readonly do: 'group'; readonly group: string; readonly shape: number }
  | { readonly do: 'hire'; readonly agent: string; readonly capacity: number }
  | { readonly do: 'dismiss'; readonly agent: string }
  | { readonly do: 'profile'; readonly buyer: string; readonly crowds: string[]; readonly exclusive: string }
  | { readonly do: 'wait'; readonly ms: number };

const agent = fc.constantFrom(...Object.keys(cast.agents));
const buyer = fc.constantFrom('uma', 'vic', 'wim', 'xia', 'yan', 'zoe');
const is = <T extends string>(...names: T[]) => fc.constantFrom(...names);
const oneOf = (...numbers: number[]) => fc.constantFrom(...numbers);
const socket = is('phone', 'desk');
const group = is('tea', 'hats', 'vip', 'more');

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({ do: is('open'), buyer, product: is('', 'tea', 'hats'), orderState: is('', 'paid') }),
  },
  { weight: 14, arbitrary: fc.record({ do: is('write', 'write', 'write', 'reply', 'human'), buyer }) },
  { weight: 3, arbitrary: fc.record({ do: is('leave'), buyer }) },
  { weight: 2, arbitrary: fc.record({ do: is('close'), buyer, by: is('buyer', 'holder', 'dora') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: is('transfer'), buyer, by: is('holder', 'dora'), to: fc.oneof(agent, group) }),
  },
  { weight: 4, arbitrary: fc.record({ do: is('take'), buyer, agent: is('anna', 'ben', 'cleo', 'robo') }) },
  { weight: 6, arbitrary: fc.record({ do: is('connect', 'connect', 'disconnect'), agent, socket }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: is('choose'),
      agent,
      presence: is<Presence>('online', 'online', 'hung-up', 'hung-up', 'offline'),
      by: is('chose', 'supervisor'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: is('settings'), patch: fc.constantFrom(...settings, ...rules) }) },
  { weight: 1, arbitrary: fc.record({ do: is('group'), group, shape: fc.integer({ min: 0, max: shapes.length }) }) },
  { weight: 1, arbitrary: fc.record({ do: is('hire'), agent: is('ben', 'cleo', 'eve'), capacity: oneOf(0, 1, 3) }) },
  { weight: 1, arbitrary: fc.record({ do: is('dismiss'), agent: is('ben', 'eve') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: is('profile'),
      buyer,
      crowds: fc.subarray(['vip']),
      exclusive: is('', 'anna', 'cleo'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: is('wait'), ms: oneOf(1, 20 * SECOND, 30 * SECOND, MINUTE) }) },
  { weight: 3, arbitrary: fc.record({ do: is('wait'), ms: oneOf(HOUR, 7 * HOUR, 24 * HOUR, 49 * HOUR) }) },
);

/** How many nodes there are, each of which knows what it has read of the shop. */
export const NODES = 3;

/** Something done through one of them. */
export type Step = { readonly node: number; readonly action: Action };

const step = fc.record({ node: fc.nat(NODES - 1), action });
const beginning = (patches: readonly SettingsPatch[]): Step[] =>
  patches.map((patch) => ({ node: 0, action: { do: 'settings', patch } }));

/** What is done in one story, one thing after another. */
export const plot: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.subarray([...rules]), fc.array(step, { maxLength: 80, size: 'max' }))
  .map(([patches, steps]) => [...beginning(patches), ...steps]);

/** Whose connection or choice an action is about; '' where it is about nobody's. */
export function presenceOf(action: Action): string {
  return ['choose', 'connect', 'disconnect', 'hire', 'dismiss'].includes(action.do) && 'agent' in action
    ? action.agent
    : '';
}

const configures = (action: Action) => ['settings', 'group', 'hire', 'dismiss'].includes(action.do);
const changesGrace = (action: Action) => action.do === 'settings' && 'presenceGraceMs' in action.patch;

/**
 * Those of these steps that may race one another, in their order: as long as the events of the shop tell in which order it
 * took them. They do not say what was chosen or connected, nor what else was brought along or set. Where time goes by,
 * every node does every job.
 */
export function racing(steps: readonly Step[]): readonly Step[] {
  const [first] = steps;
  if (first?.action.do === 'wait') return Array.from({ length: NODES }, (_, node) => ({ ...first, node }));
  const taken: Step[] = [];
  for (const step of steps) {
    const { action } = step;
    const clashes = taken.some(({ action: other }) => {
      if (configures(action) && configures(other)) return true;
      if (presenceOf(action) !== '' && presenceOf(action) === presenceOf(other)) return true;
      if ([action, other].some(changesGrace) && [action, other].some((one) => one.do === 'disconnect')) return true;
      if (action.do === 'profile') return other.do === 'profile' && other.buyer === action.buyer;
      if (action.do !== 'open' || other.do !== 'open' || action.buyer !== other.buyer) return false;
      return action.product !== other.product || action.orderState !== other.orderState;
    });
    if (action.do !== 'wait' && !clashes) taken.push(step);
  }
  return taken;
}

/** The same, with up to five things done at the same moment. */
export const races: fc.Arbitrary<readonly (readonly Step[])[]> = fc
  .tuple(
    fc.subarray([...rules]),
    fc.array(fc.array(step, { minLength: 1, maxLength: 5 }).map(racing), { maxLength: 40, size: 'max' }),
  )
  .map(([patches, turns]) => [...beginning(patches).map((one) => [one]), ...turns]);

/** The action as a line of a story. */
export function told({ node, action }: Step): string {
  const { do: what, ...rest } = action;
  return `${what} ${JSON.stringify(rest).replaceAll('"', '')} on node ${node}`;
}
