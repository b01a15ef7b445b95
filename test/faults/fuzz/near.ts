/** Values that a schema of the contract takes, or nearly: right ones with something wrong in them. */
import { z } from 'zod';
import type { Luck } from './luck.ts';

type Json = Readonly<Record<string, unknown>>;

/** Text that has broken things before. */
const texts = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '你好，请问这件有货吗？',
  '👩‍👩‍👧‍👦',
  'a'.repeat(64),
  'a'.repeat(65),
  'x'.repeat(2_001),
  'x'.repeat(9_000),
  '__proto__',
  'constructor',
  'toString',
  'a:b',
  '{x}',
  'a,b=c',
  '../..',
  '%00',
  '*',
  '-1',
  'NaN',
  "'; DROP TABLE",
  '<script>',
  '\r\nSet-Cookie: a=b',
  'redis.call("FLUSHALL")',
];
const numbers = [
  0,
  -0,
  -1,
  1,
  0.5,
  1e21,
  -1e21,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

/** Anything at all. */
export function anything(luck: Luck, depth = 0): unknown {
  switch (
    luck.weighted({ text: 4, number: 3, boolean: 1, null: 1, list: depth < 4 ? 2 : 0, object: depth < 4 ? 2 : 0 })
  ) {
    case 'text':
      return luck.pick(texts);
    case 'number':
      return luck.pick(numbers);
    case 'boolean':
      return luck.chance(0.5);
    case 'null':
      return null;
    case 'list':
      return Array.from({ length: luck.int(0, 4) }, () => anything(luck, depth + 1));
    case 'object': {
      const keys = Array.from({ length: luck.int(0, 4) }, () =>
        luck.pick([...texts, 'conversation', 'clientId', 'body']),
      );
      const entries = keys.map((key) => [key, anything(luck, depth + 1)]);
      // `__proto__` becomes a field, as it does where JSON is read.
      return JSON.parse(JSON.stringify(Object.fromEntries(entries)));
    }
  }
}

/** What the world has: names that mean something, for identifiers. */
export type Known = { readonly identifiers: readonly string[] };

function textFor(schema: Json, luck: Luck, known: Known): string {
  const pattern = String(schema.pattern ?? '');
  if (Array.isArray(schema.enum)) return luck.pick(schema.enum as string[]);
  if (pattern.includes('A-Za-z0-9_.-')) return luck.pick(known.identifiers);
  if (pattern.includes('[0-5]')) return luck.pick(['00:00', '08:00', '12:30', '23:59']);
  if (schema.format === 'uri') return luck.pick(['https://robots.invalid/', 'http://127.0.0.1:1/', 'https://[::1]/']);
  const least = Number(schema.minLength ?? 0);
  return luck.pick(['hello', 'Asia/Shanghai', 'https://shop.example', 'c-5', '你好']).padEnd(least, '.');
}

function right(schema: Json, luck: Luck, known: Known): unknown {
  if (Array.isArray(schema.anyOf)) return right(luck.pick(schema.anyOf as Json[]), luck, known);
  if ('const' in schema) return schema.const;
  switch (schema.type) {
    case 'string':
      return textFor(schema, luck, known);
    case 'integer':
    case 'number': {
      const [from, to] = [Number(schema.minimum ?? 0), Number(schema.maximum ?? 1_000_000)];
      return luck.pick([from, Math.min(to, from + luck.int(0, 300)), to]);
    }
    case 'boolean':
      return luck.chance(0.5);
    case 'null':
      return null;
    case 'array':
      return Array.from({ length: luck.int(0, 3) }, () => right((schema.items ?? {}) as Json, luck, known));
    case 'object': {
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>);
      const required = new Set((schema.required ?? []) as string[]);
      const made: Record<string, unknown> = {};
      for (const [name, property] of properties) {
        if (required.has(name) || luck.chance(0.5)) made[name] = right(property, luck, known);
      }
      return made;
    }
    default:
      return anything(luck);
  }
}

/** Makes one thing wrong somewhere. */
function wrong(value: unknown, luck: Luck): unknown {
  if (typeof value !== 'object' || value === null || luck.chance(0.1)) return anything(luck);
  if (Array.isArray(value)) {
    return luck.chance(0.3)
      ? [...value, anything(luck)]
      : value.map((item) => (luck.chance(0.5) ? wrong(item, luck) : item));
  }
  const keys = Object.keys(value);
  const key = luck.pick(keys);
  switch (luck.weighted({ change: 5, drop: 2, add: 2, rename: 1 })) {
    case 'change':
      return keys.length === 0 ? anything(luck) : { ...value, [key]: wrong((value as Json)[key], luck) };
    case 'drop':
      return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
    case 'add':
      return { ...value, [luck.pick(texts)]: anything(luck) };
    case 'rename':
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name === key ? luck.pick(texts) : name, item]),
      );
  }
}

const jsonSchemas = new Map<z.ZodType, Json>();

/** A value that `schema` takes; so often with something wrong in it. */
export function near(schema: z.ZodType, luck: Luck, known: Known, wrongShare = 0.4): unknown {
  let json = jsonSchemas.get(schema);
  if (!json) {
    json = z.toJSONSchema(schema, { io: 'input' }) as Json;
    jsonSchemas.set(schema, json);
  }
  const value = right(json, luck, known);
  return luck.chance(wrongShare) ? wrong(value, luck) : value;
}
