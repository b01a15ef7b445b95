/** The demo shop: a small team, two groups and a robot to play with, made on the first run. */
import type { AgentPut, GroupPut } from '../../client-sdk/contract/index.ts';
import { putBuyer } from '../services/buyers.ts';
import type { House } from '../services/house.ts';
import { createShop, putAgent, putGroup } from '../services/shops.ts';

export const demoShop = 'demo';
/** Everybody in the demo shop logs in with it; a demo shop is for playing on one's own machine. */
export const demoPassword = 'demo-demo';

const people: Record<string, Pick<AgentPut, 'name' | 'role' | 'kind'> & { capacity?: number }> = {
  sam: { name: 'Sam', role: 'supervisor', kind: 'human' },
  anna: { name: 'Anna', role: 'agent', kind: 'human' },
  ben: { name: 'Ben', role: 'agent', kind: 'human', capacity: 3 },
  chen: { name: '小陈', role: 'agent', kind: 'human' },
  night: { name: 'Night desk', role: 'agent', kind: 'human' },
};

const binds = { crowds: [], products: [], intents: [], orderStates: [] };
const groups: Record<string, GroupPut> = {
  'pre-sales': {
    name: 'Pre-sales',
    binds: { ...binds, orderStates: ['none', 'unpaid'] },
    members: [
      { agent: 'anna', level: 5 },
      { agent: 'ben', level: 2 },
    ],
    mode: 'efficiency-first',
    robot: null,
  },
  'after-sales': {
    name: 'After-sales',
    binds: { ...binds, orderStates: ['paid', 'shipped', 'completed', 'after-sales'] },
    members: [
      { agent: 'chen', level: 3 },
      { agent: 'ben', level: 1 },
    ],
    mode: 'efficiency-first',
    robot: null,
  },
};

/** Makes whatever of the demo shop is not there yet; what somebody has changed since stays. `now` in ms. */
export async function seedDemo(house: House, now: number): Promise<void> {
  const present = await house.configs.fresh(demoShop).catch(() => undefined);
  if (!present) await createShop(house, demoShop, 'Demo shop', now);
  const { config } = await house.configs.fresh(demoShop);
  if (config.groups.size > 0) return;
  // Groups come last: a seeding that was cut short is taken up again.
  for (const [id, person] of Object.entries(people)) {
    await putAgent(house, demoShop, id, { ...person, password: demoPassword }, now);
  }
  await putAgent(
    house,
    demoShop,
    'owner',
    { name: 'Owner', role: 'owner', kind: 'human', password: demoPassword },
    now,
  );
  await putBuyer(house, demoShop, 'lily', { name: 'Lily', crowds: ['vip'], exclusiveAgent: 'anna' }, now);
  for (const [id, group] of Object.entries(groups)) await putGroup(house, demoShop, id, group, now);
}
