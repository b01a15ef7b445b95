import { expect, it } from 'vitest';
import { beginSession, endSessions, readSessions } from '../../server/store/sessions.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();

async function begin(stage: Stage, session: string, agent: string): Promise<void> {
  const times = { expiresAt: NOON + 1_000, endsAt: NOON + 1_000 };
  await beginSession(stage.redis, { shop: stage.shop, session, agent, ...times }, NOON);
}
const standing = async (stage: Stage, names: Record<string, string>) => {
  const all = Object.entries(names).map(([session, agent]) => ({ session, agent }));
  return [...(await readSessions(stage.redis, stage.shop, all)).keys()];
};

it('all sessions of an agent end, of others none, and those that begin afterwards stand', async () => {
  const stage = await stageOf({ agents: { A: {}, B: {} } });
  for (const session of ['s', 't']) await begin(stage, session, 'A');
  await begin(stage, 'u', 'B');
  const effect = await stage.effect(async () =>
    expect(await endSessions(stage.redis, stage.shop, 'A', 'second')).toBe(true),
  );
  expect(effect).toEqual({ secrets: { 'epoch:A': 'second' }, live: { revocations: '1' } });
  await begin(stage, 'v', 'A');
  expect(await standing(stage, { s: 'A', t: 'A', u: 'B', v: 'A' })).toEqual(['u', 'v']);
});

it('sent again it changes nothing, and of nobody none end', async () => {
  const stage = await stageOf({ agents: { A: {} } });
  await endSessions(stage.redis, stage.shop, 'A', 'second');
  await begin(stage, 's', 'A');
  expect(await stage.unchanged(() => endSessions(stage.redis, stage.shop, 'A', 'second'))).toBe(true);
  expect(await standing(stage, { s: 'A' })).toEqual(['s']);
  expect(await stage.unchanged(() => endSessions(stage.redis, stage.shop, 'B', 'third'))).toBe(false);
});
