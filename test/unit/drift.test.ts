/** What the code has and what the documentation says are the same, both ways. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  agentCommands,
  agentEvents,
  auditActions,
  buyerCommands,
  buyerEvents,
  errorCatalogue,
  step,
} from '../../client-sdk/contract/index.ts';
import { stepTexts } from '../../client-sdk/texts.ts';
import * as keyNames from '../../server/store/keys.ts';

const read = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const page = read('protocol');

const rowsIn = (section: string) => section.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'));

/** The first code span of each row of a section's table, in the column given. */
function documented(heading: string, column: number): string[] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = rowsIn(section);
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
});

describe('docs/audit.md', () => {
  it('lists every action', () => {
    const listed = rowsIn(read('audit')).map((row) => /`([^`]+)`/.exec(row)?.[1]);
    expect(listed).toEqual(auditActions);
  });
});

describe('docs/erasing.md', () => {
  it('says of every kind of key of a shop what becomes of what it says of a buyer', () => {
    const listed = rowsIn(read('erasing')).flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    );
    const { base: _, ...shopWide } = keyNames.keysOfShop('shop');
    // Those of one thing each are made by functions: buyerKey, readyKey …
    const ofOne = Object.keys(keyNames).flatMap((name) => /^(\w+)Key$/.exec(name)?.[1] ?? []);
    const made = ofOne.filter((name) => typeof (keyNames as Record<string, unknown>)[`${name}Key`] === 'function');
    expect(listed.sort()).toEqual([...Object.keys(shopWide), ...made].sort());
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
