/** Buyers: what the shop knows of them, their tokens, what they bought, and visitors. */
import { z } from 'zod';
import { buyer, buyerPut } from '../entities.ts';
import { identifier } from '../words.ts';
import { done, token } from './parts.ts';
import { everyone, owners, programs, type Route, supervisors } from './route.ts';

const visitor = z.object({ buyer: identifier, token: z.string() });

export const buyers = {
  getBuyer: {
    method: 'get',
    path: '/shops/:shop/buyers/:buyer',
    summary: 'One buyer',
    who: supervisors,
    answer: buyer,
  },
  putBuyer: {
    method: 'put',
    path: '/shops/:shop/buyers/:buyer',
    summary: 'Create or replace what the shop knows of a buyer',
    who: supervisors,
    audited: ['buyer:changed'],
    body: buyerPut,
    answer: buyer,
  },
  deleteBuyer: {
    method: 'delete',
    path: '/shops/:shop/buyers/:buyer',
    summary: 'Erase a buyer and every trace of them',
    who: owners,
    audited: ['buyer:erased'],
    /** What was said is gone by the answer; `underWay` where workers are still taking traces out of logs. */
    answer: done.extend({ underWay: z.literal(true).optional() }),
  },
  buyerToken: {
    method: 'post',
    path: '/shops/:shop/buyers/:buyer/token',
    summary: 'A token with which this buyer connects',
    who: programs,
    audited: { not: 'a page asks for one at every visit: they would drown everything else, and change nothing' },
    answer: token,
  },
  revokeBuyerTokens: {
    method: 'delete',
    path: '/shops/:shop/buyers/:buyer/tokens',
    summary: 'Refuse every token this buyer was given up to now, and end their connections',
    who: supervisors,
    audited: ['tokens:revoked'],
    answer: done,
  },
  recordConversion: {
    method: 'post',
    path: '/shops/:shop/conversions',
    summary: 'A buyer has bought: counts for the agent they spoke with last; conversion-first groups go by it',
    who: programs,
    audited: { not: 'programs report what a buyer did; the agents and their sales show it' },
    body: z.strictObject({ buyer: identifier, order: identifier }),
    answer: z.object({ counted: z.boolean(), agent: identifier.optional() }),
  },
  createVisitor: {
    method: 'post',
    path: '/shops/:shop/visitors',
    summary: 'An anonymous buyer with a token; rate-limited',
    who: everyone,
    audited: { not: 'nobody of the shop does it' },
    answer: visitor,
  },
  refreshVisitor: {
    method: 'post',
    path: '/shops/:shop/visitors/refresh',
    summary: 'A new token for a buyer whose token was made here, expired or not; for 30 days from the first',
    who: ['buyer'],
    late: true,
    audited: { not: 'nobody of the shop does it' },
    answer: visitor,
  },
} as const satisfies Record<string, Route>;
