import { describe, expect, it } from 'vitest';
import { beginErasing, beingErased, eraseNewest } from '../../server/store/erasing.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();
const begin = async (stage: Stage, request: string, buyer = 'x', now = NOON) =>
  beginErasing(await stage.scope(), buyer, { by: { kind: 'owner', id: 'O' }, request }, now);
const erase = async (stage: Stage, conversation: string) =>
  eraseNewest(await stage.scope(), { conversation, buyer: 'x' }, { fingerprint: 'print' }, NOON);

/** x has talked with A. */
async function met(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {} } });
  await stage.be('online', 'A');
  await stage.open('x');
  return stage;
}

describe('that a buyer is being erased', () => {
  it('is recorded, with who asked for it, before anything is taken away', async () => {
    const stage = await met();
    const effect = await stage.effect(async () => expect(await begin(stage, 'one')).toBe(true));
    expect(effect).toEqual({
      erasing: [['x', NOON]],
      'erasure:x': { state: 'talk', by: 'owner:O', request: 'one' },
    });
    expect(await beingErased(await stage.scope(), NOON - 1, 10)).toEqual([]);
    expect(await beingErased(await stage.scope(), NOON, 10)).toEqual(['x']);
  });

  it('is not recorded of somebody who is not there', async () => {
    const stage = await met();
    expect(await stage.unchanged(() => begin(stage, 'one', 'nobody'))).toBe(false);
  });

  it('sent again is recorded once, and begins nothing anew', async () => {
    const stage = await met();
    await begin(stage, 'one');
    expect(await stage.unchanged(() => begin(stage, 'one', 'x', NOON + 1))).toBe(true);
    for (const conversation of ['c-x', '']) await erase(stage, conversation);
    expect(await stage.unchanged(() => begin(stage, 'one'))).toBe(true);
    // Another request while only traces are left: there is nobody to erase, and it goes on.
    expect(await stage.unchanged(() => begin(stage, 'two'))).toBe(true);
  });

  it('sent again does not erase who has come back, also when no record is left', async () => {
    const stage = await met();
    await begin(stage, 'one');
    for (const conversation of ['c-x', '']) await erase(stage, conversation);
    await stage.open('x', { conversation: 'new' });
    expect(await stage.unchanged(() => begin(stage, 'one'))).toBe(true);
    const { keys } = await stage.scope();
    await stage.redis.del(`${keys.base}erasure:x`, keys.erasing);
    expect(await stage.unchanged(() => begin(stage, 'one'))).toBe(true);
    expect(await begin(stage, 'two')).toBe(true);
    expect(await stage.members('erasing')).toEqual(['x']);
  });

  it('asked for again keeps its turn', async () => {
    const stage = await met();
    await begin(stage, 'one');
    await begin(stage, 'two', 'x', NOON + 1);
    expect(await stage.scores('erasing')).toEqual({ x: NOON });
  });
});
