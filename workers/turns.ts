/** Turns of repeated jobs, as BullMQ names them: `repeat:<job>:<when it is due, in ms>`. */
import { takeOver } from './take-over.ts';

/** Whoever has had a turn for so long, in ms, may be dead or asleep: the next one is made beside it. */
const PATIENCE_MS = takeOver.lockDuration;

function read(id: string): { readonly job: string; readonly due: number } | undefined {
  const [, job, due] = /^repeat:(.+):(\d+)$/.exec(id) ?? [];
  return job && due ? { job, due: Number(due) } : undefined;
}

/**
 * True where an earlier turn of the same job is under way, here or elsewhere: two processes would do the same work twice
 * instead of sharing it. Of two turns one is always the earlier, so that never both pass.
 */
export function isUnderWay(id: string, active: readonly string[]): boolean {
  const own = read(id);
  if (!own) return false;
  return active.some((other) => {
    const turn = read(other);
    return turn?.job === own.job && turn.due < own.due && turn.due > own.due - PATIENCE_MS;
  });
}
