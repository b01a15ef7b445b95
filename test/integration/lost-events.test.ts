/**
 * Two nodes, one of which loses much of what it tells. Nobody reconnects, and yet everybody comes to know all: messages
 * once each and in order, conversations held, chats, places, presences, loads, and what has been seen.
 */
import { afterEach, describe, expect, inject, test, vi } from 'vitest';
import type { AgentClient, BuyerClient } from '../../client-sdk/index.ts';
import { CommandError } from '../../client-sdk/index.ts';
import { readMessages } from '../../server/store/message.ts';
import { queuePlace } from '../../server/store/queue.ts';
import { heldBy, liveAgents, readConversation } from '../../server/store/read.ts';
import { type AgentBook, type BuyerBook, bookOfAgent, bookOfBuyer } from '../support/book.ts';
import { problemsIn } from '../support/consistent.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { seeded } from '../support/draw.ts';
import { lose } from '../support/lossy.ts';

const AGENTS = ['anna', 'ben', 'sue'];
const BUYERS = ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'];
const TURNS = 250;

let dispatcher: Dispatcher | undefined;
afterEach(async () => {
  await dispatcher?.close();
  dispatcher = undefined;
});

type Party<C, B> = { readonly id: string; readonly client: C; readonly book: B };
type World = {
  readonly dispatcher: Dispatcher;
  readonly agents: Party<AgentClient, AgentBook>[];
  readonly buyers: Party<BuyerClient, BuyerBook>[];
  /** Texts by conversation, as they were acknowledged. */
  readonly acknowledged: Map<string, Map<number, string>>;
};

/** Everybody on both nodes in turn; a place or two fewer than there are buyers, so that some wait in the queue. */
async function everybody(): Promise<{ world: World; tells: Parameters<typeof lose>[0][] }> {
  const made = await createDispatcher(inject('redisUrl'), { shared: true });
  dispatcher = made;
  const other = await made.anotherNode();
  const urls = [made.url, other.url];
  for (const id of AGENTS) {
    await made.agent(id, { name: id, role: id === 'sue' ? 'supervisor' : 'agent', capacity: 2 });
  }
  const options = (n: number) => ({ url: urls[n % 2] ?? made.url, checkEveryMs: 200 });
  const world: World = { dispatcher: made, agents: [], buyers: [], acknowledged: new Map() };
  for (const [n, id] of AGENTS.entries()) {
    const client = await made.connectAgent(id, options(n));
    world.agents.push({ id, client, book: bookOfAgent(client) });
    await client.setPresence('online');
  }
  for (const [n, id] of BUYERS.entries()) {
    const client = await made.connectBuyer(id, options(n));
    world.buyers.push({ id, client, book: bookOfBuyer(client) });
  }
  return { world, tells: [made.application.house.tell, other.application.house.tell] };
}

/** What the state does not allow (any more) is no mistake here: it is done by who may not know yet how things stand. */
async function dare(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => {
    if (!(error instanceof CommandError) || !['conflict', 'not-found', 'forbidden'].includes(error.code)) throw error;
  });
}

async function say(world: World, client: AgentClient | BuyerClient, conversation: string, text: string) {
  const { seq } = await client.send(conversation, text);
  const texts = world.acknowledged.get(conversation) ?? new Map();
  world.acknowledged.set(conversation, texts.set(seq, text));
}

/** One of the parties does something, by what it was told. */
async function act(world: World, draw: () => number, turn: number): Promise<void> {
  const pick = <T>(from: readonly T[]) => from[Math.floor(draw() * from.length)] as T;
  if (draw() < 0.55) {
    const { client, book } = pick(world.buyers);
    const chat = book.chat?.conversation;
    const what = draw();
    if (!chat || chat.state === 'closed' || what < 0.1) await dare(client.open());
    else if (what < 0.17) await dare(client.close(chat.id));
    else if (what < 0.27) await dare(client.markRead(chat.id, 1_000));
    else await dare(say(world, client, chat.id, `buyer ${turn}`));
    return;
  }
  const { client, book, id } = pick(world.agents);
  const held = [...book.held.keys()];
  const what = draw();
  if (held.length === 0 || what < 0.1) await dare(client.setPresence(pick(['online', 'online', 'hung-up'])));
  else if (what < 0.17) await dare(client.transfer(pick(held), { agent: pick(AGENTS.filter((one) => one !== id)) }));
  else if (what < 0.24) await dare(client.close(pick(held)));
  else if (what < 0.34) await dare(client.markRead(pick(held), 1_000));
  else await dare(say(world, client, pick(held), `agent ${turn}`));
}

const oneByOne = (seqs: readonly number[]) => seqs.every((seq, i) => i === 0 || seq === (seqs[i - 1] ?? 0) + 1);
const growing = (seqs: readonly number[]) => seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] ?? 0));

/** What anybody was told that is not how things stand. */
async function differences({ dispatcher: { application, shop }, agents, buyers, acknowledged }: World) {
  const { scope, config } = await application.house.configs.fresh(shop);
  const found: string[] = [];
  const differs = (who: string, what: string, told: unknown, is: unknown) => {
    if (JSON.stringify(told) !== JSON.stringify(is)) {
      found.push(`${who}: ${what} told ${JSON.stringify(told)}, is ${JSON.stringify(is)}`);
    }
  };
  const markOf = async (id: string, side: string) =>
    Number((await scope.redis.hget(`${scope.keys.base}conversation:${id}`, `seen:${side}`)) ?? 0);

  for (const { id, book } of buyers) {
    const newest = await scope.redis.hget(`${scope.keys.base}buyer:${id}`, 'conversation');
    const record = newest ? await readConversation(scope, newest) : undefined;
    if (!record) continue;
    const { conversation } = record;
    const { position } = await queuePlace(scope, conversation.id);
    const open = conversation.state !== 'closed';
    differs(
      id,
      'chat',
      [
        book.chat?.conversation.id,
        book.chat?.conversation.state,
        book.chat?.agent?.id,
        book.chat?.queue?.position ?? 0,
      ],
      [conversation.id, conversation.state, open ? conversation.agent : undefined, position],
    );
    // A conversation is theirs from its first word to its last.
    for (const [about, messages] of book.messages) {
      const stored = await readMessages(scope, about, 1, 10_000);
      differs(
        id,
        about,
        messages.map(({ seq, body }) => [seq, body.text]),
        stored.map(({ seq, body }) => [seq, body.text]),
      );
    }
    if (open && conversation.agent) {
      differs(id, 'seen', book.seen.get(conversation.id) ?? 0, await markOf(conversation.id, 'agent'));
    }
  }

  const live = await liveAgents(scope, [...config.agents.keys()], Date.now());
  for (const { id, book } of agents) {
    const own = live.find((agent) => agent.id === id);
    differs(id, 'held', [...book.held.keys()].sort(), (await heldBy(scope, id)).sort());
    differs(id, 'load', [book.load?.pending, book.load?.active], [own?.pending, own?.active]);
    for (const agent of id === 'sue' ? live : live.filter((one) => one.id === id)) {
      differs(id, `presence of ${agent.id}`, book.presences.get(agent.id) ?? 'offline', agent.presence);
    }
    for (const [about, messages] of book.messages) {
      const seqs = messages.map(({ seq }) => seq);
      if (!growing(seqs)) found.push(`${id}: ${about} told out of order or twice: ${seqs}`);
    }
    for (const [about, { from, conversation }] of book.held) {
      const is = (await readConversation(scope, about))?.conversation;
      const since = (book.messages.get(about) ?? []).map(({ seq }) => seq).filter((seq) => seq > from);
      if (!oneByOne(since)) found.push(`${id}: of ${about} something is missing: ${since}`);
      differs(id, `last of ${about}`, since.at(-1) ?? from, is?.lastSeq);
      differs(id, `assignment of ${about}`, conversation.assignment, is?.assignment);
      differs(id, `seen of ${about}`, book.seen.get(about) ?? 0, await markOf(about, 'buyer'));
    }
  }

  // Acknowledged means stored.
  for (const [about, texts] of acknowledged) {
    const stored = new Map((await readMessages(scope, about, 1, 10_000)).map(({ seq, body }) => [seq, body.text]));
    for (const [seq, text] of texts) differs(about, `message ${seq}`, text, stored.get(seq));
  }
  return found;
}

describe.each([
  ['loses half of what it tells', 0.5, 11],
  ['loses nearly all', 0.95, 12],
])('a node that %s', (_label, share, seed) => {
  test('everybody comes to know everything, and nobody reconnects', { timeout: 120_000 }, async () => {
    const draw = seeded(seed);
    const { world, tells } = await everybody();
    const [losses] = tells.map((tell, n) => lose(tell, n === 0 ? share : 0, draw));
    for (let turn = 0; turn < TURNS; turn++) await act(world, draw, turn);
    // In the end everybody has read all that they know of.
    for (const { client, book } of world.agents) {
      for (const id of book.held.keys()) await dare(client.markRead(id, 1_000));
    }
    for (const { client, book } of world.buyers) {
      if (book.chat) await dare(client.markRead(book.chat.conversation.id, 1_000));
    }

    await vi.waitFor(async () => expect(await differences(world)).toEqual([]), { timeout: 60_000, interval: 20 });
    const { application, shop } = world.dispatcher;
    expect(await problemsIn(application.house.redis, shop)).toEqual([]);
    for (const { book } of [...world.agents, ...world.buyers]) expect(book.connections).toBe(0);
    // What proves it: there was much to miss, and everybody said something.
    expect(losses?.lost).toBeGreaterThan(50);
    const said = [...world.acknowledged.values()].reduce((sum, texts) => sum + texts.size, 0);
    expect(said).toBeGreaterThan(50);
    expect(world.agents.some(({ book }) => book.held.size > 0)).toBe(true);
  });
});
