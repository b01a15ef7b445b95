/** Calls about buyers, and those with which people and programs come by their tokens. */
import type { RouteName } from '../../../client-sdk/contract/index.ts';
import { byCaller, logIn, tokenForAgent, tokenForBuyer } from '../../services/access.ts';
import { getBuyer, putBuyer, recordConversion } from '../../services/buyers.ts';
import { eraseBuyer } from '../../services/erasing.ts';
import type { Handlers } from './call.ts';

type PeopleRoute = Extract<RouteName, `${string}${'Buyer' | 'Token' | 'Visitor' | 'Session' | 'Conversion'}`>;

export const peopleHandlers: Handlers<PeopleRoute> = {
  getBuyer: ({ house }, { params }) => getBuyer(house, params.shop, params.buyer),
  putBuyer: ({ house }, { params, body, caller, now }) =>
    putBuyer(house, params.shop, params.buyer, body, now, byCaller(caller)),
  deleteBuyer: async ({ house, disconnectBuyer }, { params: { shop, buyer }, caller, now }) => {
    const { done } = await eraseBuyer(house, shop, buyer, now, byCaller(caller));
    try {
      await disconnectBuyer?.(shop, buyer);
    } catch (error) {
      // They are erased whatever becomes of the sockets: nothing of theirs is left to be seen.
      house.log.warn({ err: error, shop }, 'the sockets of an erased buyer could not be closed');
    }
    return { ok: true, ...(done ? {} : { underWay: true as const }) };
  },
  recordConversion: ({ house }, { params, body, now }) =>
    recordConversion(house, params.shop, body.buyer, body.order, now),

  agentToken: async ({ house, keys }, { params, caller, now }) => ({
    token: await tokenForAgent(house, keys, params.shop, params.agent, now, byCaller(caller)),
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
