/** How a shop's configuration is changed: made of what holds now, written whole, and made again if that has changed. */
import { isDeepStrictEqual } from 'node:util';
import type { ShopConfig } from '../plan/config.ts';
import { membershipsOf, rosterEntry } from '../plan/roster.ts';
import { type ConfigFields, configure, type RosterChange } from '../store/configure.ts';
import { OPERATOR } from './actor.ts';
import { accountOf } from './audit-account.ts';
import type { House } from './house.ts';
import { tellEffects } from './told.ts';

/** The configuration after the change. */
export function applied(config: ShopConfig, fields: ConfigFields): ShopConfig {
  const merge = <T>(before: ReadonlyMap<string, T>, changes: ReadonlyMap<string, T | undefined> = new Map()) => {
    const after = new Map(before);
    for (const [id, value] of changes) {
      if (value === undefined) after.delete(id);
      else after.set(id, value);
    }
    return after;
  };
  return {
    ...config,
    settings: fields.settings ?? config.settings,
    agents: merge(config.agents, fields.agents),
    groups: merge(config.groups, fields.groups),
  };
}

/** Agents whose roster entry the change may touch: themselves, members of changed groups, the proxy of before and after. */
function concerned(before: ShopConfig, after: ShopConfig, fields: ConfigFields): Set<string> {
  const agents = new Set(fields.agents?.keys());
  for (const id of fields.groups?.keys() ?? []) {
    for (const group of [before.groups.get(id), after.groups.get(id)]) {
      for (const member of group?.members ?? []) agents.add(member.agent);
    }
  }
  for (const { settings } of [before, after]) if (settings.nightShift.proxy) agents.add(settings.nightShift.proxy);
  return agents;
}

/** Whether the rule of automatic hang-up is another: everybody is looked at anew then. */
const hangUpChanges = (before: ShopConfig, after: ShopConfig) =>
  !isDeepStrictEqual(before.settings.autoHangUp, after.settings.autoHangUp);

/** Roster entries that the change makes different; all of them where the rule of automatic hang-up is another. */
export function rosterChanges(before: ShopConfig, after: ShopConfig, fields: ConfigFields): RosterChange[] {
  const all = hangUpChanges(before, after);
  const agents = all ? new Set([...before.agents.keys(), ...after.agents.keys()]) : concerned(before, after, fields);
  const [old, now] = [membershipsOf(before, agents), membershipsOf(after, agents)];
  const changes: RosterChange[] = [];
  for (const agent of agents) {
    const was = rosterEntry(before, agent, old);
    const entry = rosterEntry(after, agent, now);
    if (all || JSON.stringify(was) !== JSON.stringify(entry)) changes.push({ agent, entry });
  }
  return changes;
}

/**
 * Changes the configuration: `change` is given what holds now, and may be asked again. What is different afterwards is an
 * entry of the audit log, made by `by`. Throws what `change` throws.
 */
export async function changeConfig(
  house: House,
  shop: string,
  now: number,
  change: (config: ShopConfig) => ConfigFields,
  by = OPERATOR,
): Promise<void> {
  const request = house.ids.request(shop);
  await house.configs.change(shop, async ({ config }) => {
    const fields = change(config);
    const after = applied(config, fields);
    const effects = await configure(house.redis, {
      now,
      shop,
      request,
      account: accountOf(config, after, fields, by),
      expected: config.version,
      fields,
      roster: rosterChanges(config, after, fields),
      hangUp: hangUpChanges(config, after),
      groups: [...config.groups.keys(), ...after.groups.keys()],
    });
    tellEffects(house, shop, effects);
    // Within its turn: the next change is made of this one.
    await house.configs.fresh(shop);
  });
  house.due(shop, now);
}
