// Repeats by who no longer holds, what erasing tells, and what a shop's configuration refuses.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { AgentClient } from '../../client-sdk/index.ts';
import { handOver } from '../../server/services/moves.ts';
import { registerShop } from '../../server/store/configure.ts';
import { eachShop } from '../../workers/each-shop.ts';
import { serveLines } from '../../workers/lines.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';

let ours: Dispatcher;
let anna: AgentClient;
let ben: AgentClient;
let robo: AgentClient;

beforeAll(async () => {
  ours = await createDispatcher(inject('redisUrl'));
  await ours.agent('anna', { name: 'Anna' });
  await ours.agent('ben', { name: 'Ben' });
  await ours.agent('robo', { name: 'Robo', kind: 'robot' });
  anna = await ours.connectAgent('anna');
  ben = await ours.connectAgent('ben');
  robo = await ours.connectAgent('robo');
  await anna.setPresence('online');
});
afterAll(() => ours.close());

const code = (is: string) => expect.objectContaining({ code: is });
const actor = (kind: 'agent' | 'robot', id: string) => ({ kind, shop: ours.shop, id, role: 'agent' }) as const;

describe('the same request again, by who has given the conversation away', () => {
  it('transfer: the conversation as it is now, and only for the sender', async () => {
    await ben.setPresence('hung-up');
    const { conversation } = await (await ours.connectBuyer('xia')).open();
    const command = { conversation: conversation.id, to: { agent: 'ben' }, requestId: 'once' } as const;
    await anna.command('conversation:transfer', command);
    const again = await anna.command('conversation:transfer', command);
    expect(again.conversation).toMatchObject({ id: conversation.id, agent: 'ben' });
    const other = anna.command('conversation:transfer', { ...command, requestId: 'twice' });
    await expect(other).rejects.toEqual(code('not-found'));
    const astray = { ...command, to: { agent: 'nobody' }, requestId: 'thrice' };
    await expect(anna.command('conversation:transfer', astray)).rejects.toThrow('There is no such conversation');
    await ben.command('conversation:close', { conversation: conversation.id });
    expect((await anna.command('conversation:transfer', command)).conversation.state).toBe('closed');
    await expect(other).rejects.toEqual(code('not-found'));
  });

  it('message: the message as it was stored, and only for the sender', async () => {
    await ben.setPresence('hung-up');
    const { conversation } = await (await ours.connectBuyer('zu')).open();
    const said = await anna.send(conversation.id, 'hello', { clientId: 'once' });
    await anna.transfer(conversation.id, { agent: 'ben' });
    expect(await anna.send(conversation.id, 'hello', { clientId: 'once' })).toEqual(said);
    await expect(anna.send(conversation.id, 'hello', { clientId: 'twice' })).rejects.toEqual(code('not-found'));
    await ben.close(conversation.id);
    expect(await anna.send(conversation.id, 'hello', { clientId: 'once' })).toEqual(said);
    await expect(anna.send(conversation.id, 'hello', { clientId: 'thrice' })).rejects.toEqual(code('not-found'));
  });

  it('handover: the same assignment, and only for the sender', async () => {
    await robo.setPresence('online');
    await ours.call('PATCH', 'settings', { robotFirst: { enabled: true, robot: 'robo' } });
    const { conversation } = await (await ours.connectBuyer('yu')).open();
    expect(conversation.agent).toBe('robo');
    const command = { conversation: conversation.id, requestId: 'over' };
    const first = await robo.command('conversation:handover', command);
    expect(first.conversation.agent).toBe('anna');
    expect(await robo.command('conversation:handover', command)).toEqual(first);
    const others = [
      handOver(ours.application.house, actor('agent', 'ben'), conversation.id, Date.now(), { requestId: 'over' }),
      robo.command('conversation:handover', { conversation: conversation.id }),
    ];
    for (const other of others) await expect(other).rejects.toEqual(code('not-found'));
    await ours.call('PATCH', 'settings', { robotFirst: { enabled: false } });
  });
});

it('erasing a buyer: the holder and the buyer are told', async () => {
  const buyer = await ours.connectBuyer('zhao');
  const { conversation } = await buyer.open();
  const told = Promise.all([ours.next(anna, 'conversation:released'), ours.next(buyer, 'chat:changed')]);
  await ours.call('DELETE', 'buyers/zhao');
  const closed = { id: conversation.id, state: 'closed' };
  expect(await told).toMatchObject([{ conversation: closed, cause: 'erased' }, { conversation: closed }]);
});

it('taking from the pool while offline says so', async () => {
  await anna.setPresence('offline');
  await ben.setPresence('offline');
  await robo.setPresence('offline');
  const { conversation } = await (await ours.connectBuyer('wu')).open();
  expect(conversation.state).toBe('pooled');
  const taking = ben.command('pool:claim', { conversation: conversation.id });
  await expect(taking).rejects.toThrow('You are offline');
});

it('a shop keeps its owner, its robots stay agents, its members people; grace has an end', async () => {
  await ours.group('sales', { name: 'Sales', members: [{ agent: 'anna', level: 1 }] });
  await expect(ours.agent('owner', { name: 'Owner' })).rejects.toThrow('conflict');
  await ours.agent('owner', { name: 'Still the owner', role: 'owner' });
  const put = ours.agent('robo', { name: 'Robo', kind: 'robot', role: 'supervisor' });
  await expect(put).rejects.toThrow(/invalid.*"path":"role"/);
  await expect(ours.agent('anna', { name: 'Anna', kind: 'robot' })).rejects.toThrow('conflict');
  await expect(ours.call('PATCH', 'settings', { presenceGraceMs: 86_400_001 })).rejects.toThrow('24 hours');
});

it('a shop that is listed but not there yet is passed over by the sweep', async () => {
  const { house } = ours.application;
  const logged: object[] = [];
  await registerShop(house.redis, `${ours.shop}-to-be`);
  const log = { ...house.log, error: (facts: object) => logged.push(facts) };
  const quiet = { ...house, log };
  await eachShop(quiet, (shop) => serveLines(quiet, shop, Date.now())).catch(() => undefined);
  expect(logged.filter((facts) => 'shop' in facts && facts.shop === `${ours.shop}-to-be`)).toEqual([]);
});
