import { expect, it } from 'vitest';
import { beginErasing, type Erasure, endErasing, eraseNewest, readErasure } from '../../server/store/erasing.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();

async function erase(stage: Stage, request: string, conversation: string): Promise<Erasure> {
  const scope = await stage.scope();
  await beginErasing(scope, 'x', { by: { kind: 'admin' }, request }, NOON);
  for (const place of [conversation, '']) {
    await eraseNewest(scope, { conversation: place, buyer: 'x' }, { fingerprint: 'print' }, NOON);
  }
  return (await readErasure(scope, 'x')) as Erasure;
}

async function traced(): Promise<[Stage, Erasure]> {
  const stage = await stageOf({ agents: { A: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  return [stage, await erase(stage, 'one', 'c-x')];
}

it('the record of an erasing is the last to go; twice is once', async () => {
  const [stage, erasure] = await traced();
  const end = async () => expect(await endErasing(await stage.scope(), 'x', erasure)).toBe(true);
  expect(await stage.effect(end)).toEqual({ erasing: null, 'erasure:x': null });
  await stage.unchanged(end);
});

it('stays where the buyer came back and is being erased once more', async () => {
  const [stage, first] = await traced();
  const scope = await stage.scope();
  await stage.open('x', { conversation: 'new' });
  await beginErasing(scope, 'x', { by: { kind: 'admin' }, request: 'two' }, NOON);
  expect(await stage.unchanged(() => endErasing(scope, 'x', first))).toBe(false);
  const second = await erase(stage, 'two', 'new');
  expect(second.conversations).toEqual(new Set(['c-x', 'new']));
  expect(await stage.unchanged(() => endErasing(scope, 'x', first))).toBe(false);
  expect(await endErasing(scope, 'x', second)).toBe(true);
});
