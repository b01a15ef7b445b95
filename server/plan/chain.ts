/**
 * The routing chain as a plan: settings, buyer, entry and `now` become an ordered list of steps. Pure: what needs live
 * state (who is here, who is full, whose turn it is) is left to the claim, which walks the list and takes the first
 * step that holds.
 */
import { type Entry, type Outcome, type StepName, WHOLE_SHOP } from '../../client-sdk/contract/index.ts';
import { ownerOf, type ShopConfig } from './config.ts';
import { narrow } from './narrow.ts';
import { isNight } from './night.ts';

/** What the shop knows of the buyer, as far as the chain asks. */
export type BuyerFacts = { readonly crowds: readonly string[]; readonly exclusiveAgent?: string | undefined };

/** Where a buyer goes when nobody can take them now. */
export type LeftTo =
  | { readonly outcome: Extract<Outcome, 'owner' | 'proxy' | 'pool'>; readonly agent?: string }
  /** Served before all of a lower priority. */
  | { readonly outcome: 'queue'; readonly priority: number };

type GroupChoice = { readonly id: string; readonly robot: string | null };

export type Step =
  /** Passed by the settings alone. */
  | { readonly step: StepName; readonly passed: string }
  | { readonly step: 'hot-contact'; readonly withinMs: number }
  | { readonly step: 'night-shift'; readonly proxy: string }
  | { readonly step: 'nobody-on-duty'; readonly leftTo: LeftTo }
  | { readonly step: 'warm-contact'; readonly withinMs: number }
  | { readonly step: 'exclusive-agent'; readonly agent: string }
  | { readonly step: 'shop-robot'; readonly robot: string }
  | { readonly step: 'group' | 'widened'; readonly by: string; readonly groups: readonly GroupChoice[] }
  /** `why`: where it is not that everyone is full. */
  | { readonly step: 'full'; readonly leftTo: LeftTo; readonly why?: LeavingWhy };

/** Why a buyer leaves the queue without having been served: by choice, or because the wait came to the shop's limit. */
export type LeavingWhy = 'left-the-queue' | 'waited-too-long';

/** The whole shop as the last group of all. */
const everybody: GroupChoice = { id: WHOLE_SHOP, robot: null };

function leaveMessage(config: ShopConfig): LeftTo {
  const { leaveMessage: rule, nightShift } = config.settings;
  const agent = rule.to === 'owner' ? ownerOf(config) : rule.to === 'proxy' ? nightShift.proxy : null;
  if (rule.to !== 'pool' && agent && config.agents.has(agent)) return { outcome: rule.to, agent };
  return { outcome: 'pool' };
}

/** The highest priority that any of the buyer's crowds has in the queue; 0 for none. */
function priorityOf(config: ShopConfig, buyer: BuyerFacts): number {
  const { priorities } = config.settings.queue;
  return Math.max(0, ...buyer.crowds.map((crowd) => (Object.hasOwn(priorities, crowd) ? (priorities[crowd] ?? 0) : 0)));
}

function nightShift(config: ShopConfig, now: number): Step {
  const { enabled, proxy } = config.settings.nightShift;
  if (!enabled) return { step: 'night-shift', passed: 'not-enabled' };
  if (!proxy || !config.agents.has(proxy)) return { step: 'night-shift', passed: 'no-proxy' };
  return isNight(config.settings, now)
    ? { step: 'night-shift', proxy }
    : { step: 'night-shift', passed: 'outside-window' };
}

function exclusiveAgent(config: ShopConfig, buyer: BuyerFacts): Step {
  if (!config.settings.exclusiveAgents) return { step: 'exclusive-agent', passed: 'not-enabled' };
  const agent = buyer.exclusiveAgent;
  return agent && config.agents.has(agent)
    ? { step: 'exclusive-agent', agent }
    : { step: 'exclusive-agent', passed: 'no-exclusive-agent' };
}

function shopRobot(config: ShopConfig, withoutRobots: boolean): Step {
  const { enabled, robot } = config.settings.robotFirst;
  if (!enabled || !robot) return { step: 'shop-robot', passed: 'not-enabled' };
  return withoutRobots ? { step: 'shop-robot', passed: 'after-robot' } : { step: 'shop-robot', robot };
}

function groupSteps(config: ShopConfig, buyer: BuyerFacts, entry: Entry, withoutRobots: boolean): Step[] {
  const wholeShop = { by: 'shop', groups: [everybody] };
  if (config.groups.size === 0) return [{ step: 'group', ...wholeShop }];
  const levels = narrow([...config.groups.values()], buyer.crowds, entry).map(({ by, groups }) => ({
    by,
    groups: groups.map((group) => ({ id: group.id, robot: withoutRobots ? null : group.robot })),
  }));
  return [...levels, wholeShop].map((level, i) => ({
    step: i === 0 ? ('group' as const) : ('widened' as const),
    ...level,
  }));
}

/**
 * The steps for one buyer, in the order of the chain. `now` in ms since the epoch; `withoutRobots` after a robot has
 * handed over.
 */
export function chain(config: ShopConfig, buyer: BuyerFacts, entry: Entry, now: number, withoutRobots = false): Step[] {
  const { settings } = config;
  const left = leaveMessage(config);
  return [
    { step: 'hot-contact', withinMs: settings.contactWindows.hotMs },
    nightShift(config, now),
    { step: 'nobody-on-duty', leftTo: left },
    { step: 'warm-contact', withinMs: settings.contactWindows.warmMs },
    exclusiveAgent(config, buyer),
    shopRobot(config, withoutRobots),
    ...groupSteps(config, buyer, entry, withoutRobots),
    {
      step: 'full',
      leftTo: settings.whenFull === 'queue' ? { outcome: 'queue', priority: priorityOf(config, buyer) } : left,
    },
  ];
}

/** The one step that is left for who leaves the queue: the rule for left messages. */
export function leavingQueue(config: ShopConfig, why: LeavingWhy): Step[] {
  return [{ step: 'full', leftTo: leaveMessage(config), why }];
}
