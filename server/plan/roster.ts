/**
 * What the scripts need to know of an agent, made from the configuration: their kind, their capacity, and their level
 * in each group.
 */
import { WHOLE_SHOP } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from './config.ts';

export type RosterEntry = {
  /** `agent` may be a recent contact and be on duty; a `proxy` never is a contact; a `robot` neither. */
  readonly kind: 'agent' | 'proxy' | 'robot';
  /** Conversations at once, '' for no limit. */
  readonly capacity: string;
  /** `,sales=5,vip=3%,*=5,`; see scripts/lib/agent.lua. '' for who is never on duty. */
  readonly groups: string;
};

/** Which groups each of `agents` (all, without it) is in, found in one pass over all groups. */
export function membershipsOf(
  config: ShopConfig,
  agents?: ReadonlySet<string>,
): Map<string, { group: string; level: number; rated: boolean }[]> {
  const found = new Map<string, { group: string; level: number; rated: boolean }[]>();
  for (const group of config.groups.values()) {
    for (const { agent, level } of group.members) {
      if (agents && !agents.has(agent)) continue;
      const list = found.get(agent) ?? [];
      list.push({ group: group.id, level, rated: group.mode === 'conversion-first' });
      found.set(agent, list);
    }
  }
  return found;
}

/**
 * The roster entry of one agent, `undefined` if there is no such agent.
 *
 * Within the whole shop an agent counts with their highest level, 1 outside every group. The account set as proxy takes
 * part by day only where it is a member of a group.
 */
export function rosterEntry(
  config: ShopConfig,
  id: string,
  memberships: ReturnType<typeof membershipsOf>,
): RosterEntry | undefined {
  const agent = config.agents.get(id);
  if (!agent) return undefined;
  const capacity = agent.capacity === undefined ? '' : String(agent.capacity);
  if (agent.kind === 'robot') return { kind: 'robot', capacity, groups: '' };
  const isProxy = config.settings.nightShift.proxy === id;
  const own = memberships.get(id) ?? [];
  if (isProxy && own.length === 0) return { kind: 'proxy', capacity, groups: '' };
  const best = Math.max(1, ...own.map((m) => m.level));
  const listed = own.map((m) => `${m.group}=${m.level}${m.rated ? '%' : ''}`);
  return {
    kind: isProxy ? 'proxy' : 'agent',
    capacity,
    groups: `,${[...listed, `${WHOLE_SHOP}=${best}`].join(',')},`,
  };
}
