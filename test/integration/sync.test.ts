/** What `state:sync` answers: what is lacking and no more, to everybody only their own, for few commands of Redis. */
import { describe, expect, test, vi } from 'vitest';
import {
  type AgentEventData,
  buyerCommands,
  chatDigest,
  digestsOf,
  heldFact,
  MAX_PARTS,
} from '../../client-sdk/contract/index.ts';
import type { AgentActor, BuyerActor } from '../../server/services/actor.ts';
import { choosePresence, connectAgent, disconnectAgent } from '../../server/services/attendance.ts';
import { open } from '../../server/services/dispatch.ts';
import { closeConversation } from '../../server/services/moves.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { type AgentKnows, type Known, syncAgent, syncBuyer } from '../../server/services/sync.ts';
import { markRead, say } from '../../server/services/talk.ts';
import { useOwnShop } from '../support/own-shop.ts';
import { openShop, setPresences } from '../support/shop.ts';

const NOW = Date.parse('2026-03-02T12:00:00+08:00');
const HOUR = 3_600_000;
const own = useOwnShop('sync');

const buyer = (id: string): BuyerActor => ({ kind: 'buyer', shop: own.shop, id });
const agent = (id: string, role: AgentActor['role'] = 'agent'): AgentActor => ({
  kind: 'agent',
  shop: own.shop,
  id,
  role,
});
const ask = (id: string, known: Partial<Known & { conversation: string }>[] = [], chat?: number, now = NOW) => {
  const all = known.map(({ conversation = '', seq = 0, seen = 0 }) => ({ conversation, seq, seen }));
  return syncBuyer(own.house, buyer(id), { known: all, chat }, now);
};
const nothingKnown: AgentKnows = { held: [], presences: [] };

async function twoAgents(capacity?: number): Promise<void> {
  const { house, shop } = own;
  await openShop(house, shop, { agents: { anna: { capacity }, ben: { capacity } } }, NOW);
  await setPresences(house, shop, { anna: 'online', ben: 'hung-up' }, NOW);
  await house.settled();
}
const comes = async (id: string) => (await open(own.house, own.shop, id, {}, NOW)).conversation;
let words = 0;
const says = (actor: BuyerActor | AgentActor, conversation: string) =>
  say(own.house, actor, { conversation, clientId: `w${++words}`, body: { type: 'text', text: `word ${words}` } }, NOW);

function facts(held: {
  conversations: { conversation: string; lastSeq: number; seen: number; assignment?: string | undefined }[];
}) {
  return new Map(held.conversations.map((mark) => [mark.conversation, heldFact(mark)]));
}

type Sent = { readonly name: string; readonly args: readonly unknown[] };

/** The commands about this shop that Redis was sent meanwhile, in the order of their names. */
async function commandsOf(work: () => Promise<unknown>): Promise<string[]> {
  const sent = vi.spyOn(own.house.redis as { sendCommand(command: Sent): unknown }, 'sendCommand');
  try {
    await work();
    const commands = sent.mock.calls.map(([command]) => command);
    return commands
      .filter(({ args }) => String(args[0]).includes(own.shop))
      .map(({ name }) => name)
      .sort();
  } finally {
    sent.mockRestore();
  }
}

describe('a buyer', () => {
  test('is told their chat where it is another than was told last', async () => {
    await twoAgents();
    expect(await ask('bob')).toEqual({ messages: [], hasMore: false, ended: [], seen: [] });
    const conversation = await comes('bob');
    const { chat } = await ask('bob');
    expect(chat).toEqual({ conversation, agent: { id: 'anna', name: 'anna' } });
    expect(own.heard.take('buyer:bob', 'chat:changed').at(-1)).toEqual(chat);
    expect(await ask('bob', [], chat && chatDigest(chat))).not.toHaveProperty('chat');
    await closeConversation(own.house, buyer('bob'), conversation.id, NOW);
    const ended = (await ask('bob', [], chat && chatDigest(chat))).chat;
    expect(ended).toMatchObject({ conversation: { state: 'closed', closedAt: NOW } });
    // A day later nobody is told of it.
    expect(await ask('bob', [], 1, NOW + 25 * HOUR)).not.toHaveProperty('chat');
  });

  test('in the queue is told their place', async () => {
    await twoAgents(1);
    await patchSettings(own.house, own.shop, { whenFull: 'queue' }, NOW);
    for (const id of ['b0', 'b1', 'b2']) await comes(id);
    expect((await ask('b2')).chat).toMatchObject({ conversation: { state: 'queued' }, queue: { position: 2 } });
  });

  test('gets the messages they lack, a bounded page of them, and is told when there is more', async () => {
    await twoAgents();
    const { id } = await comes('bob');
    for (let i = 0; i < 230; i++) await says(i % 2 === 0 ? buyer('bob') : agent('anna'), id);
    const first = await ask('bob', [{ conversation: id, seq: 10 }]);
    expect(first.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, i) => 11 + i));
    expect(first.hasMore).toBe(true);
    const rest = await ask('bob', [{ conversation: id, seq: 210 }]);
    expect(rest.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, i) => 211 + i));
    expect(rest.hasMore).toBe(false);
    expect(await ask('bob', [{ conversation: id, seq: 230 }])).toMatchObject({ messages: [], hasMore: false });
    // More than there is, and the same twice.
    const odd = [
      { conversation: id, seq: 10_000 },
      { conversation: id, seq: 229 },
    ];
    expect((await ask('bob', odd)).messages.map(({ seq }) => seq)).toEqual([230]);
  });

  test('is told how far they were seen, and what has ended', async () => {
    await twoAgents();
    const { id } = await comes('bob');
    await says(buyer('bob'), id);
    await markRead(own.house, agent('anna'), id, 1, NOW);
    const event = own.heard.take('buyer:bob', 'message:seen').at(-1);
    expect((await ask('bob', [{ conversation: id, seq: 1 }])).seen).toEqual([event]);
    expect((await ask('bob', [{ conversation: id, seq: 1, seen: 1 }])).seen).toEqual([]);
    await closeConversation(own.house, agent('anna'), id, NOW);
    const ended = await ask('bob', [{ conversation: id, seq: 0, seen: 1 }]);
    expect([ended.messages.length, ended.ended]).toEqual([1, [id]]);
  });

  test("finds somebody else's not there, as one that nobody has", async () => {
    await twoAgents();
    const { id } = await comes('eve');
    await says(buyer('eve'), id);
    await markRead(own.house, agent('anna'), id, 1, NOW);
    const asked = (conversation: string) => ask('bob', [{ conversation }]);
    expect(await asked(id)).toEqual({ messages: [], hasMore: false, ended: [id], seen: [] });
    expect(await asked('nobody')).toEqual({ messages: [], hasMore: false, ended: ['nobody'], seen: [] });
  });

  test('asks about no more conversations than are answered', () => {
    const { data } = buyerCommands['state:sync'];
    const known = (count: number) => Array.from({ length: count }, (_, n) => ({ conversation: `c${n}`, seq: 1 }));
    expect(data.safeParse({ known: known(50) }).success).toBe(true);
    expect(data.safeParse({ known: known(51) }).success).toBe(false);
    expect(data.safeParse({ chat: -1 }).success).toBe(false);
  });
});

describe('an agent', () => {
  const presencesIn = (changes: readonly AgentEventData<'presence:changed'>[]) =>
    new Map(changes.map(({ agent: id, presence }) => [id, presence]));

  test('is told all when they know nothing, and nothing when they know all', async () => {
    await twoAgents();
    for (let n = 0; n < 30; n++) await comes(`b${n}`);
    const { conversation: first } = await open(own.house, own.shop, 'b0', {}, NOW);
    await says(buyer('b0'), first.id);
    await markRead(own.house, buyer('b0'), first.id, 1, NOW);
    await says(agent('anna'), first.id);
    await markRead(own.house, buyer('b0'), first.id, 2, NOW);

    const all = await syncAgent(own.house, agent('anna'), nothingKnown, NOW);
    if (!all.held || !all.load || !all.presences) throw new Error('something was left out');
    expect(all.held.conversations).toHaveLength(30);
    expect(all.held.conversations.find(({ conversation }) => conversation === first.id)).toEqual({
      conversation: first.id,
      buyer: 'b0',
      lastSeq: 2,
      assignment: first.assignment,
      seen: 2,
    });
    expect(all.load).toEqual({ pending: 0, active: 30 });
    expect(all.presences).toEqual({ parts: [0], changes: [{ agent: 'anna', presence: 'online', cause: 'connected' }] });

    const known = { held: facts(all.held), presences: presencesIn(all.presences.changes), load: all.load };
    const knows = () => ({
      held: digestsOf(known.held),
      presences: digestsOf(known.presences),
      load: known.load,
    });
    expect(knows().held).toHaveLength(4);
    expect(await syncAgent(own.house, agent('anna'), knows(), NOW)).toEqual({});

    // One message: only what shares its part is told.
    await says(buyer('b7'), (await open(own.house, own.shop, 'b7', {}, NOW)).conversation.id);
    const some = await syncAgent(own.house, agent('anna'), knows(), NOW);
    expect(some.held?.parts).toHaveLength(1);
    expect(some.held?.conversations.length).toBeLessThan(30);
    expect(some.held?.conversations.map(({ buyer: whose }) => whose)).toContain('b7');
    expect(some.load).toEqual({ pending: 1, active: 30 });
    expect(some).not.toHaveProperty('presences');
  });

  test('hears of themselves, a supervisor of everybody, with the cause', async () => {
    await twoAgents();
    const changes = async (actor: AgentActor, presences: number[] = []) =>
      (await syncAgent(own.house, actor, { held: [], presences, load: { pending: 0, active: 0 } }, NOW)).presences
        ?.changes;
    expect(await changes(agent('ben'))).toEqual([{ agent: 'ben', presence: 'hung-up', cause: 'connected' }]);
    const everybody = await changes(agent('ben', 'supervisor'));
    expect(everybody?.map(({ agent: id, presence }) => [id, presence]).sort()).toEqual([
      ['anna', 'online'],
      ['ben', 'hung-up'],
    ]);
    const known = digestsOf(new Map([...presencesIn(everybody ?? [])]));
    await choosePresence(own.house, own.shop, 'anna', 'offline', 'supervisor', NOW, { kind: 'supervisor', id: 'sue' });
    expect(await changes(agent('ben', 'supervisor'), known)).toContainEqual({
      agent: 'anna',
      presence: 'offline',
      cause: 'supervisor',
    });
    // Whoever knows nobody is not told who is offline.
    expect(await changes(agent('anna'))).toBeUndefined();
  });

  test('whose grace has ended is offline, whether or not anybody has come by', async () => {
    await twoAgents();
    await connectAgent(own.house, own.shop, 'anna', 'second', 'node', NOW);
    await disconnectAgent(own.house, own.shop, 'anna', 'second', NOW);
    await disconnectAgent(own.house, own.shop, 'anna', 'socket-anna', NOW);
    const asked = { ...nothingKnown, presences: digestsOf(new Map([['anna', 'online']])) };
    const later = await syncAgent(own.house, agent('anna'), asked, NOW + HOUR);
    expect(later.presences?.changes).toEqual([{ agent: 'anna', presence: 'offline', cause: 'lost-connection' }]);
  });

  test('is not told what somebody else holds', async () => {
    await twoAgents();
    await comes('bob');
    const answer = await syncAgent(own.house, agent('ben'), { ...nothingKnown, held: Array(MAX_PARTS).fill(0) }, NOW);
    expect(answer.held?.conversations).toEqual([]);
    // All parts differ from what was made up, and nothing is in them.
    expect(answer.held?.parts).toHaveLength(MAX_PARTS);
  });
});

describe('a quiet heartbeat', () => {
  test('of a buyer takes two commands, in the queue four; of an agent four, and one for each conversation held', async () => {
    await twoAgents(3);
    await patchSettings(own.house, own.shop, { whenFull: 'queue' }, NOW);
    const held = await Promise.all(['b0', 'b1', 'b2'].map(comes));
    const waits = await comes('b3');
    await own.house.settled();
    const chat = (await ask('b0')).chat;
    const buyers = await commandsOf(() => ask('b0', [{ conversation: held[0]?.id ?? '' }], chat && chatDigest(chat)));
    expect(buyers).toEqual(['hmget', 'hmget']);
    const waiting = await commandsOf(() => ask('b3', [{ conversation: waits.id }]));
    expect(waiting).toEqual(['hget', 'hmget', 'hmget', 'zrank']);
    const all = await syncAgent(own.house, agent('anna'), nothingKnown, NOW);
    const knows = {
      held: digestsOf(all.held ? facts(all.held) : new Map()),
      presences: digestsOf(new Map([['anna', 'online']])),
      load: all.load,
    };
    let answer: unknown;
    const agents = await commandsOf(async () => {
      answer = await syncAgent(own.house, agent('anna'), knows, NOW);
    });
    expect(answer).toEqual({});
    const each = held.map(() => 'hmget');
    expect(agents).toEqual(['hmget', 'hmget', ...each, 'zrangebylex', 'zrangebyscore']);
  });
});
