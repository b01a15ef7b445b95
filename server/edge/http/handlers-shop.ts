/** Calls about what a shop is made of: its settings, agents and groups. */
import { Refusal, type RouteName } from '../../../client-sdk/contract/index.ts';
import { byCaller } from '../../services/access.ts';
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
  createShop: ({ house }, { body, caller, now }) => createShop(house, body.id, body.name, now, byCaller(caller)),

  rotateApiKey: async ({ house }, { params, caller, now }) => ({
    apiKey: await rotateApiKey(house, params.shop, now, byCaller(caller)),
  }),
  rotateBuyerSecret: async ({ house }, { params, caller, now }) => ({
    buyerSecret: await rotateBuyerSecret(house, params.shop, now, byCaller(caller)),
  }),

  getSettings: async (edge, { params }) => (await configOf(edge, params.shop)).settings,
  patchSettings: ({ house }, { params, body, caller, now }) =>
    patchSettings(house, params.shop, body, now, byCaller(caller)),

  listAgents: async (edge, { params }) => ({ agents: [...(await configOf(edge, params.shop)).agents.values()] }),
  getAgent: async (edge, { params }) => {
    const agent = (await configOf(edge, params.shop)).agents.get(params.agent);
    if (!agent) throw missing('agent', params.agent);
    return agent;
  },
  putAgent: ({ house }, { params, body, caller, now }) =>
    putAgent(house, params.shop, params.agent, body, now, byCaller(caller)),
  deleteAgent: async ({ house }, { params: { shop, agent }, caller, now }) => {
    await deleteAgent(house, shop, agent, now, byCaller(caller));
    return { ok: true };
  },
  setPresence: async ({ house }, { params: { shop, agent }, body: { presence }, caller, now }) => ({
    presence: await choosePresence(house, shop, agent, presence, 'supervisor', now, byCaller(caller)),
  }),

  listGroups: async (edge, { params }) => ({ groups: [...(await configOf(edge, params.shop)).groups.values()] }),
  getGroup: async (edge, { params }) => {
    const group = (await configOf(edge, params.shop)).groups.get(params.group);
    if (!group) throw missing('group', params.group);
    return group;
  },
  putGroup: ({ house }, { params, body, caller, now }) =>
    putGroup(house, params.shop, params.group, body, now, byCaller(caller)),
  deleteGroup: async ({ house }, { params, caller, now }) => {
    await deleteGroup(house, params.shop, params.group, now, byCaller(caller));
    return { ok: true };
  },
};
