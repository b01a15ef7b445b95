import { expect, it } from 'vitest';
import { readRevocations, revoke } from '../../server/store/revocations.ts';
import { NOON, useStages } from '../support/stage.ts';

const stageOf = useStages();

it('what a buyer was given up to now is refused, is remembered for so long, and the shop shows it', async () => {
  const stage = await stageOf({ agents: {} });
  const effect = await stage.effect(() => revoke(stage.redis, stage.shop, 'mark', 60_000, NOON));
  expect(effect).toEqual({ 'revoked:mark': { upTo: String(NOON) }, live: { revocations: '1' } });
  const { keys } = await stage.scope();
  const left = await stage.redis.pttl(`${keys.base}revoked:mark`);
  expect(left > 0 && left <= 60_000).toBe(true);
  expect(await readRevocations(stage.redis, stage.shop, ['mark', 'another'])).toEqual([NOON, undefined]);
});

it('the latest time counts; the same again, or an earlier one, changes nothing', async () => {
  const stage = await stageOf({ agents: {} });
  await revoke(stage.redis, stage.shop, 'mark', 60_000, NOON);
  await stage.unchanged(() => revoke(stage.redis, stage.shop, 'mark', 90_000, NOON));
  await stage.unchanged(() => revoke(stage.redis, stage.shop, 'mark', 90_000, NOON - 1));
  await revoke(stage.redis, stage.shop, 'mark', 60_000, NOON + 1);
  expect(await readRevocations(stage.redis, stage.shop, ['mark'])).toEqual([NOON + 1]);
});
