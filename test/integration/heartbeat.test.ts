/** A node's heartbeat: when it notices that it was silent, and that no socket is recorded under a node that is not listed. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createHeartbeat, type Heartbeat } from '../../server/services/heartbeat.ts';
import { connect } from '../../server/store/connect.ts';
import { nodesKey } from '../../server/store/keys.ts';
import { leave } from '../../server/store/nodes.ts';
import type { Connection } from '../../server/store/script.ts';
import { until } from '../support/until.ts';

const HOUR = 3_600_000;
const quiet = { info() {}, warn() {}, error() {} };

let redis: Connection;
/** Ids drawn, the latest last. */
let nodes: string[];
let now: number;
/** The id under which sockets were recorded again, each time. */
let recorded: string[];
let fails: boolean;
/** Redis is another one than before. */
let another: boolean;
/** Happens while sockets are recorded again. */
let during: () => Promise<void>;
let heartbeat: Heartbeat;

beforeAll(() => {
  redis = connect({ url: inject('redisUrl') }, () => undefined);
});
beforeEach(() => {
  nodes = [];
  now = Date.now();
  recorded = [];
  fails = false;
  another = false;
  during = async () => {};
});
afterEach(async () => {
  await heartbeat.stop(true);
});
afterAll(() => redis.disconnect());

const later = (ms: number) => {
  now += ms;
};
const newNode = () => {
  const node = `node-${randomUUID()}`;
  nodes.push(node);
  return node;
};
const lastBeat = (node = nodes.at(-1) ?? '') => redis.zscore(nodesKey, node);

async function start(beatMs: number): Promise<void> {
  heartbeat = createHeartbeat({
    redis,
    log: quiet,
    life: { look: async () => another },
    clock: () => now,
    newNode,
    beatMs,
  });
  await heartbeat.start(async () => {
    recorded.push(await heartbeat.listed());
    if (fails) throw new Error('Redis is away');
    await during();
  });
}

/** Waits for a heartbeat at a moment that it has not seen. */
async function nextBeat(): Promise<void> {
  now++;
  await until(async () => (await lastBeat()) === String(now));
}

describe('a heartbeat', () => {
  it('lists the node before it says so, and takes it off the list only when all its sockets have ended', async () => {
    await start(HOUR);
    expect(await lastBeat()).toBe(String(now));
    await heartbeat.stop(false);
    expect(await lastBeat()).toBe(String(now));
    await heartbeat.stop(true);
    expect(await lastBeat()).toBeNull();
  });

  it('in time, records nothing again', async () => {
    await start(10);
    for (let i = 0; i < 5; i++) await nextBeat();
    expect(nodes).toHaveLength(1);
    expect(recorded).toEqual([]);
  });

  it.each([
    ['it was late', () => later(HOUR)],
    ['it was taken off the list', () => leave(redis, ...nodes)],
  ])('when %s it goes on under a new id, and records every socket once under that', async (_, happens) => {
    await start(10);
    await happens();
    await until(() => recorded.length === 1);
    const old = await lastBeat(nodes[0]);
    for (let i = 0; i < 5; i++) await nextBeat();
    expect(nodes).toHaveLength(2);
    expect(recorded).toEqual([nodes[1]]);
    // What came under the old id too late to be seen is found there: listed it is, and beats no more.
    expect(old).not.toBeNull();
    expect(await lastBeat(nodes[0])).toBe(old);
    await heartbeat.stop(true);
    expect(await Promise.all(nodes.map(lastBeat))).toEqual([null, null]);
  });

  it('does so too when Redis is another one than before, which may have lost what it knew last', async () => {
    await start(10);
    for (let i = 0; i < 3; i++) await nextBeat();
    for (const times of [1, 2]) {
      another = true;
      await until(() => nodes.length > times);
      another = false;
      await until(() => recorded.length === times);
      for (let i = 0; i < 3; i++) await nextBeat();
    }
    expect(recorded).toEqual(nodes.slice(1));
  });

  it('keeps the old id alive until every socket is recorded under the new one', async () => {
    await start(10);
    fails = true;
    later(HOUR);
    await until(() => recorded.length > 3);
    await nextBeat();
    await until(async () => (await lastBeat(nodes[0])) === String(now));
    fails = false;
    const before = recorded.length;
    await until(() => recorded.length === before + 1);
    for (let i = 0; i < 3; i++) await nextBeat();
    expect(Number(await lastBeat(nodes[0]))).toBeLessThan(now);
  });

  it('records until it has succeeded', async () => {
    await start(10);
    fails = true;
    await leave(redis, ...nodes);
    await until(() => recorded.length > 5);
    fails = false;
    const before = recorded.length;
    await until(() => recorded.length === before + 1);
    for (let i = 0; i < 5; i++) await nextBeat();
    expect(recorded).toHaveLength(before + 1);
    expect(new Set(recorded)).toEqual(new Set([nodes[1]]));
  });

  it('silent again while it records, records under the latest id too', async () => {
    await start(10);
    during = async () => {
      during = async () => {};
      later(HOUR);
      await until(() => nodes.length === 3);
    };
    later(HOUR);
    await until(() => recorded.length === 2);
    for (let i = 0; i < 5; i++) await nextBeat();
    expect(recorded).toEqual([nodes[1], nodes[2]]);
  });

  it('that is old is renewed before a socket is recorded, one that is young is not', async () => {
    await start(HOUR);
    const first = await lastBeat();
    now += 2 * HOUR;
    await heartbeat.listed();
    expect(await lastBeat()).toBe(first);
    now += 1;
    const [one, two] = await Promise.all([heartbeat.listed(), heartbeat.listed()]);
    expect([one, two]).toEqual([nodes[1], nodes[1]]);
    expect(await lastBeat()).toBe(String(now));
  });
});
