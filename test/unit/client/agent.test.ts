/** An agent's list of conversations converges on what the server has. */

import { describe, expect, test } from 'vitest';
import type { HeldConversation } from '../../../client-sdk/contract/index.ts';
import { digestsOf, heldFact } from '../../../client-sdk/contract/sync.ts';
import type { ClientOptions } from '../../../client-sdk/index.ts';
import { agent, assignment, conversation, serve, storing, told, until, upTo } from '../../support/made-up-server.ts';

describe('an agent', () => {
  async function atDesk(conversations: () => HeldConversation[], options: Partial<ClientOptions> = {}) {
    const server = await serve();
    const messages = storing(server);
    server.handle('conversation:list', () => ({ ok: true, data: { conversations: conversations() } }));
    server.handle('state:sync', ({ held }) => {
      // Who knows anything else is told all, as one part or as each that there is.
      const marks = conversations().map(({ id, ...rest }) => ({ ...rest, conversation: id, seen: 0 }));
      const facts = new Map(marks.map((mark) => [mark.conversation, heldFact(mark)]));
      const of = Math.max(1, (held as number[]).length);
      const same = String(digestsOf(facts, of)) === String(held) || (marks.length === 0 && String(held) === '');
      return { ok: true, data: same ? {} : { held: { parts: upTo(of - 1, 0), conversations: marks } } };
    });
    const client = agent(server, options);
    const seqs = told(client);
    const snapshots: string[][] = [];
    client.on('conversations', (data) => snapshots.push(data.conversations.map(({ id }) => id)));
    await client.connect();
    return { server, ...messages, client, seqs, snapshots };
  }
  const holding = (id: string, lastSeq: number): HeldConversation => ({
    ...conversation(id, lastSeq),
    pending: false,
  });
  const assigned = (id: string, lastSeq: number) => ({
    conversation: conversation(id, lastSeq),
    assignment: assignment(id, 1),
    cause: 'open',
  });

  test('hears all it holds after each connection, and the messages that came meanwhile', async () => {
    let held = [holding('c', 0)];
    const { server, store, client, seqs, snapshots } = await atDesk(() => held);
    await until(() => expect(snapshots).toEqual([['c']]));
    server.refuse(() => ({ code: 'unavailable' }));
    server.kill();
    await until(() => expect(client.connected).toBe(false));
    for (const text of ['1', '2', '3']) store('c', text);
    held = [holding('c', 3), holding('d', 5)];
    server.refuse(() => undefined);
    await until(() => expect(snapshots).toEqual([['c'], ['c', 'd']]));
    await until(() => expect(seqs).toEqual([1, 2, 3]));
  });

  test('what is assigned begins after its last seq, also when a message comes ahead of it', async () => {
    const { server, store, seqs, snapshots } = await atDesk(() => []);
    await until(() => expect(snapshots).toEqual([[]]));
    for (let i = 1; i <= 7; i += 1) store('c', `${i}`);
    server.agents.emit('conversation:assigned', assigned('c', 7));
    store('c', '8');
    server.agents.emit('message:created', { message: store('c', '9') });
    await until(() => expect(seqs).toEqual([8, 9]));

    for (let i = 1; i <= 3; i += 1) store('d', `${i}`);
    const early = store('d', '4');
    server.agents.emit('message:created', { message: early });
    server.agents.emit('conversation:assigned', assigned('d', 3));
    server.agents.emit('message:created', { message: early });
    server.agents.emit('message:created', { message: store('d', '5') });
    await until(() => expect(seqs).toEqual([8, 9, 4, 5]));
  });

  test('an assignment that was missed is found, by a message or by asking now and then', async () => {
    let held: HeldConversation[] = [];
    const byMessage = await atDesk(() => held);
    await until(() => expect(byMessage.snapshots).toEqual([[]]));
    held = [holding('c', 1)];
    byMessage.server.agents.emit('message:created', { message: byMessage.store('c', 'one') });
    await until(() => expect(byMessage.snapshots).toEqual([[], ['c']]));
    expect(byMessage.seqs).toEqual([1]);

    const byAsking = await atDesk(() => held, { checkEveryMs: 10 });
    await until(() => expect(byAsking.snapshots).toEqual([['c']]));
    held = [];
    await until(() => expect(byAsking.snapshots).toEqual([['c'], []]));
  });

  test('a list overtaken by events says what they say', async () => {
    const { server, client, snapshots } = await atDesk(() => [holding('c', 0), holding('d', 0)]);
    await until(() => expect(snapshots).toEqual([['c', 'd']]));
    server.handle('conversation:list', (_data, socket) => {
      socket.emit('conversation:assigned', assigned('e', 0));
      socket.emit('conversation:released', { conversation: conversation('c', 0), cause: 'transfer' });
      return { ok: true, data: { conversations: [holding('c', 0), holding('d', 0)] } };
    });
    const conversations = await client.conversations();
    expect(conversations.map(({ id, pending }) => [id, pending])).toEqual([
      ['d', false],
      ['e', false],
    ]);
  });

  test('a list asked again after a broken connection knows better than events before it', async () => {
    const { server, client, snapshots } = await atDesk(() => [holding('c', 0)]);
    await until(() => expect(snapshots).toEqual([['c']]));
    const assignedTo: string[] = [];
    client.on('conversation:assigned', (event) => assignedTo.push(event.conversation.id));
    server.handle('conversation:list', () => 'silent');
    const listing = client.conversations();
    server.agents.emit('conversation:assigned', assigned('e', 0));
    await until(() => expect(assignedTo).toEqual(['e']));
    server.handle('conversation:list', () => ({ ok: true, data: { conversations: [holding('d', 0)] } }));
    server.kill();
    expect((await listing).map(({ id }) => id)).toEqual(['d']);
    await until(() => expect(snapshots).toEqual([['c'], ['d']]));
  });

  test('what may not be read any more holds nothing back', async () => {
    const { server, client, store, seqs } = await atDesk(() => [holding('c', 0)]);
    await until(() => expect(server.named('conversation:list')).toHaveLength(1));
    server.handle('message:list', () => ({ ok: false, error: { code: 'forbidden', message: 'not yours' } }));
    server.agents.emit('message:created', { message: store('c', '1') });
    store('c', '2');
    const last = store('c', '3');
    server.agents.emit('message:created', { message: last });
    await until(() => expect(server.named('message:list')).toHaveLength(1));
    await client.setPresence('online').catch(() => {});
    server.agents.emit('conversation:assigned', assigned('c', 3));
    server.agents.emit('message:created', { message: store('c', '4') });
    await until(() => expect(seqs).toEqual([1, 4]));
  });
});
