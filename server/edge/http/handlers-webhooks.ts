/** Calls about webhooks: their secrets, and deliveries that failed. */
import type { RouteName } from '../../../client-sdk/contract/index.ts';
import { byCaller } from '../../services/access.ts';
import { listDeadLetters, retryDeadLetter, rotateWebhookSecret } from '../../services/webhooks.ts';
import type { Handlers } from './call.ts';

type WebhookRoute = Extract<RouteName, `${string}${'WebhookSecret' | 'DeadLetter' | 'DeadLetters'}`>;

export const webhookHandlers: Handlers<WebhookRoute> = {
  rotateWebhookSecret: async ({ house }, { params, caller, now }) => ({
    webhookSecret: await rotateWebhookSecret(house, params.shop, params.agent, now, byCaller(caller)),
  }),
  listDeadLetters: ({ house }, { params, query }) => listDeadLetters(house, params.shop, query),
  retryDeadLetter: async ({ house }, { params, caller, now }) => {
    await retryDeadLetter(house, params.shop, params.delivery, now, byCaller(caller));
    return { ok: true };
  },
};
