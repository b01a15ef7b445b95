/**
 * Two sweeps go for the same head of a line, and the second reads the conversation only after the first has moved it: it
 * knows the new assignment and the new holder, and must leave both as they are.
 */
import { expect, it } from 'vitest';
import { NOON, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();

it('from the pool: a conversation that has been given out stays with whom it was given to', async () => {
  const stage = await stageOf({ agents: { A: {}, B: {} } });
  await stage.open('x');
  await stage.say('buyer', 'x');
  await stage.be('online', 'A', 'B');
  expect((await stage.again('pool', 'x', { limit: 1 })).kind).toBe('assigned');
  // Its agent is at the limit now, the other is not.
  expect(await stage.unchanged(() => stage.again('pool', 'x', { limit: 1 }))).toEqual({ kind: 'moved' });
});

it('from the night: a conversation that has been handed over stays with whom it was handed to', async () => {
  const stage = await stageOf({
    settings: { nightShift: { enabled: true, proxy: 'P', from: '00:00', until: '08:00' } },
    agents: { P: {}, A: {}, B: {} },
  });
  await stage.open('x', { now: NOON - 12 * HOUR });
  await stage.say('buyer', 'x', NOON - 12 * HOUR);
  await stage.be('online', 'A', 'B');
  expect((await stage.again('morning', 'x', { limit: 1 })).kind).toBe('assigned');
  expect(await stage.unchanged(() => stage.again('morning', 'x', { limit: 1 }))).toEqual({ kind: 'moved' });
});

it('from the queue: a conversation that was let in stays with its agent', async () => {
  const stage = await stageOf({ agents: { A: { capacity: 1 }, B: {} } });
  await stage.be('online', 'A');
  await stage.open('first');
  await stage.open('x');
  await stage.be('online', 'B');
  expect((await stage.again('queue', 'x')).kind).toBe('assigned');
  expect(await stage.unchanged(() => stage.again('queue', 'x'))).toEqual({ kind: 'moved' });
});

it('from a holder who left: a conversation that was dispatched again is not dispatched once more', async () => {
  const stage = await stageOf({ agents: { A: {}, B: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  await stage.say('buyer', 'x');
  await stage.be('offline', 'A');
  await stage.be('online', 'B');
  expect((await stage.again('again', 'x')).kind).toBe('assigned');
  expect(await stage.unchanged(() => stage.again('again', 'x'))).toEqual({ kind: 'moved' });
});
