/** Calls about webhooks: their secrets, and deliveries that failed. */
import type { RouteName } from '../../../client-sdk/contract/index.ts';
import { listDeadLetters, retryDeadLetter, rotateWebhookSecret } from '../../services/webhooks.ts';
import type { Handlers } from './call.ts';

type WebhookRoute = Extract<RouteName, `${string}${'WebhookSecret' | 'DeadLetter' | 'DeadLetters'}`>;

export const webhookHandlers: Handlers<WebhookRoute> = {
  rotateWebhookSecret: async ({ house }, { params, now }) => ({
    webhookSecret: await rotateWebhookSecret(house, params.shop, params.agent, now),
  }),
  listDeadLetters: ({ house }, { params, query }) => listDeadLetters(house, params.shop, query),
  retryDeadLetter: async ({ house }, { params }) => {
    await retryDeadLetter(house, params.shop, params.delivery);
    return { ok: true };
  },
};
