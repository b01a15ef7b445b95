/** What an installation uses as time goes by, and whether it uses more and more. */
import { readFile } from 'node:fs/promises';
import type { Connection } from '../../server/store/script.ts';
import type { Installation, Part } from '../town/installation.ts';
import type { Town } from '../town/town.ts';

const KB = 1024;
const MB = 1024 * KB;

/** One process: what it has of the machine's memory, and of that what its objects take; in bytes, `undefined` where it cannot be told. */
export type Use = { readonly rss: number | undefined; readonly heap: number | undefined };

export type Sample = {
  /** Since the beginning, in ms. */
  readonly at: number;
  readonly messages: number;
  /** All there ever were: none is ever forgotten. */
  readonly conversations: number;
  /** What Redis uses for its data, in bytes. */
  readonly redis: number;
  readonly parts: ReadonlyMap<string, Use>;
};

async function useOf(part: Part): Promise<Use> {
  const status = await readFile(`/proc/${part.pid()}/status`, 'utf8').catch(() => '');
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  const rss = found === undefined ? undefined : Number(found) * KB;
  if (part.url() === '') return { rss, heap: undefined };
  const metrics = await (await fetch(`${part.url()}/metrics`)).text();
  return { rss, heap: Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(metrics)?.[1]) };
}

export async function takeSample(
  { parts }: Installation,
  town: Town,
  redis: Connection,
  began: number,
): Promise<Sample> {
  const memory = await redis.info('memory');
  const talks = new Set(town.ledger.opened.map(({ assignment }) => assignment.conversation));
  return {
    at: Date.now() - began,
    messages: town.ledger.said.length,
    conversations: talks.size,
    redis: Number(/^used_memory:(\d+)/m.exec(memory)?.[1]),
    parts: new Map(await Promise.all(parts.map(async (part) => [part.name, await useOf(part)] as const))),
  };
}

/** What may come on top from one window to the next, as a part and in bytes. */
export const tolerance = {
  rss: { part: 0.15, bytes: 24 * MB },
  heap: { part: 0.15, bytes: 16 * MB },
  /** Of what Redis uses for one more conversation. */
  redis: { part: 0.35, bytes: 2 * KB },
} as const;

/** Before that everything is still being read, compiled and cached: this part of the time is not judged. */
export const WARM_UP = 0.3;

type Window = readonly Sample[];
const least = (values: readonly (number | undefined)[]) => Math.min(...values.filter((value) => value !== undefined));
/** What Redis uses for one more conversation with all that is said in it. */
function marginal(window: Window): number {
  const [first, last] = [window[0], window.at(-1)];
  if (!first || !last || first.conversations === last.conversations) return Number.NaN;
  return (last.redis - first.redis) / (last.conversations - first.conversations);
}

/** What each window uses: the least it came down to, as what is not used any more is given back late. */
export function compareWindows(
  samples: readonly Sample[],
): { what: string; before: number; after: number; grows: boolean }[] {
  const end = samples.at(-1)?.at ?? 0;
  const warm = samples.filter(({ at }) => at >= end * WARM_UP);
  const half = Math.floor(warm.length / 2);
  const windows = [warm.slice(0, half + 1), warm.slice(half)] as const;
  const names = [...(samples[0]?.parts.keys() ?? [])];
  const judged = (what: string, kind: keyof typeof tolerance, use: (window: Window) => number) => {
    const [before, after] = [use(windows[0]), use(windows[1])];
    const { part, bytes } = tolerance[kind];
    return { what, before, after, grows: after > before * (1 + part) + bytes };
  };
  return [
    judged('redis, for one more conversation', 'redis', marginal),
    ...names.flatMap((name) =>
      (['rss', 'heap'] as const).map((kind) =>
        judged(`${name}, ${kind}`, kind, (window) => least(window.map(({ parts }) => parts.get(name)?.[kind]))),
      ),
    ),
  ].filter(({ before, after }) => Number.isFinite(before) && Number.isFinite(after));
}

const inMb = (bytes: number | undefined) => (bytes === undefined ? '-' : (bytes / MB).toFixed(1));

/** A line of the table; without a sample, its head. */
export function row(sample: Sample | undefined, names: readonly string[]): string {
  const cells = sample
    ? [
        `${(sample.at / 60_000).toFixed(1)}`,
        `${sample.messages}`,
        `${sample.conversations}`,
        inMb(sample.redis),
        ...names.map((name) => {
          const { rss, heap } = sample.parts.get(name) ?? {};
          return heap === undefined ? inMb(rss) : `${inMb(rss)} / ${inMb(heap)}`;
        }),
      ]
    : ['minutes', 'messages', 'conversations', 'redis MB', ...names.map((name) => `${name} MB`)];
  return cells.map((cell) => cell.padStart(15)).join(' ');
}

/** What each window uses, a line each. */
export function verdicts(compared: ReturnType<typeof compareWindows>): string[] {
  return compared.map(({ what, before, after, grows }) => {
    const unit = (bytes: number) => (bytes < MB ? `${(bytes / KB).toFixed(1)} KB` : `${(bytes / MB).toFixed(1)} MB`);
    return `${what.padEnd(34)} ${unit(before).padStart(10)} then ${unit(after).padStart(10)}  ${grows ? 'GROWS' : 'flat'}`;
  });
}
