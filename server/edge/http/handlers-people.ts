/** Calls about buyers, and those with which people and programs come by their tokens. */
import { Refusal, type RouteName } from '../../../client-sdk/contract/index.ts';
import { byCaller } from '../../services/access.ts';
import { refreshBuyer, revokeBuyer, tokenForBuyer } from '../../services/buyer-tokens.ts';
import { getBuyer, putBuyer, recordConversion } from '../../services/buyers.ts';
import { eraseBuyer } from '../../services/erasing.ts';
import { endAllSessions, logIn, logOut, refresh, tokenForAgent } from '../../services/sessions.ts';
import type { Handlers } from './call.ts';

type PeopleRoute = Extract<
  RouteName,
  `${string}${'Buyer' | 'Token' | 'Tokens' | 'Visitor' | 'Session' | 'Sessions' | 'Conversion'}`
>;

export const peopleHandlers: Handlers<PeopleRoute> = {
  getBuyer: ({ house }, { params }) => getBuyer(house, params.shop, params.buyer),
  putBuyer: ({ house }, { params, body, caller, now }) =>
    putBuyer(house, params.shop, params.buyer, body, now, byCaller(caller)),
  deleteBuyer: async ({ house }, { params: { shop, buyer }, caller, now }) => {
    const { done } = await eraseBuyer(house, shop, buyer, now, byCaller(caller));
    return { ok: true, ...(done ? {} : { underWay: true as const }) };
  },
  recordConversion: ({ house }, { params, body, now }) =>
    recordConversion(house, params.shop, body.buyer, body.order, now),

  agentToken: ({ house, keys }, { params, caller, now }) =>
    tokenForAgent(house, keys, params, now, { by: byCaller(caller), apiKey: caller.apiKey }),
  endAgentSessions: async ({ house }, { params, caller, now }) => {
    await endAllSessions(house, params.shop, params.agent, byCaller(caller), now);
    return { ok: true };
  },
  buyerToken: async ({ house }, { params, now }) => ({
    token: await tokenForBuyer(house, params.shop, params.buyer, now),
  }),
  revokeBuyerTokens: async ({ house }, { params, caller, now }) => {
    await revokeBuyer(house, params.shop, params.buyer, byCaller(caller), now);
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
