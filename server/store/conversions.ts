/** Sales, and whose they are: what conversion-first groups go by. */
import { buyerKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';

const script = loadScript(
  'convert',
  ['live', 'waits', 'overnight', 'todo', 'lapses', 'shifts', 'events', 'buyer'],
  ['now', 'version', 'buyerId', 'order', 'warmMs', 'request'],
);

/** `nobody`: no recent contact to count it for; `repeat`: the order has been counted. */
export type Converted = { readonly kind: 'nobody' | 'repeat' } | { readonly kind: 'counted'; readonly agent: string };

/** Counts an order of a buyer for their latest contact within `warmMs`. `now` in ms. */
export async function convert(
  scope: Scope,
  sale: { readonly buyer: string; readonly order: string; readonly warmMs: number; readonly request: string },
  now: number,
): Promise<Converted> {
  const { buyer, order, warmMs, request } = sale;
  const keys = { ...scope.keys, buyer: buyerKey(scope.keys, buyer) };
  const args = { now, version: scope.version, buyerId: buyer, order, warmMs, request };
  const [kind, agent] = await run(scope.redis, script, keys, args, scope.ready);
  return kind === 'counted' ? { kind, agent: String(agent) } : { kind: kind as 'nobody' | 'repeat' };
}
