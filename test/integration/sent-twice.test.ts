// ioredis sends again what was in flight when the connection broke, whether or not it was done. Every command is made twice here:
// each is carried out once and answers as if it had been sent once.
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { putBuyer, recordConversion } from '../../server/services/buyers.ts';
import { createHouse } from '../../server/services/create-house.ts';
import { open } from '../../server/services/dispatch.ts';
import { eraseBuyer } from '../../server/services/erasing.ts';
import type { House } from '../../server/services/house.ts';
import { closeConversation, transferConversation } from '../../server/services/moves.ts';
import { logIn } from '../../server/services/sessions.ts';
import {
  createShop,
  deleteAgent,
  deleteGroup,
  patchSettings,
  putAgent,
  putGroup,
} from '../../server/services/shops.ts';
import { rate, say } from '../../server/services/talk.ts';
import { rotateWebhookSecret } from '../../server/services/webhooks.ts';
import { readSecret } from '../../server/store/configure.ts';
import { connect } from '../../server/store/connect.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import type { Connection } from '../../server/store/script.ts';
import { problemsIn } from '../support/consistent.ts';
import { silentTell, testLog } from '../support/house.ts';
import { groupPutOf, newShopId, removeShop } from '../support/shop.ts';

const NOON = Date.parse('2026-03-02T12:00:00+08:00');
const shop = newShopId('twice');
let redis: Connection;
let house: House;

/** Carries out every script twice, and answers what came of the second. */
function twice(connection: Connection): Connection {
  return new Proxy(connection, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'evalsha' && name !== 'eval') return value.bind(target);
      return async (...args: unknown[]) => {
        await value.apply(target, args);
        return value.apply(target, args);
      };
    },
  });
}

beforeAll(() => {
  redis = connect({ url: inject('redisUrl') }, (error) => console.error('redis', error.message));
  house = createHouse({ redis: twice(redis), tell: silentTell, log: testLog });
});
afterAll(async () => {
  await house.settled();
  await removeShop(redis, shop);
  redis.disconnect();
});

const streamOf = async (key: 'events' | 'audit', field: string) =>
  (await redis.xrange(keysOfShop(shop)[key], '-', '+')).map(([, fields]) => fields[fields.indexOf(field) + 1]);

test('every command', async () => {
  const made = await createShop(house, shop, 'A shop', NOON);
  const keys = { secret: 'a secret', adminKey: 'a key' };
  const who = { shop, agent: made.owner.id, password: made.owner.password };
  expect((await logIn(house, keys, who, NOON)).agent.role).toBe('owner');

  const person = { name: 'Somebody', role: 'agent', kind: 'human' } as const;
  for (const id of ['anna', 'ben']) await putAgent(house, shop, id, person, NOON);
  const webhook = { url: 'https://robots.invalid/' };
  const robot = { name: 'Robo', role: 'agent', kind: 'robot', webhook } as const;
  const { webhookSecret } = await putAgent(house, shop, 'robo', robot, NOON);
  expect(await readSecret(redis, shop, 'webhook:robo')).toBe(webhookSecret);
  const rotated = await rotateWebhookSecret(house, shop, 'robo', NOON);
  expect(await readSecret(redis, shop, 'webhook:robo')).toBe(rotated);
  await putGroup(house, shop, 'g', groupPutOf('g', { members: { anna: 1 } }), NOON);
  await deleteGroup(house, shop, 'g', NOON);
  await patchSettings(house, shop, { busyThreshold: 7 }, NOON);
  await deleteAgent(house, shop, 'robo', NOON);

  await putBuyer(house, shop, 'bob', { crowds: ['vip'] }, NOON);
  await connectAgent(house, shop, 'anna', 'desk', 'node', NOON);
  await choosePresence(house, shop, 'anna', 'online', 'supervisor', NOON, { kind: 'api-key' });
  const bob = { kind: 'buyer', shop, id: 'bob' } as const;
  const { conversation } = await open(house, shop, 'bob', {}, NOON);
  await say(house, bob, { conversation: conversation.id, clientId: 'c', body: { type: 'text', text: 'Hi' } }, NOON);
  await connectAgent(house, shop, 'ben', 'desk', 'node', NOON);
  await choosePresence(house, shop, 'ben', 'online', 'chose', NOON);
  const owner = { kind: 'agent', shop, id: 'owner', role: 'owner' } as const;
  await transferConversation(house, owner, conversation.id, { agent: 'ben' }, NOON);
  expect(await recordConversion(house, shop, 'bob', 'order', NOON)).toEqual({ counted: true, agent: 'ben' });
  await rate(house, bob, conversation.id, { score: 5 }, NOON);
  await closeConversation(house, owner, conversation.id, NOON);
  await house.settled();

  const versions = (await streamOf('events', 'type')).filter((type) => type === 'configured');
  expect(versions).toHaveLength(Number(await redis.hget(keysOfShop(shop).live, 'version')));
  const once = ['assigned', 'message', 'transferred', 'converted', 'rated', 'closed', 'profile'];
  const types = (await streamOf('events', 'type')).filter((type) => once.includes(type ?? ''));
  expect(types.sort()).toEqual([...once].sort());
  expect(await streamOf('audit', 'action')).toEqual([
    'shop:created',
    'agent:created',
    'agent:created',
    'agent:created',
    'secret:replaced',
    'group:created',
    'group:removed',
    'settings:changed',
    'agent:removed',
    'buyer:changed',
    'presence:set',
    'conversation:transferred',
    'conversation:closed',
  ]);
  expect(await problemsIn(redis, shop)).toEqual([]);

  await eraseBuyer(house, shop, 'bob', NOON);
  expect((await streamOf('audit', 'action')).filter((action) => action?.startsWith('buyer'))).toEqual(['buyer:erased']);
  await expect(createShop(house, shop, 'Again', NOON)).rejects.toMatchObject({ code: 'conflict' });
});
