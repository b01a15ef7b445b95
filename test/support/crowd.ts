/** Crowds for tests of many: a shop with any number of agents, written at once, and buyers who click in numbers. */
import { type Agent, type Assignment, defaultSettings, type Group } from '../../client-sdk/contract/index.ts';
import { membershipsOf, rosterEntry } from '../../server/plan/roster.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { configure } from '../../server/store/configure.ts';
import { changePresence } from '../../server/store/presence.ts';

/** Agents by group, each with a level; an agent in several groups counts in each. */
export type Crowd = Readonly<Record<string, Readonly<Record<string, number>>>>;

export type CrowdOptions = {
  /** Conversations at once of every agent; without it there is no limit. */
  readonly capacity?: number;
  readonly settings?: Partial<typeof defaultSettings>;
  /** Product to the groups that bind it. */
  readonly products?: Readonly<Record<string, readonly string[]>>;
};

/** Opens a shop with these groups, their members online. `now` in ms. */
export async function openCrowd(
  house: House,
  shop: string,
  crowd: Crowd,
  now: number,
  options: CrowdOptions = {},
): Promise<void> {
  const ids = [...new Set(Object.values(crowd).flatMap((members) => Object.keys(members)))];
  const limit = options.capacity === undefined ? {} : { capacity: options.capacity };
  const agents = new Map(
    ids.map((id): [string, Agent] => [id, { id, name: id, role: 'agent', kind: 'human', ...limit }]),
  );
  const groups = new Map(
    Object.entries(crowd).map(([id, members]): [string, Group] => [
      id,
      {
        id,
        name: id,
        binds: {
          crowds: [],
          products: Object.entries(options.products ?? {}).flatMap(([p, bound]) => (bound.includes(id) ? [p] : [])),
          intents: [],
          orderStates: [],
        },
        members: Object.entries(members).map(([agent, level]) => ({ agent, level })),
        mode: 'efficiency-first',
        robot: null,
      },
    ]),
  );
  const settings = { ...defaultSettings, ...options.settings };
  const config = { shop, name: shop, version: '0', settings, agents, groups };
  const memberships = membershipsOf(config);
  await configure(house.redis, {
    now,
    shop,
    request: 'opening',
    expected: '0',
    fields: { name: shop, settings, agents, groups },
    roster: ids.map((agent) => ({ agent, entry: rosterEntry(config, agent, memberships) })),
    groups: groups.keys(),
  });
  const { scope } = await house.configs.get(shop);
  await Promise.all(
    ids.flatMap((agent) => [
      changePresence(scope, { change: 'connect', agent, socket: 'one', node: 'node' }, now),
      changePresence(scope, { change: 'choose', agent, presence: 'online', cause: 'chose' }, now),
    ]),
  );
}

/**
 * That many new buyers click, all in flight at once; answered in the order in which they clicked, which is the order in
 * which one connection carries them.
 */
export async function clicks(
  house: House,
  shop: string,
  count: number,
  now: number,
  name = 'buyer',
  product?: string,
): Promise<Assignment[]> {
  const entry = product === undefined ? {} : { product };
  const buyers = Array.from({ length: count }, (_, i) => `${name}-${i}`);
  const opened = await Promise.all(buyers.map((buyer) => open(house, shop, buyer, entry, now)));
  return opened.map(({ assignment }) => assignment);
}
