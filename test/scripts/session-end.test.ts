import { expect, it } from 'vitest';
import { beginSession, endSession, readSessions, standingMark } from '../../server/store/sessions.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();

async function begin(stage: Stage, session: string, agent: string): Promise<void> {
  const times = { expiresAt: NOON + 1_000, endsAt: NOON + 1_000 };
  await beginSession(stage.redis, { shop: stage.shop, session, agent, ...times }, NOON);
}

it('a session ends, alone, and the shop shows that one has', async () => {
  const stage = await stageOf({ agents: { A: {} } });
  for (const session of ['s', 't']) await begin(stage, session, 'A');
  const before = await standingMark(stage.redis, stage.shop);
  const of = { session: 's', agent: 'A' };
  const effect = await stage.effect(async () => expect(await endSession(stage.redis, stage.shop, of)).toBe(true));
  expect(effect).toEqual({ 'session:s': null, live: { revocations: '1' } });
  expect(await standingMark(stage.redis, stage.shop)).not.toBe(before);
  const names = ['s', 't'].map((session) => ({ session, agent: 'A' }));
  expect([...(await readSessions(stage.redis, stage.shop, names)).keys()]).toEqual(['t']);
  expect(await stage.unchanged(() => endSession(stage.redis, stage.shop, of))).toBe(false);
});

it('a session of somebody else is left alone', async () => {
  const stage = await stageOf({ agents: { A: {}, B: {} } });
  await begin(stage, 's', 'A');
  expect(await stage.unchanged(() => endSession(stage.redis, stage.shop, { session: 's', agent: 'B' }))).toBe(false);
});
