/** Presence over real sockets: several devices, connections that flap, and one that is lost for good. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { AgentClient } from '../../client-sdk/index.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { until } from '../support/until.ts';

const GRACE_MS = 60_000;

let ours: Dispatcher;
beforeAll(async () => {
  ours = await createDispatcher(inject('redisUrl'));
  await ours.agent('anna', { name: 'Anna' });
  await ours.call('PATCH', 'settings', { presenceGraceMs: GRACE_MS });
});
afterAll(() => ours.close());

const logOf = async (agent: string) => {
  const { entries } = await ours.get(`agents/${agent}/presence-log`);
  return entries.map(({ presence, cause }: { presence: string; cause: string }) => `${presence} ${cause}`);
};
const anna = async () => (await ours.get('live')).agents.find(({ id }: { id: string }) => id === 'anna');
/** The store knows of so many sockets of hers. */
const socketsAre = (count: number) =>
  until(async () => {
    const { scope } = await ours.application.house.configs.get(ours.shop);
    return Number((await ours.application.house.redis.hget(scope.keys.live, 'anna:sockets')) ?? 0) === count;
  });

it('a second device changes nothing by coming and going, nor does a connection that flaps within the grace', async () => {
  const desk = await ours.connectAgent('anna');
  await desk.setPresence('online');
  const heard: unknown[] = [];
  desk.on('presence:changed', (change) => heard.push(change));

  for (let n = 0; n < 3; n++) {
    const phone = await ours.connectAgent('anna');
    await socketsAre(2);
    phone.disconnect();
    await socketsAre(1);
  }
  let last: AgentClient = desk;
  for (let n = 0; n < 5; n++) {
    last.disconnect();
    await socketsAre(0);
    expect(await anna()).toMatchObject({ presence: 'online', connected: false });
    ours.advance(GRACE_MS / 10);
    last = await ours.connectAgent('anna');
    await socketsAre(1);
  }
  expect(await logOf('anna')).toEqual(['online chose']);
  expect(heard).toEqual([]);
  const buyer = await ours.connectBuyer('bob');
  expect((await buyer.open()).assignment).toMatchObject({ outcome: 'agent', agent: 'anna' });

  // For good: at the end of the grace, whenever somebody looks.
  last.disconnect();
  await socketsAre(0);
  ours.advance(GRACE_MS + 1);
  expect(await anna()).toMatchObject({ presence: 'offline', onDuty: false });
  expect((await buyer.open()).assignment).toMatchObject({ outcome: 'pool' });
  expect(await logOf('anna')).toEqual(['offline lost-connection', 'online chose']);
  const back = await ours.connectAgent('anna');
  await until(async () => (await anna()).presence === 'online');
  expect(await logOf('anna')).toEqual(['online connected', 'offline lost-connection', 'online chose']);
  // Whoever chooses for her stands in the log.
  await ours.call('PUT', 'agents/anna/presence', { presence: 'hung-up' });
  const { entries } = await ours.get('agents/anna/presence-log?limit=1');
  expect(entries).toMatchObject([{ presence: 'hung-up', cause: 'supervisor', by: 'api-key' }]);
  back.disconnect();
});

it('an agent sees their own log, and nobody else’s', async () => {
  await ours.agent('ben', { name: 'Ben' });
  const token = await ours.agentToken('ben');
  await expect(ours.call('GET', 'agents/ben/presence-log', undefined, token)).resolves.toEqual({ entries: [] });
  await expect(ours.call('GET', 'agents/anna/presence-log', undefined, token)).rejects.toThrow('forbidden');
  await expect(ours.get('agents/anna/presence-log?cursor=x')).rejects.toThrow('is no cursor of this list');
  await expect(ours.get('agents/anna/presence-log?from=yesterday')).rejects.toThrow('invalid');
});
