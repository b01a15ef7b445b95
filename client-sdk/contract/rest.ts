/**
 * Every REST call: who may make it, what it takes, what it answers. The server's router, its OpenAPI document and
 * the tests are all made from this table; `rest/` has its rows, by what they are about.
 */
import { agents } from './rest/agents.ts';
import { buyers } from './rest/buyers.ts';
import { conversations } from './rest/conversations.ts';
import { groups } from './rest/groups.ts';
import type { Route } from './rest/route.ts';
import { sessions } from './rest/sessions.ts';
import { shops } from './rest/shops.ts';

export { type CallerKind, callers, type Route } from './rest/route.ts';

export const routes = {
  ...shops,
  ...agents,
  ...groups,
  ...buyers,
  ...sessions,
  ...conversations,
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
