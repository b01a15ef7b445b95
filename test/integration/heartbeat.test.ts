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
let node: string;
let now: number;
let recorded: number;
let fails: boolean;
let heartbeat: Heartbeat;

beforeAll(() => {
  redis = connect({ url: inject('redisUrl') }, () => undefined);
});
beforeEach(() => {
  node = `node-${randomUUID()}`;
  now = Date.now();
  recorded = 0;
  fails = false;
});
afterEach(async () => {
  await heartbeat.stop(true);
});
afterAll(() => redis.disconnect());

const later = (ms: number) => {
  now += ms;
};
const lastBeat = () => redis.zscore(nodesKey, node);

async function start(beatMs: number): Promise<void> {
  heartbeat = createHeartbeat({ redis, log: quiet, clock: () => now, node, beatMs });
  await heartbeat.start(async () => {
    recorded++;
    if (fails) throw new Error('Redis is away');
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
    expect(recorded).toBe(0);
  });

  it.each([
    ['it was late', () => later(HOUR)],
    ['it was taken off the list', () => leave(redis, node)],
  ])('when %s it records every socket again, twice', async (_, happens) => {
    await start(10);
    await happens();
    await until(() => recorded === 2);
    for (let i = 0; i < 5; i++) await nextBeat();
    expect(recorded).toBe(2);
  });

  it('records until it has succeeded', async () => {
    await start(10);
    fails = true;
    await leave(redis, node);
    await until(() => recorded > 5);
    fails = false;
    const before = recorded;
    await until(() => recorded === before + 2);
    for (let i = 0; i < 5; i++) await nextBeat();
    expect(recorded).toBe(before + 2);
  });

  it('that is old is renewed before a socket is recorded, one that is young is not', async () => {
    await start(HOUR);
    const first = await lastBeat();
    now += 2 * HOUR;
    await heartbeat.listed();
    expect(await lastBeat()).toBe(first);
    now += 1;
    await Promise.all([heartbeat.listed(), heartbeat.listed()]);
    expect(await lastBeat()).toBe(String(now));
  });
});
