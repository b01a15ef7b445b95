/** A store that has lost its latest writes gives their numbers anew: what it has then is told all the same, each once. */
import { expect, test } from 'vitest';
import { digestsOf, heldFact } from '../../../client-sdk/contract/sync.ts';
import { agent, assignment, buyer, conversation, serve, storing, until } from '../../support/made-up-server.ts';

/** A store of one conversation that can lose what it was told last. */
async function losing() {
  const server = await serve();
  const { store, of } = storing(server);
  return {
    server,
    of,
    /** Stores and tells. */
    say(text: string) {
      const message = store('c', text);
      // The number is given anew, the id is not.
      message.id = `c-${text}`;
      for (const side of [server.buyers, server.agents]) side.emit('message:created', { message });
    },
    /** Stores, and nobody hears. */
    whisper(text: string) {
      store('c', text).id = `c-${text}`;
    },
    lose: (count: number) => of('c').splice(-count),
  };
}

const often = { checkEveryMs: 10 };

async function buyerOf({ server, of }: Awaited<ReturnType<typeof losing>>, options = {}, life = () => 'one life') {
  server.handle('chat:open', () => ({
    ok: true,
    data: { conversation: conversation('c', 0), assignment: assignment('c', 1) },
  }));
  const ask = server.handler('state:sync');
  server.handle('state:sync', (data, socket) => {
    const answer = ask(data, socket);
    if (typeof answer !== 'object' || !answer.ok) return answer;
    const lastSeq = of('c').length;
    const behind = data.known.filter((known) => known.seq > lastSeq).map(() => ({ conversation: 'c', lastSeq }));
    return { ok: true, data: { store: life(), ...(answer.data as object), ...(behind.length > 0 && { behind }) } };
  });
  const client = buyer(server, options);
  const texts: string[] = [];
  client.on('message:created', ({ message }) => texts.push(message.body.text));
  await client.connect();
  await client.open();
  return texts;
}

test('a message that comes under a number that was told already is told, with those before it', async () => {
  const made = await losing();
  const texts = await buyerOf(made);
  for (const text of ['one', 'two', 'three', 'four']) made.say(text);
  await until(() => expect(texts).toHaveLength(4));
  made.lose(3);
  made.whisper('five');
  made.say('six');
  await until(() => expect(texts).toEqual(['one', 'two', 'three', 'four', 'five', 'six']));
  made.say('seven');
  made.say('eight');
  await until(() => expect(texts.slice(6)).toEqual(['seven', 'eight']));
});

test('a buyer learns by the heartbeat that there are fewer than were told, and is told what comes next', async () => {
  const made = await losing();
  const texts = await buyerOf(made, often);
  for (const text of ['one', 'two', 'three', 'four']) made.say(text);
  await until(() => expect(texts).toHaveLength(4));
  made.lose(3);
  made.whisper('five');
  await until(() => expect(texts).toEqual(['one', 'two', 'three', 'four', 'five']));
  // What is asked from then on is what there is.
  await until(() => expect(made.server.named('state:sync').at(-1)?.known).toMatchObject([{ seq: 2 }]));
  made.say('six');
  await until(() => expect(texts.slice(5)).toEqual(['six']));
});

test('as many as were told, and others, whom nobody heard: found where the store is in another life', async () => {
  const made = await losing();
  let life = 'one life';
  const texts = await buyerOf(made, often, () => life);
  await until(() => expect(made.server.named('state:sync').length).toBeGreaterThan(1));
  for (const text of ['one', 'two', 'three']) made.say(text);
  await until(() => expect(texts).toHaveLength(3));
  made.lose(2);
  made.whisper('four');
  made.whisper('five');
  life = 'another life';
  await until(() => expect(texts).toEqual(['one', 'two', 'three', 'four', 'five']));
  // Once: later heartbeats are of the same life.
  const listed = made.server.named('message:list').length;
  const beats = made.server.named('state:sync').length;
  await until(() => expect(made.server.named('state:sync').length).toBeGreaterThan(beats + 3));
  expect(made.server.named('message:list')).toHaveLength(listed);
});

test('fewer than were told in another life: the client knows how many there are, and misses nothing after', async () => {
  const made = await losing();
  let life = 'one life';
  const texts = await buyerOf(made, often, () => life);
  await until(() => expect(made.server.named('state:sync').length).toBeGreaterThan(1));
  for (const text of ['one', 'two', 'three']) made.say(text);
  await until(() => expect(texts).toHaveLength(3));
  made.lose(1);
  life = 'another life';
  await until(() => expect(made.server.named('state:sync').at(-1)?.known).toMatchObject([{ seq: 2 }]));
  made.whisper('four');
  await until(() => expect(texts).toEqual(['one', 'two', 'three', 'four']));
});

test('an agent learns it likewise', async () => {
  const made = await losing();
  const { server } = made;
  const held = () => ({ ...conversation('c', made.of('c').length, { assignment: 'c.1' }), pending: false });
  server.handle('conversation:list', () => ({ ok: true, data: { conversations: [held()] } }));
  let same = true;
  let seen = 3;
  server.handle('state:sync', (data) => {
    const mark = { conversation: 'c', buyer: 'b', lastSeq: made.of('c').length, assignment: 'c.1', seen };
    const [digest] = digestsOf(new Map([['c', heldFact(mark)]]), 1);
    same = (data.held as number[])[0] === digest;
    return { ok: true, data: same ? {} : { held: { parts: [0], conversations: [mark] } } };
  });
  const client = agent(server, often);
  const texts: string[] = [];
  client.on('message:created', ({ message }) => texts.push(message.body.text));
  await client.connect();
  await until(() => expect(server.named('state:sync').length).toBeGreaterThan(1));
  for (const text of ['one', 'two', 'three', 'four']) made.say(text);
  await until(() => expect(texts).toHaveLength(4));
  made.lose(3);
  seen = 1;
  made.whisper('five');
  await until(() => expect(texts).toEqual(['one', 'two', 'three', 'four', 'five']));
  // Both sides agree again.
  await until(() => expect(same).toBe(true));
});
