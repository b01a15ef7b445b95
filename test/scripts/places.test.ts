import { describe, expect, it } from 'vitest';
import { readPlaces, rememberPlaces } from '../../server/store/queue.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();

/** Two wait in the queue. */
async function waiting(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: { capacity: 1 } } });
  await stage.be('online', 'A');
  await stage.open('first');
  await stage.open('x');
  await stage.open('y');
  return stage;
}
const remember = async (stage: Stage, told: Record<string, string>) =>
  rememberPlaces(await stage.scope(), new Map(Object.entries(told)), NOON);

describe('what buyers were told of their places', () => {
  it('is kept with those who wait, and read with their places', async () => {
    const stage = await waiting();
    const effect = await stage.effect(async () => expect(await remember(stage, { 'c-y': '2:1000' })).toEqual([]));
    expect(effect).toEqual({ places: { 'c-y': '2:1000' } });
    expect(await readPlaces(await stage.scope(), 1, 10)).toEqual([
      { conversation: 'c-x', position: 1, told: undefined },
      { conversation: 'c-y', position: 2, told: '2:1000' },
    ]);
    expect(await readPlaces(await stage.scope(), 2, 2)).toMatchObject([{ conversation: 'c-y', position: 2 }]);
    expect(await readPlaces(await stage.scope(), 3, 9)).toEqual([]);
  });

  it('is not kept of who has left, and they are named', async () => {
    const stage = await waiting();
    const told = { 'c-x': '1:', 'c-first': '1:', 'c-nobody': '2:' };
    const effect = await stage.effect(async () => expect(await remember(stage, told)).toEqual(['c-first', 'c-nobody']));
    expect(effect).toEqual({ places: { 'c-x': '1:' } });
  });

  it('is forgotten when they leave', async () => {
    const stage = await waiting();
    await remember(stage, { 'c-x': '1:', 'c-y': '2:' });
    await stage.be('offline', 'A');
    await stage.again('queue', 'x');
    expect(await stage.effect(() => stage.again('queue', 'y'))).toMatchObject({ queue: null, places: null });
  });

  it('of nobody costs nothing', async () => {
    const stage = await waiting();
    expect(await stage.unchanged(() => remember(stage, {}))).toEqual([]);
  });
});
