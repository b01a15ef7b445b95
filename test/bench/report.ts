/** Tables of what was measured, for people and, as JSON, for programs. */
import type { SweepReport } from './contacts.ts';
import type { Comparison } from './rounds.ts';
import type { Weight } from './weights.ts';

export type Row = Comparison & {
  readonly what: string;
  /** What it is held against. */
  readonly against: string;
  /** The ratio that has to be reached; absent where it is only looked at. */
  readonly target?: number;
};

export type Table = { readonly title: string; readonly rows: readonly Row[] };

/** Whether the target holds; `undefined` where there is none. */
export const holds = (row: Row) => (row.target === undefined ? undefined : row.ratio >= row.target);

const perSecond = (n: number) => Math.round(n).toLocaleString('en');

/** A table as aligned lines of text. */
export function renderTable({ title, rows }: Table): string {
  const head = ['what', 'against', 'ours/s', 'ceiling/s', 'ratio', 'middle half', 'target'];
  const lines = rows.map((row) => [
    row.what,
    row.against,
    perSecond(row.ours),
    perSecond(row.ceiling),
    row.ratio.toFixed(3),
    `${row.from.toFixed(3)}-${row.to.toFixed(3)}`,
    row.target === undefined ? '' : `${row.target.toFixed(2)} ${holds(row) ? 'holds' : 'MISSED'}`,
  ]);
  const widths = head.map((name, i) => Math.max(name.length, ...lines.map((line) => (line[i] ?? '').length)));
  const isText = (i: number) => i < 2 || i === head.length - 1;
  const align = (line: string[]) =>
    line
      .map((cell, i) => (isText(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [`\n${title}`, align(head), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.map(align)].join(
    '\n',
  );
}

/** The tables with the machine they were measured on. */
export function toJson(
  tables: readonly Table[],
  machine: Readonly<Record<string, unknown>>,
  contacts: SweepReport | undefined,
  weights: readonly Weight[],
): string {
  const withVerdicts = tables.map(({ title, rows }) => ({
    title,
    rows: rows.map((row) => ({ ...row, holds: holds(row) ?? null })),
  }));
  return `${JSON.stringify({ machine, tables: withVerdicts, contacts, weights }, null, 2)}\n`;
}
