/** Who reads the shop's event stream: made and removed as the configuration has it, and keeping its place. */
import { expect, it } from 'vitest';
import { finishEvents, followEvents, takeEvents } from '../../server/store/outbox.ts';
import { type Stage, useStages } from '../support/stage.ts';

const setStage = useStages();

const groups = async ({ redis, shop }: Stage) =>
  ((await redis.xinfo('GROUPS', `fenliu:{${shop}}:events`)) as unknown[][]).map(([, name]) => name);
const take = ({ redis, shop }: Stage, staleMs = 1_000_000, count = 100) => takeEvents(redis, shop, { count, staleMs });
const types = async (stage: Stage, staleMs?: number) => (await take(stage, staleMs))?.map(({ type }) => type);

it('follows from now on, and keeps its place when told again', async () => {
  const stage = await setStage({ agents: { anna: {} } });
  expect(await take(stage)).toBeUndefined();
  await followEvents(await stage.scope(), true);
  expect(await groups(stage)).toEqual(['webhooks']);
  await stage.be('online', 'anna');
  await followEvents(await stage.scope(), true);
  expect(await types(stage)).toEqual(['presence']);
});

it('gives each event to one reader, and again only what was left unfinished', async () => {
  const stage = await setStage({ agents: { anna: {} } });
  await followEvents(await stage.scope(), true);
  await stage.be('online', 'anna');
  await stage.open('bob');
  const [presence] = (await take(stage, 0, 1)) ?? [];
  expect(presence).toMatchObject({ type: 'presence' });
  expect(presence?.field('agent')).toBe('anna');
  expect(presence?.field('nothing')).toBe('');
  expect(await types(stage)).toEqual(['assigned']);
  expect(await types(stage)).toEqual([]);
  if (presence) await finishEvents(stage.redis, stage.shop, [presence]);
  await finishEvents(stage.redis, stage.shop, []);
  expect(await types(stage, 0)).toEqual(['assigned']);
});

it('follows no more, and touches no other key', async () => {
  const stage = await setStage({ agents: { anna: {} } });
  await stage.unchanged(async () => followEvents(await stage.scope(), false));
  await stage.unchanged(async () => followEvents(await stage.scope(), true));
  await followEvents(await stage.scope(), false);
  expect(await groups(stage)).toEqual([]);
  expect(await take(stage)).toBeUndefined();
});

it('is refused with another version of the configuration', async () => {
  const stage = await setStage({ agents: {} });
  await stage.refusesStale((stale) => followEvents(stale, true));
  expect(await groups(stage)).toEqual([]);
});
