/** Shops: opened, their secrets and settings, and who changed what. */
import { z } from 'zod';
import { auditAction, auditEntry } from '../audit.ts';
import { settings, settingsPatch } from '../settings.ts';
import { identifier } from '../words.ts';
import { cursor, limit, next, timeQuery } from './parts.ts';
import { owners, type Route, staff } from './route.ts';

export const shops = {
  createShop: {
    method: 'post',
    path: '/shops',
    summary: 'Open a shop; answers its secrets once',
    who: ['admin'],
    audited: ['shop:created'],
    body: z.strictObject({ id: identifier, name: z.string().trim().min(1).max(200) }),
    answer: z.object({
      shop: z.object({ id: identifier, name: z.string() }),
      owner: z.object({ id: identifier, password: z.string() }),
      apiKey: z.string(),
      buyerSecret: z.string(),
    }),
    status: 201,
  },
  rotateApiKey: {
    method: 'post',
    path: '/shops/:shop/api-key',
    summary: 'A new API key; the old one, and the tokens that programs got with it, serve no more',
    who: ['admin', 'owner'],
    audited: ['secret:replaced'],
    answer: z.object({ apiKey: z.string() }),
  },
  rotateBuyerSecret: {
    method: 'post',
    path: '/shops/:shop/buyer-secret',
    summary: "A new secret that signs buyers' tokens; all tokens signed with the old one serve no more",
    who: ['admin', 'owner'],
    audited: ['secret:replaced'],
    answer: z.object({ buyerSecret: z.string() }),
  },
  getSettings: {
    method: 'get',
    path: '/shops/:shop/settings',
    summary: "The shop's settings",
    who: staff,
    answer: settings,
  },
  patchSettings: {
    method: 'patch',
    path: '/shops/:shop/settings',
    summary: 'Change settings; merged, then validated whole',
    who: owners,
    audited: ['settings:changed'],
    body: settingsPatch,
    answer: settings,
  },
  listAudit: {
    method: 'get',
    path: '/shops/:shop/audit',
    summary: 'Who has changed what, latest first; the last 100,000 entries of the last 400 days',
    who: owners,
    query: z.strictObject({
      from: timeQuery,
      until: timeQuery,
      /** An agent; `api-key` or `admin` for a program. */
      by: identifier.optional(),
      action: auditAction.optional(),
      limit,
      cursor,
    }),
    answer: z.object({ entries: z.array(auditEntry), next }),
  },
} as const satisfies Record<string, Route>;
