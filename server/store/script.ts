/**
 * Loads a Lua script and runs it in one round trip.
 *
 * A script's header is its signature: `@keys` and `@args` name what it takes, `@include` the files of `scripts/lib` it
 * is built with, `@ready` that ready sets follow its keys. The names become locals of the script and fields of the
 * call, so that neither side counts positions. Inside: READY is the index of the first ready set, REST of the last
 * named argument; `now` is a number, and `stamp` the same as text.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

export type Connection = Redis | Cluster;

export type Script<K extends string, A extends string> = {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
  readonly keys: readonly K[];
  readonly args: readonly A[];
};

const folder = new URL('./scripts/', import.meta.url);

function words(source: string, tag: string): string[] {
  const line = new RegExp(`^-- @${tag} (.*)$`, 'm').exec(source)?.[1] ?? '';
  return line.split(' ').filter(Boolean);
}

function bind(names: readonly string[], table: string): string {
  if (names.length === 0) return '';
  const values = names.map((_, i) => `${table}[${i + 1}]`);
  const now = names.includes('now') ? 'local stamp = now\nnow = tonumber(now)' : '';
  return `local ${names.join(', ')} = ${values.join(', ')}\n${now}`;
}

/** Reads `scripts/<name>.lua`, with what it includes. Throws if its header does not name the keys and arguments expected. */
export function loadScript<K extends string, A extends string>(
  name: string,
  keys: readonly K[],
  args: readonly A[],
): Script<K, A> {
  const body = readFileSync(new URL(`${name}.lua`, folder), 'utf8');
  for (const [tag, expected] of [
    ['keys', keys],
    ['args', args],
  ] as const) {
    const found = words(body, tag);
    if (found.join(' ') !== expected.join(' ')) {
      throw new Error(`${name}.lua: @${tag} is "${found.join(' ')}", its wrapper passes "${expected.join(' ')}"`);
    }
  }
  const included = words(body, 'include').map((lib) => readFileSync(new URL(`lib/${lib}.lua`, folder), 'utf8'));
  const source = [
    bind(keys, 'KEYS'),
    bind(args, 'ARGV'),
    `local READY, REST = ${keys.length + 1}, ${args.length}`,
    ...included,
    body,
  ].join('\n');
  return { name, source, sha: createHash('sha1').update(source).digest('hex'), keys, args };
}

/** Answers of scripts are lists of strings, numbers and lists. */
export type Reply = (string | number | Reply)[];

/** The caller's configuration is not the present one; nothing was changed. Read it again, then send the command again. */
export class StaleConfig extends Error {
  constructor() {
    super('the configuration has changed since it was read');
    this.name = 'StaleConfig';
  }
}

/** Told that a script is sent; what it answers is called when its answer, or none, has come. */
export type ScriptObserver = (script: string) => () => void;

const observers = new WeakMap<Connection, ScriptObserver>();

/** From now on `observe` is told of every script that is run over this connection; there is one observer at most. */
export function observeScripts(redis: Connection, observe: ScriptObserver): void {
  observers.set(redis, observe);
}

/**
 * Runs a script. `keys` and `args` are given by name; `ready` follow the keys, `rest` the arguments.
 * Throws `StaleConfig`, and what Redis throws; the command may then have run or not, and can be sent again as it is.
 */
export async function run<K extends string, A extends string>(
  redis: Connection,
  script: Script<K, A>,
  keys: Readonly<Record<K, string>>,
  args: Readonly<Record<A, string | number>>,
  ready: readonly string[] = [],
  rest: readonly (string | number)[] = [],
): Promise<Reply> {
  const line: (string | number)[] = [];
  for (const key of script.keys) line.push(keys[key]);
  for (const key of ready) line.push(key);
  const keyCount = line.length;
  for (const arg of script.args) line.push(args[arg]);
  for (const item of rest) line.push(item);
  const observed = observers.get(redis)?.(script.name);
  const reply = await send(redis, script, keyCount, line).finally(observed);
  if (reply[0] === 'stale') throw new StaleConfig();
  return reply;
}

async function send(
  redis: Connection,
  script: { readonly source: string; readonly sha: string },
  keyCount: number,
  line: (string | number)[],
): Promise<Reply> {
  try {
    return (await redis.evalsha(script.sha, keyCount, ...line)) as Reply;
  } catch (error) {
    if (!isNoScript(error)) throw withoutArguments(error);
  }
  return (await redis.eval(script.source, keyCount, ...line).catch((error) => {
    throw withoutArguments(error);
  })) as Reply;
}

const isNoScript = (error: unknown) => error instanceof Error && error.message.startsWith('NOSCRIPT');

/** ioredis hangs the whole command onto its errors, and with it what people wrote; that must not reach a log. */
function withoutArguments(error: unknown): unknown {
  if (error instanceof Error && 'command' in error) delete error.command;
  return error;
}
