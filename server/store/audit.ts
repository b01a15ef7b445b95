/**
 * The audit log of a shop: a stream. Scripts that change something write their own entries (scripts/lib/audit.lua); what
 * they are told of who acts is made here.
 */
import { type AuditAction, type AuditEntry, auditTargets, type By } from '../../client-sdk/contract/index.ts';
import { keysOfShop } from './keys.ts';
import { type Connection, loadScript, run } from './script.ts';

const script = loadScript('audit', ['audit'], ['now', 'request', 'by', 'action', 'target', 'changes']);

/** What an entry says, besides when and who. `changes` as JSON, '' for none. */
export type Account = { readonly action: AuditAction; readonly target: string; readonly changes: string };

/** Who acts, as scripts take it: `<kind>:<id>`; '' for nobody, of whom there is no entry. */
export const byText = (by: By | undefined): string => (by ? `${by.kind}:${by.id ?? ''}` : '');

function byFrom(text: string): By {
  const colon = text.indexOf(':');
  const id = text.slice(colon + 1);
  return { kind: text.slice(0, colon) as By['kind'], ...(id ? { id } : {}) };
}

/**
 * An entry for what no script of the shop does. Written before it is done: nothing is done without an entry. The same
 * `request` again writes none. `now` in ms.
 */
export async function recordAudit(
  redis: Connection,
  shop: string,
  entry: Account & { readonly by: By; readonly request: string },
  now: number,
): Promise<void> {
  const { by, ...rest } = entry;
  await run(redis, script, keysOfShop(shop), { now, by: byText(by), ...rest });
}

type Stored = [id: string, fields: string[]];

export type AuditRow = {
  readonly id: string;
  readonly by: By;
  readonly action: AuditAction;
  readonly target: string;
  readonly changes: string;
};

function rowFrom([id, fields]: Stored): AuditRow {
  const field = (name: string) => fields[fields.findIndex((text, i) => i % 2 === 0 && text === name) + 1] ?? '';
  return {
    id,
    by: byFrom(field('by')),
    action: field('action') as AuditAction,
    target: field('target'),
    changes: field('changes'),
  };
}

/** A row as the contract shows it; what did not fit in is counted at the end of its changes. */
export function auditEntryOf({ id, by, action, target, changes }: AuditRow): AuditEntry {
  const all = (changes ? JSON.parse(changes) : []) as (NonNullable<AuditEntry['changes']>[number] | number)[];
  const shown = all.filter((change) => typeof change !== 'number');
  const omitted = all.find((change) => typeof change === 'number');
  return {
    id,
    at: Number(id.slice(0, id.indexOf('-'))),
    by,
    action,
    ...(target ? { target } : {}),
    ...(shown.length > 0 ? { changes: shown } : {}),
    ...(omitted === undefined ? {} : { omitted }),
  };
}

/** Rows from `until` (ms, exclusive) or before the row `before` back to `from` (ms, inclusive), latest first. */
export async function auditBackwards(
  redis: Connection,
  shop: string,
  range: { readonly from: number; readonly until?: number | undefined; readonly before?: string | undefined },
  count: number,
): Promise<AuditRow[]> {
  const { audit } = keysOfShop(shop);
  const { from, until, before } = range;
  // Of the two upper ends the lower one.
  const byTime = before === undefined || (until !== undefined && until <= Number(before.slice(0, before.indexOf('-'))));
  const end = byTime ? (until === undefined ? '+' : `(${until}-0`) : `(${before}`;
  // Redis takes no interval that ends before its very first id.
  if (/^\(0+-0+$/.test(end)) return [];
  const rows = (await redis.xrevrange(audit, end, String(from), 'COUNT', count)) as Stored[];
  return rows.map(rowFrom);
}

/** Rows before the row `end` (exclusive) and after `start` (exclusive, '-' for the first), oldest first. */
export async function auditForwards(
  redis: Connection,
  shop: string,
  { start, end }: { readonly start: string; readonly end: string },
  count: number,
): Promise<AuditRow[]> {
  const from = start === '-' ? start : `(${start}`;
  const rows = (await redis.xrange(keysOfShop(shop).audit, from, `(${end}`, 'COUNT', count)) as Stored[];
  return rows.map(rowFrom);
}

/** Whether a row names this buyer, or one of these conversations. */
export function namesBuyer(row: AuditRow, buyer: string, conversations: { has(id: string): boolean }): boolean {
  const kind = auditTargets[row.action];
  return (kind === 'buyer' && row.target === buyer) || (kind === 'conversation' && conversations.has(row.target));
}

/** Takes rows out of the log: only erasing does. */
export async function removeAudit(redis: Connection, shop: string, rows: readonly AuditRow[]): Promise<void> {
  if (rows.length > 0) await redis.xdel(keysOfShop(shop).audit, ...rows.map(({ id }) => id));
}
