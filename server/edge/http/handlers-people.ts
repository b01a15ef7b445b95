/** Calls about buyers, and those with which people and programs come by their tokens. */
import { Refusal, type RouteName } from '../../../client-sdk/contract/index.ts';
import { refreshBuyer, revokeBuyer, tokenForBuyer } from '../../services/buyer-tokens.ts';
import { eraseBuyer, getBuyer, putBuyer, recordConversion } from '../../services/buyers.ts';
import { endAllSessions, logIn, logOut, refresh, tokenForAgent } from '../../services/sessions.ts';
import type { Handlers } from './call.ts';

type PeopleRoute = Extract<
  RouteName,
  `${string}${'Buyer' | 'Token' | 'Tokens' | 'Visitor' | 'Session' | 'Sessions' | 'Conversion'}`
>;

export const peopleHandlers: Handlers<PeopleRoute> = {
  getBuyer: ({ house }, { params }) => getBuyer(house, params.shop, params.buyer),
  putBuyer: ({ house }, { params, body, now }) => putBuyer(house, params.shop, params.buyer, body, now),
  deleteBuyer: async ({ house }, { params, now }) => {
    await eraseBuyer(house, params.shop, params.buyer, now);
    return { ok: true };
  },
  recordConversion: ({ house }, { params, body, now }) =>
    recordConversion(house, params.shop, body.buyer, body.order, now),

  agentToken: ({ house, keys }, { params, caller, now }) =>
    tokenForAgent(house, keys, params.shop, params.agent, now, caller.apiKey),
  endAgentSessions: async ({ house }, { params, caller }) => {
    await endAllSessions(house, params.shop, params.agent, caller.actor);
    return { ok: true };
  },
  buyerToken: async ({ house }, { params, now }) => ({
    token: await tokenForBuyer(house, params.shop, params.buyer, now),
  }),
  revokeBuyerTokens: async ({ house }, { params, now }) => {
    await revokeBuyer(house, params.shop, params.buyer, now);
    return { ok: true };
  },
  createVisitor: async ({ house, limits }, { params: { shop }, address, now }) => {
    await limits.visitor(shop, address);
    const buyer = house.ids.visitor();
    return { buyer, token: await tokenForBuyer(house, shop, buyer, now) };
  },
  refreshVisitor: async ({ house }, { caller, now }) => {
    if (!caller.buyer) throw new Refusal('forbidden');
    return refreshBuyer(house, caller.buyer, now);
  },
  createSession: ({ house, keys, limits }, { body, address, now }) =>
    limits.logIn({ shop: body.shop, agent: body.agent, address }, () => logIn(house, keys, body, now)),
  refreshSession: ({ house, keys }, { body, now }) => refresh(house, keys, body, now),
  endSession: async ({ house }, { caller }) => {
    if (!caller.actor) throw new Refusal('forbidden');
    await logOut(house, caller.actor);
    return { ok: true };
  },
};
