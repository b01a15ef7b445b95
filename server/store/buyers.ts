/** What the shop knows of a buyer. */
import type { By } from '../../client-sdk/contract/index.ts';
import { byText } from './audit.ts';
import { buyerKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';

const script = loadScript(
  'profile',
  ['live', 'events', 'audit', 'buyer'],
  ['now', 'buyerId', 'name', 'crowds', 'exclusiveAgent', 'by'],
);

export type BuyerRecord = {
  /** Another with every change of the profile, '0' before the first. */
  readonly profile: string;
  readonly name: string;
  readonly crowds: readonly string[];
  readonly exclusiveAgent?: string;
  /** The open conversation, '' for none. */
  readonly conversation: string;
  /** The newest conversation, open or not, '' for none. */
  readonly newest: string;
};

export async function readBuyer(scope: Scope, buyer: string): Promise<BuyerRecord | undefined> {
  const [profile, name, crowds, exclusive, conversation, closed] = await scope.redis.hmget(
    buyerKey(scope.keys, buyer),
    'profile',
    'name',
    'crowds',
    'exclusive',
    'conversation',
    'closed',
  );
  if (!profile && conversation === null) return undefined;
  return {
    profile: profile ?? '0',
    name: name ?? '',
    crowds: crowds ? (JSON.parse(crowds) as string[]) : [],
    ...(exclusive ? { exclusiveAgent: exclusive } : {}),
    conversation: conversation && conversation !== closed ? conversation : '',
    newest: conversation ?? '',
  };
}

export async function writeProfile(
  scope: Scope,
  buyer: string,
  profile: {
    readonly name?: string | undefined;
    readonly crowds: readonly string[];
    readonly exclusiveAgent?: string | undefined;
  },
  now: number,
  by: By = { kind: 'admin' },
): Promise<void> {
  await run(
    scope.redis,
    script,
    { ...scope.keys, buyer: buyerKey(scope.keys, buyer) },
    {
      now,
      buyerId: buyer,
      name: profile.name ?? '',
      crowds: JSON.stringify(profile.crowds),
      exclusiveAgent: profile.exclusiveAgent ?? '',
      by: byText(by),
    },
  );
}
