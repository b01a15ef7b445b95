/** Calls about what a shop is made of: its settings, agents and groups. */
import { Refusal, type RouteName } from '../../../client-sdk/contract/index.ts';
import { choosePresence } from '../../services/attendance.ts';
import { rotateApiKey, rotateBuyerSecret } from '../../services/shop-keys.ts';
import { createShop, deleteAgent, deleteGroup, patchSettings, putAgent, putGroup } from '../../services/shops.ts';
import type { Edge, Handlers } from './call.ts';

const configOf = async ({ house }: Edge, shop: string) => (await house.configs.fresh(shop)).config;

const missing = (what: string, id: string) =>
  new Refusal('not-found', `There is no ${what} ${id} in this shop; check the id.`);

type ShopRoute = Extract<
  RouteName,
  `${string}${'Shop' | 'ApiKey' | 'BuyerSecret' | 'Settings' | 'Agent' | 'Agents' | 'Presence' | 'Group' | 'Groups'}`
>;

export const shopHandlers: Handlers<ShopRoute> = {
  createShop: ({ house }, { body, now }) => createShop(house, body.id, body.name, now),

  rotateApiKey: async ({ house }, { params, now }) => ({ apiKey: await rotateApiKey(house, params.shop, now) }),
  rotateBuyerSecret: async ({ house }, { params, now }) => ({
    buyerSecret: await rotateBuyerSecret(house, params.shop, now),
  }),

  getSettings: async (edge, { params }) => (await configOf(edge, params.shop)).settings,
  patchSettings: ({ house }, { params, body, now }) => patchSettings(house, params.shop, body, now),

  listAgents: async (edge, { params }) => ({ agents: [...(await configOf(edge, params.shop)).agents.values()] }),
  getAgent: async (edge, { params }) => {
    const agent = (await configOf(edge, params.shop)).agents.get(params.agent);
    if (!agent) throw missing('agent', params.agent);
    return agent;
  },
  putAgent: ({ house }, { params, body, now }) => putAgent(house, params.shop, params.agent, body, now),
  deleteAgent: async ({ house }, { params: { shop, agent }, now }) => {
    await deleteAgent(house, shop, agent, now);
    return { ok: true };
  },
  setPresence: async ({ house }, { params: { shop, agent }, body: { presence }, caller, now }) => ({
    presence: await choosePresence(house, shop, agent, presence, 'supervisor', now, caller.actor?.id ?? caller.kind),
  }),

  listGroups: async (edge, { params }) => ({ groups: [...(await configOf(edge, params.shop)).groups.values()] }),
  getGroup: async (edge, { params }) => {
    const group = (await configOf(edge, params.shop)).groups.get(params.group);
    if (!group) throw missing('group', params.group);
    return group;
  },
  putGroup: ({ house }, { params, body, now }) => putGroup(house, params.shop, params.group, body, now),
  deleteGroup: async ({ house }, { params, now }) => {
    await deleteGroup(house, params.shop, params.group, now);
    return { ok: true };
  },
};
