/** The demo shop: a small team, two groups and a few buyers to play with, made on the first run. */
import { type AgentPut, type BuyerPut, type GroupPut, Refusal } from '../../client-sdk/contract/index.ts';
import { tokenForBuyer } from '../services/buyer-tokens.ts';
import { putBuyer } from '../services/buyers.ts';
import type { House } from '../services/house.ts';
import { createShop, patchSettings, putAgent, putGroup } from '../services/shops.ts';

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

const buyers: Record<string, BuyerPut> = {
  lily: { name: 'Lily', crowds: ['vip'], exclusiveAgent: 'anna' },
  tom: { name: 'Tom', crowds: [] },
  mei: { name: '小美', crowds: ['newcomer'] },
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
  await patchSettings(house, demoShop, { exclusiveAgents: true }, now);
  for (const [id, buyer] of Object.entries(buyers)) await putBuyer(house, demoShop, id, buyer, now);
  for (const [id, group] of Object.entries(groups)) await putGroup(house, demoShop, id, group, now);
}

/**
 * A token with which anybody may be one of the demo buyers; of other buyers, and of other shops, none is given out.
 * Throws `not-found`. `now` in ms.
 */
export async function demoBuyerToken(house: House, buyer: string, now: number): Promise<string> {
  if (!Object.hasOwn(buyers, buyer)) {
    throw new Refusal('not-found', `The demo buyers are ${Object.keys(buyers).join(', ')}.`);
  }
  return tokenForBuyer(house, demoShop, buyer, now);
}
