/** The audit log as the shop reads it. */
import { type AuditAction, type AuditEntry, type By, Refusal } from '../../client-sdk/contract/index.ts';
import { type AuditRow, auditBackwards, auditEntryOf } from '../store/audit.ts';
import type { House } from './house.ts';

/** Rows read at once while looking for those that match … */
const BATCH = 500;
/** … and how often one call does. */
const BATCHES = 20;

export type AuditQuery = {
  /** From `from` (inclusive) until `until` (exclusive), in ms. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** An agent; `api-key` or `admin` for a program. */
  readonly by?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

const isBy = ({ kind, id }: By, who: string) => (id ?? kind) === who;

function matches({ by, action }: AuditRow, query: AuditQuery): boolean {
  return (query.by === undefined || isBy(by, query.by)) && (query.action === undefined || action === query.action);
}

/**
 * A page of the log, latest first; it may be short of `limit` and have a `next` all the same, where few match. Throws
 * `not-found`, and `invalid` for a cursor that was never given out.
 */
export async function listAudit(
  house: House,
  shop: string,
  query: AuditQuery,
): Promise<{ entries: AuditEntry[]; next?: string }> {
  const { from = 0, until, cursor, limit } = query;
  if (cursor !== undefined && !/^\d{1,15}-\d{1,15}$/.test(cursor)) {
    throw new Refusal('invalid', undefined, [{ path: 'cursor', problem: 'is no cursor of this list' }]);
  }
  await house.configs.get(shop);
  const entries: AuditEntry[] = [];
  let before = cursor;
  for (let i = 0; i < BATCHES; i++) {
    const rows = await auditBackwards(house.redis, shop, { from, until, before }, BATCH);
    for (const row of rows) {
      if (matches(row, query)) entries.push(auditEntryOf(row));
      if (entries.length === limit) return { entries, next: row.id };
    }
    if (rows.length < BATCH) return { entries };
    before = rows.at(-1)?.id;
  }
  return { entries, ...(before === undefined ? {} : { next: before }) };
}
