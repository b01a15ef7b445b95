/** What a shop's secrets are called in the store. */

/**
 * Names of secrets; those of a password, a webhook and an epoch are followed by the agent's id. With another epoch all
 * sessions of the agent have ended, in the very change that sets it.
 */
export const secretNames = {
  apiKey: 'apiKey',
  buyerSecret: 'buyerSecret',
  password: 'password:',
  webhook: 'webhook:',
  epoch: 'epoch:',
} as const;
