/** Every change of presence with its cause, so that a shift can be audited. */
import type { Presence, PresenceCause, Shift } from '../../client-sdk/contract/index.ts';
import type { Scope } from './scope.ts';

const pad = (at: number) => String(at).padStart(13, '0');

export type ShiftQuery = {
  /** Changes from `from` (inclusive) to `until` (exclusive), in ms. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** Only what came before the entry of this place, as an earlier page answered it. */
  readonly before?: string | undefined;
  readonly limit: number;
};

/** An agent's changes, latest first, each with its place in the log. */
export async function readShifts(
  scope: Scope,
  agent: string,
  { from = 0, until, before, limit }: ShiftQuery,
): Promise<{ readonly place: string; readonly shift: Shift }[]> {
  const end = until === undefined ? `(${agent};` : `(${agent}:${pad(until)}`;
  const start = before === undefined ? end : `(${agent}:${before}`;
  // Of the two upper ends the lower one: `;` comes after every digit.
  const highest = start < end ? start : end;
  const entries = await scope.redis.zrevrangebylex(
    scope.keys.shifts,
    highest,
    `[${agent}:${pad(from)}`,
    'LIMIT',
    0,
    limit,
  );
  return entries.map((entry) => {
    const [, at = '', count = '', presence, cause, by] = entry.split(':');
    return {
      place: `${at}:${count}`,
      shift: {
        at: Number(at),
        presence: presence as Presence,
        cause: cause as PresenceCause,
        ...(by ? { by } : {}),
      },
    };
  });
}
