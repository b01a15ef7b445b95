/** Every script has a wrapper and a test file, and is what its header says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keysOfShop } from '../../server/store/keys.ts';
import { loadScript } from '../../server/store/script.ts';

const store = new URL('../../server/store/', import.meta.url);
const scripts = new URL('scripts/', store);
const luaIn = (folder: URL) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.lua'))
    .map((name) => name.slice(0, -'.lua'.length));

const names = luaIn(scripts);
const wrappers = readdirSync(store)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(name, store), 'utf8'))
  .join('\n');
const wrapped = [...wrappers.matchAll(/loadScript\(\s*'([^']+)'/g)].map(([, name]) => name);
const header = (name: string, tag: string) =>
  new RegExp(`^-- @${tag} (.*)$`, 'm').exec(readFileSync(new URL(`${name}.lua`, scripts), 'utf8'))?.[1]?.split(' ') ??
  [];

/** Of a shop, then of one buyer or conversation, then of all shops. */
const ofAll = ['webhookShops', 'format'];
const keyNames = [
  ...Object.keys(keysOfShop('shop')),
  'buyer',
  'erasure',
  'conversation',
  'messages',
  'sent',
  'session',
  'revoked',
  'ready',
  ...ofAll,
];

/** The code without comments, texts, its keys and arguments, and functions that nothing calls. */
function reachable(source: string): string {
  let code = source
    .replace(/^local .*= (KEYS|ARGV)\[.*$/gm, '')
    .replaceAll(/--.*$/gm, '')
    .replaceAll(/'[^'\n]*'/g, "''");
  // Functions of the outermost level: one line, or up to the first `end` at the margin.
  const functions = [...code.matchAll(/^local function (\w+)\((?:.*\bend|.*(?:\n(?!end$).*)*\nend)$/gm)];
  for (const [text, name] of functions.reverse()) {
    const without = code.replace(text, '');
    if (!new RegExp(`\\b${name}\\b`).test(without)) code = without;
  }
  return code;
}

describe('every script', () => {
  it('has a wrapper, and every wrapper a script', () => {
    expect([...wrapped].sort()).toEqual([...names].sort());
  });

  it.each(names)('%s has a test file', (name) => {
    expect(existsSync(new URL(`${name}.test.ts`, import.meta.url))).toBe(true);
  });

  it.each(names)('%s says what it does, takes and answers', (name) => {
    const source = readFileSync(new URL(`${name}.lua`, scripts), 'utf8');
    expect(source).toMatch(new RegExp(`^-- ${name}: `));
    for (const part of ['-- @keys ', '-- @args ', '-- Result']) expect(source).toContain(part);
  });

  it.each(names)('%s declares the keys it uses, and no others', (name) => {
    const declared = header(name, 'keys');
    const code = reachable(loadScript(name, declared, header(name, 'args')).source);
    // Names of keys where they stand for themselves: neither a field of a table nor one that is set.
    const used = keyNames.filter((key) => new RegExp(`(?<![.\\w])${key}\\b(?!\\s*=[^=])`).test(code));
    expect(used.sort()).toEqual([...declared].sort());
  });
});

it('every part that scripts include is included by one', () => {
  const included = new Set(names.flatMap((name) => header(name, 'include')));
  expect(luaIn(new URL('lib/', scripts)).sort()).toEqual([...included].sort());
});

it('a wrapper that does not agree with its script is refused when it is loaded', () => {
  expect(() => loadScript('profile', ['live', 'buyer', 'events', 'audit'], [])).toThrow(/profile\.lua: @keys/);
  expect(() => loadScript('profile', ['live', 'events', 'audit', 'buyer'], ['now'])).toThrow(/profile\.lua: @args/);
});
