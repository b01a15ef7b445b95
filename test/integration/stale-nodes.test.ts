/** What one node has just acknowledged holds on every other, though that read the shop's configuration before. */
import { afterAll, beforeEach, expect, inject, it } from 'vitest';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { open } from '../../server/services/dispatch.ts';
import { transferConversation } from '../../server/services/moves.ts';
import { deleteAgent, deleteGroup, patchSettings, putAgent, putGroup } from '../../server/services/shops.ts';
import { createTestHouse } from '../support/house.ts';
import { groupPutOf, newShopId, openShop, removeShop } from '../support/shop.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const [one, other] = [createTestHouse(inject('redisUrl')), createTestHouse(inject('redisUrl'))];
const [here, there] = [one.house, other.house];
afterAll(async () => {
  await Promise.all([one.close(), other.close()]);
});

let shop = '';
beforeEach(async () => {
  shop = newShopId('stale');
  await openShop(here, shop, { agents: { anna: {} } }, NOW);
  await there.configs.get(shop);
  return async () => {
    await Promise.all([here.settled(), there.settled()]);
    await removeShop(here.redis, shop);
  };
});

const ben = { name: 'Ben', role: 'agent', kind: 'human' } as const;
const robo = { name: 'Robo', role: 'agent', kind: 'robot' } as const;

it('an agent made on one node becomes a member of a group on another', async () => {
  await putAgent(here, shop, 'ben', ben, NOW);
  await putGroup(there, shop, 'tea', groupPutOf('tea', { members: { ben: 1 } }), NOW);
  expect((await here.configs.fresh(shop)).config.groups.get('tea')?.members).toEqual([{ agent: 'ben', level: 1 }]);
});

it('a robot made on one node answers first by a setting of another', async () => {
  await putAgent(here, shop, 'robo', robo, NOW);
  const settings = await patchSettings(there, shop, { robotFirst: { enabled: true, robot: 'robo' } }, NOW);
  expect(settings.robotFirst).toEqual({ enabled: true, robot: 'robo' });
});

it('what was made on one node is removed on another', async () => {
  await putAgent(here, shop, 'ben', ben, NOW);
  await putGroup(here, shop, 'tea', groupPutOf('tea', { members: { ben: 1 } }), NOW);
  await deleteGroup(there, shop, 'tea', NOW);
  await deleteAgent(there, shop, 'ben', NOW);
  const { agents, groups } = (await here.configs.fresh(shop)).config;
  expect([[...agents.keys()], [...groups.keys()]]).toEqual([['anna'], []]);
});

it('a conversation is transferred on one node to an agent made on another', async () => {
  await connectAgent(here, shop, 'anna', 'socket', 'node', NOW);
  await choosePresence(here, shop, 'anna', 'online', 'chose', NOW);
  const { conversation } = await open(here, shop, 'xia', {}, NOW);
  await putAgent(here, shop, 'ben', ben, NOW);
  await connectAgent(here, shop, 'ben', 'socket', 'node', NOW);
  await choosePresence(here, shop, 'ben', 'online', 'chose', NOW);
  const anna = { kind: 'agent', shop, id: 'anna', role: 'agent' } as const;
  const moved = await transferConversation(there, anna, conversation.id, { agent: 'ben' }, NOW);
  expect(moved.agent).toBe('ben');
});

it('what is wrong however fresh the configuration is refused', async () => {
  await expect(deleteAgent(there, shop, 'nobody', NOW)).rejects.toMatchObject({ code: 'not-found' });
  const group = groupPutOf('tea', { members: { nobody: 1 } });
  await expect(putGroup(there, shop, 'tea', group, NOW)).rejects.toMatchObject({ code: 'invalid' });
});
