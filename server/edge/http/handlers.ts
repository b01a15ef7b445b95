/** Every route's handler in one table: a route without one does not compile. */
import type { Handlers } from './call.ts';
import { auditHandlers } from './handlers-audit.ts';
import { boardHandlers } from './handlers-board.ts';
import { peopleHandlers } from './handlers-people.ts';
import { shopHandlers } from './handlers-shop.ts';
import { webhookHandlers } from './handlers-webhooks.ts';

export const handlers: Handlers = {
  ...shopHandlers,
  ...peopleHandlers,
  ...boardHandlers,
  ...webhookHandlers,
  ...auditHandlers,
};
