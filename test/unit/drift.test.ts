/** What the code has and what the documentation says are the same, both ways. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  agentCommands,
  agentEvents,
  buyerCommands,
  buyerEvents,
  errorCatalogue,
  step,
} from '../../client-sdk/contract/index.ts';
import { stepTexts } from '../../client-sdk/texts.ts';
import { createMetrics } from '../../server/edge/http/metrics.ts';
import { countWorkload } from '../../server/edge/http/workload-metrics.ts';
import { createWorkload } from '../../server/edge/workload.ts';

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The first code span of each row of a section's table, in the column given. */
function documented(heading: string, column: number): string[] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'));
  return rows.map((row) => /`([^`]+)`/.exec(row.split('|')[column] ?? '')?.[1] ?? row).sort();
}

const names = (...tables: object[]) => [...new Set(tables.flatMap((table) => Object.keys(table)))].sort();

describe('docs/protocol.md', () => {
  it('lists every command', () => expect(documented('Commands', 2)).toEqual(names(buyerCommands, agentCommands)));
  it('lists every event', () => expect(documented('Events', 2)).toEqual(names(buyerEvents, agentEvents)));
  it('lists every error code with its status', () => {
    expect(documented('Error codes', 1)).toEqual(names(errorCatalogue));
    for (const [code, { status }] of Object.entries(errorCatalogue))
      expect(page).toContain(`| \`${code}\` | ${status} |`);
  });
  it('lists every metric of ours', () => {
    const { registry } = createMetrics();
    countWorkload(registry, createWorkload({ away: () => false }));
    const ours = registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .filter((name) => name.startsWith('fenliu_'));
    expect(documented('Metrics', 1)).toEqual(ours.sort());
  });
});

describe('texts', () => {
  it('say every error in both languages, and what to do', () => {
    for (const { en, zh } of Object.values(errorCatalogue)) {
      expect(en.split(' ').length).toBeGreaterThan(5);
      expect(zh).toMatch(/[\u4e00-\u9fff]{5}/);
    }
  });
  it('name every step of the chain', () => expect(Object.keys(stepTexts)).toEqual(step.options));
});
