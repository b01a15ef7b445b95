/** Calls about buyers, and those with which people and programs come by their tokens. */
import type { RouteName } from '../../../client-sdk/contract/index.ts';
import { logIn, tokenForAgent, tokenForBuyer } from '../../services/access.ts';
import { eraseBuyer, getBuyer, putBuyer, recordConversion } from '../../services/buyers.ts';
import type { Handlers } from './call.ts';

type PeopleRoute = Extract<RouteName, `${string}${'Buyer' | 'Token' | 'Visitor' | 'Session' | 'Conversion'}`>;

export const peopleHandlers: Handlers<PeopleRoute> = {
  getBuyer: ({ house }, { params }) => getBuyer(house, params.shop, params.buyer),
  putBuyer: ({ house }, { params, body, now }) => putBuyer(house, params.shop, params.buyer, body, now),
  deleteBuyer: async ({ house }, { params, now }) => {
    await eraseBuyer(house, params.shop, params.buyer, now);
    return { ok: true };
  },
  recordConversion: ({ house }, { params, body, now }) =>
    recordConversion(house, params.shop, body.buyer, body.order, now),

  agentToken: async ({ house, keys }, { params, now }) => ({
    token: await tokenForAgent(house, keys, params.shop, params.agent, now),
  }),
  buyerToken: async ({ house }, { params, now }) => ({
    token: await tokenForBuyer(house, params.shop, params.buyer, now),
  }),
  createVisitor: async ({ house, limits }, { params: { shop }, address, now }) => {
    await limits.visitor(shop, address);
    const buyer = house.ids.visitor();
    return { buyer, token: await tokenForBuyer(house, shop, buyer, now) };
  },
  createSession: ({ house, keys, limits }, { body, address, now }) =>
    limits.logIn({ shop: body.shop, agent: body.agent, address }, () => logIn(house, keys, body, now)),
};
