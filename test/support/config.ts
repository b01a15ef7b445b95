/** Configurations for tests of the plan: no shop, no Redis. */
import { type Agent, defaultSettings, type Group, type Settings } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../../server/plan/config.ts';
import { type AgentSpec, type GroupSpec, groupPutOf } from './shop.ts';

export type ConfigSpec = {
  readonly settings?: Partial<Settings>;
  readonly agents?: Readonly<Record<string, AgentSpec>>;
  readonly groups?: Readonly<Record<string, GroupSpec>>;
};

export const settingsOf = (changes: Partial<Settings> = {}): Settings => ({ ...defaultSettings, ...changes });

export const groupOf = (id: string, spec: Partial<GroupSpec> = {}): Group => ({
  id,
  ...groupPutOf(id, { members: {}, ...spec }),
});

export function configOf({ settings, agents = {}, groups = {} }: ConfigSpec): ShopConfig {
  return {
    shop: 'shop',
    name: 'Shop',
    version: '1',
    settings: settingsOf(settings),
    agents: new Map(
      Object.entries(agents).map(([id, { role = 'agent', kind = 'human', capacity }]): [string, Agent] => [
        id,
        { id, name: id, role, kind, ...(capacity === undefined ? {} : { capacity }) },
      ]),
    ),
    groups: new Map(Object.entries(groups).map(([id, spec]) => [id, groupOf(id, spec)])),
  };
}
