/** Shops to measure in: one group, its agents all on duty. */
import { type Agent, defaultSettings, type Group } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../../server/plan/config.ts';
import { membershipsOf, rosterEntry } from '../../server/plan/roster.ts';
import { createConfigs, type Shop } from '../../server/services/configs.ts';
import { configure } from '../../server/store/configure.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import { changePresence } from '../../server/store/presence.ts';
import type { Connection } from '../../server/store/script.ts';

/** Agents written at once, so that no script keeps Redis for long. */
const BATCH = 1_000;

/** A shop of this many agents in one group, levels 1 to 5 in turn, all online. */
export async function seedShop(redis: Connection, shop: string, agentCount: number): Promise<Shop> {
  const agents = new Map<string, Agent>();
  for (let n = 1; n <= agentCount; n++) {
    agents.set(`agent-${n}`, { id: `agent-${n}`, name: `Agent ${n}`, role: 'agent', kind: 'human' });
  }
  const group: Group = {
    id: 'sales',
    name: 'Sales',
    binds: { crowds: [], products: [], intents: [], orderStates: [] },
    members: [...agents.keys()].map((agent, i) => ({ agent, level: (i % 5) + 1 })),
    mode: 'efficiency-first',
    robot: null,
  };
  const groups = new Map([[group.id, group]]);
  const config: ShopConfig = { shop, name: shop, version: '0', settings: defaultSettings, agents, groups };
  const memberships = membershipsOf(config);
  const ids = [...agents.keys()];
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH);
    await configure(redis, {
      now: 0,
      shop,
      request: `part-${from}`,
      expected: String(from / BATCH),
      fields: {
        name: shop,
        settings: config.settings,
        agents: new Map(batch.map((id) => [id, agents.get(id)])),
        groups,
      },
      roster: batch.map((agent) => ({ agent, entry: rosterEntry(config, agent, memberships) })),
      groups: groups.keys(),
    });
  }
  const { scope, ...rest } = await createConfigs(redis).get(shop);
  for (let from = 0; from < ids.length; from += BATCH) {
    await Promise.all(
      ids
        .slice(from, from + BATCH)
        .flatMap((agent) => [
          changePresence(scope, { change: 'connect', agent, socket: 'bench', node: 'bench' }, 0),
          changePresence(scope, { change: 'choose', agent, presence: 'online', cause: 'chose' }, 0),
        ]),
    );
  }
  return { scope, ...rest };
}

/** Removes every key of a shop, for a Redis that is not only ours. */
export async function removeShop(redis: Connection, shop: string): Promise<void> {
  const { base } = keysOfShop(shop);
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${base}*`, 'COUNT', 1_000);
    if (found.length > 0) await redis.unlink(...found);
    cursor = next;
  } while (cursor !== '0');
}
