/**
 * The format in which everything is kept: a number that stands beside the data, so that a release which would misread them
 * does not start. How it rises is in CONTRIBUTING.md, «When what is stored changes its shape».
 */
import { formatKey } from './keys.ts';
import { type Connection, loadScript, run } from './script.ts';

const script = loadScript('format', ['format'], ['oldest', 'newest', 'writes']);

/** What a release can read, and what it keeps things in; `oldest` ≤ `writes` ≤ `newest`. */
export type Formats = { readonly oldest: number; readonly newest: number; readonly writes: number };

/** Those of this release. */
export const ourFormats: Formats = { oldest: 1, newest: 1, writes: 1 };

/** What is kept is of a format that this release does not read. */
export class UnreadableFormat extends Error {
  constructor(kept: string, { oldest, newest }: Formats) {
    const reads = oldest === newest ? `format ${newest}` : `formats ${oldest} to ${newest}`;
    const wayOut =
      Number(kept) < oldest
        ? 'start a release in between first, which brings it up to date'
        : 'start the release that wrote it, or a newer one';
    super(`What Redis keeps is of format ${kept}, and this release reads ${reads}; ${wayOut}.`);
    this.name = 'UnreadableFormat';
  }
}

/** Sees to it that this release can read what is kept, and answers its format. Throws `UnreadableFormat`. */
export async function checkFormat(redis: Connection, formats: Formats = ourFormats): Promise<number> {
  const [result, kept = ''] = await run(redis, script, { format: formatKey }, formats);
  if (result !== 'reads') throw new UnreadableFormat(String(kept), formats);
  return Number(kept);
}
