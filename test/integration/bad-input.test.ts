/**
 * Bad input over sockets: each answers its code, and leaves the connection and all data as they were.
 * Raw sockets, not the SDK: nothing here would get through it.
 */
import { createHmac } from 'node:crypto';
import { SignJWT } from 'jose';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Ack, agentCommands, buyerCommands } from '../../client-sdk/contract/index.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { dump } from '../support/shop.ts';

let ours: Dispatcher;
let theirs: Dispatcher;
let buyer: Socket;
let agent: Socket;
let conversation = '';
let strangers = '';
let foreign = '';

const connect = (dispatcher: Dispatcher, namespace: string, auth: object): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = io(`${dispatcher.url}${namespace}`, {
      auth,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', (error) => {
      socket.close();
      reject(error);
    });
  });

const ask = (socket: Socket, name: string, ...args: unknown[]): Promise<Ack<unknown>> =>
  socket.emitWithAck(name, ...args);

beforeAll(async () => {
  ours = await createDispatcher(inject('redisUrl'));
  theirs = await createDispatcher(inject('redisUrl'));
  for (const dispatcher of [ours, theirs]) {
    await dispatcher.agent('anna', { name: 'Anna' });
    const anna = await dispatcher.connectAgent('anna');
    await anna.setPresence('online');
  }
  await ours.agent('ben', { name: 'Ben' });
  buyer = await connect(ours, '/buyer', { token: await ours.buyerToken('xia') });
  agent = await connect(ours, '/agent', { token: await ours.agentToken('ben') });
  const open = async (dispatcher: Dispatcher, name: string) =>
    (await (await dispatcher.connectBuyer(name)).open()).conversation.id;
  conversation = await open(ours, 'xia');
  strangers = await open(ours, 'yu');
  foreign = await open(theirs, 'xia');
});
afterAll(async () => {
  buyer.close();
  agent.close();
  await ours.close();
  await theirs.close();
});

/** 10,000 nested arrays. The client's own encoder would run out of stack, so they are sent as they are on the wire. */
const nested = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;

let rawId = 1_000_000;
/** Sends a command as text that is already encoded, and answers its acknowledgement. */
function askRaw(socket: Socket, namespace: string, name: string, encoded: string): Promise<Ack<unknown>> {
  const id = rawId++;
  return new Promise((resolve) => {
    const prefix = `3${namespace},${id}[`;
    const hear = (packet: unknown) => {
      if (typeof packet !== 'string' || !packet.startsWith(prefix)) return;
      socket.io.engine.off('data', hear);
      resolve(JSON.parse(packet.slice(prefix.length - 1))[0]);
    };
    socket.io.engine.on('data', hear);
    socket.io.engine.write(`2${namespace},${id}["${name}",${encoded}]`);
  });
}

const text = (value: unknown) => ({ conversation, clientId: 'c1', body: { type: 'text', text: value } });

const wrongForAll: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a string', 'conversation'],
  ['a number', 7],
  ['a list', [1, 2, 3]],
  ['binary', Buffer.from([0, 1, 2, 255])],
  ['an unknown field', { conversation: 'x', surprise: true }],
  ['a __proto__ key', JSON.parse('{"__proto__": {"conversation": "x"}, "conversation": "x"}')],
  ['a constructor key', JSON.parse('{"constructor": {"prototype": {}}, "conversation": "x"}')],
];

const wrongMessages: [string, unknown][] = [
  ['no conversation', { clientId: 'c1', body: { type: 'text', text: 'hi' } }],
  ['no clientId', { conversation: 'x', body: { type: 'text', text: 'hi' } }],
  ['a number for a conversation', { conversation: 12, clientId: 'c1', body: { type: 'text', text: 'hi' } }],
  ['a number for a text', { conversation: 'x', clientId: 'c1', body: { type: 'text', text: 12 } }],
  ['binary for a text', { conversation: 'x', clientId: 'c1', body: { type: 'text', text: Buffer.from('hi') } }],
  ['an empty text', { conversation: 'x', clientId: 'c1', body: { type: 'text', text: '' } }],
  ['an unknown type', { conversation: 'x', clientId: 'c1', body: { type: 'image', text: 'hi' } }],
  ['an id with a colon', { conversation: 'a:b', clientId: 'c1', body: { type: 'text', text: 'hi' } }],
  ['an id of 65 characters', { conversation: 'x'.repeat(65), clientId: 'c1', body: { type: 'text', text: 'hi' } }],
];

/** Runs what must change nothing, and checks that it has not. */
async function changesNothing(attempt: () => Promise<void>): Promise<void> {
  const { redis } = ours.application.house;
  const before = [await dump(redis, ours.shop), await dump(redis, theirs.shop)];
  await attempt();
  expect([buyer.connected, agent.connected]).toEqual([true, true]);
  expect([await dump(redis, ours.shop), await dump(redis, theirs.shop)]).toEqual(before);
}

describe('a wrong payload answers invalid', () => {
  for (const [label, data] of wrongForAll) {
    it(`${label}, to every command`, () =>
      changesNothing(async () => {
        for (const name of Object.keys(buyerCommands)) {
          expect(await ask(buyer, name, data), name).toMatchObject({ ok: false, error: { code: 'invalid' } });
        }
        for (const name of Object.keys(agentCommands)) {
          expect(await ask(agent, name, data), name).toMatchObject({ ok: false, error: { code: 'invalid' } });
        }
      }));
  }

  for (const [label, data] of wrongMessages) {
    it(`${label}, to message:send`, () =>
      changesNothing(async () => {
        const answer = await ask(buyer, 'message:send', data);
        expect(answer).toMatchObject({
          ok: false,
          error: { code: 'invalid', details: [{ path: expect.any(String) }] },
        });
      }));
  }

  it.each([
    ['10,000 nested arrays', nested],
    ['10,000 nested arrays within', `{"conversation":${nested}}`],
    ['a __proto__ key on the wire', '{"__proto__":{"conversation":"x"},"conversation":"x"}'],
  ])('%s', (_label, encoded) =>
    changesNothing(async () => {
      for (const name of Object.keys(buyerCommands)) {
        expect(await askRaw(buyer, '/buyer', name, encoded), name).toMatchObject({ error: { code: 'invalid' } });
      }
      for (const name of Object.keys(agentCommands)) {
        expect(await askRaw(agent, '/agent', name, encoded), name).toMatchObject({ error: { code: 'invalid' } });
      }
    }),
  );

  it('a text of 10 MB', () =>
    changesNothing(async () => {
      const answer = await ask(buyer, 'message:send', text('x'.repeat(10 * 1024 * 1024)));
      expect(answer).toMatchObject({ ok: false, error: { code: 'invalid' } });
    }));

  it('no arguments, two arguments, and a command that is none', () =>
    changesNothing(async () => {
      for (const args of [[], [{}, {}]]) {
        expect(await ask(buyer, 'chat:open', ...args)).toMatchObject({ ok: false, error: { code: 'invalid' } });
      }
      for (const name of ['chat:destroy', 'constructor', '__proto__', 'toString', 'presence:set']) {
        expect(await ask(buyer, name, {})).toMatchObject({ ok: false, error: { code: 'invalid' } });
      }
    }));

  it('without asking for an acknowledgement', () =>
    changesNothing(async () => {
      buyer.emit('message:send', 'nonsense');
      buyer.emit('chat:destroy');
      expect(await ask(buyer, 'message:list', 3)).toMatchObject({ ok: false });
    }));

  it('in Chinese for who asks in Chinese', async () => {
    const chinese = await connect(ours, '/buyer', { token: await ours.buyerToken('yu'), language: 'zh' });
    expect(await ask(chinese, 'chat:open', 7)).toMatchObject({
      error: { code: 'invalid', message: /[\u4e00-\u9fff]/ },
    });
    chinese.close();
  });
});

describe("somebody else's is not there", () => {
  const others = () => [
    ['another buyer’s', strangers],
    ['another shop’s', foreign],
    ['nobody’s', 'no-such-conversation'],
  ];

  it('for a buyer, whatever they try', () =>
    changesNothing(async () => {
      for (const [whose, id] of others()) {
        const about = { conversation: id };
        for (const [name, data] of [
          ['message:send', { ...about, clientId: 'c1', body: { type: 'text', text: 'hi' } }],
          ['message:list', about],
          ['typing:set', { ...about, typing: true }],
          ['message:read', { ...about, seq: 1 }],
          ['chat:human', about],
          ['chat:rate', { ...about, score: 1 }],
          ['chat:close', about],
        ] as const) {
          expect(await ask(buyer, name, data), `${whose} ${name}`).toMatchObject({ error: { code: 'not-found' } });
        }
      }
    }));

  it('for an agent who does not hold it', () =>
    changesNothing(async () => {
      for (const id of [conversation, foreign, 'no-such-conversation']) {
        const about = { conversation: id };
        for (const [name, data] of [
          ['message:send', { ...about, clientId: 'c1', body: { type: 'text', text: 'hi' } }],
          ['message:list', about],
          ['typing:set', { ...about, typing: true }],
          ['message:read', { ...about, seq: 1 }],
          ['conversation:transfer', { ...about, to: { agent: 'ben' } }],
          ['conversation:close', about],
          ['conversation:handover', about],
          ['pool:claim', about],
        ] as const) {
          const answer = await ask(agent, name, data);
          expect(answer.ok, `${name} ${id}`).toBe(false);
          const code = answer.ok ? '' : answer.error.code;
          // What is in the pool may be seen by all agents of the shop: this one is not in it (any more).
          const taken = name === 'pool:claim' && id === conversation;
          // Robots hand over, and supervisors for them.
          const expected = name === 'conversation:handover' ? 'forbidden' : taken ? 'conflict' : 'not-found';
          expect(code, `${name} ${id}`).toBe(expected);
        }
      }
    }));

  it('a transfer to somebody of another shop, or to nobody', async () => {
    const held = await ours.connectAgent('anna');
    await changesNothing(async () => {
      for (const to of [{ agent: 'chloe' }, { group: 'none' }]) {
        await expect(held.command('conversation:transfer', { conversation, to })).rejects.toMatchObject({
          code: 'not-found',
        });
      }
    });
  });
});

describe('a bad token is refused with its code', () => {
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = (claims: object, secret: string, header: object = { alg: 'HS256' }) => {
    const body = `${base64(header)}.${base64(claims)}`;
    return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
  };
  const hour = () => Math.floor(Date.now() / 1000) + 3_600;

  const bad: [string, string, () => string | Promise<string>][] = [
    ['expired', '/buyer', () => signed({ sub: 'xia', shop: ours.shop, exp: hour() - 7_200 }, ours.buyerSecret)],
    ['not valid yet', '/buyer', () => signed({ sub: 'xia', shop: ours.shop, nbf: hour() }, ours.buyerSecret)],
    ['forged', '/buyer', () => signed({ sub: 'xia', shop: ours.shop }, 'some other secret')],
    ['signed by another shop', '/buyer', () => signed({ sub: 'xia', shop: ours.shop }, theirs.buyerSecret)],
    ['of a shop that is not there', '/buyer', () => signed({ sub: 'xia', shop: 'nowhere' }, ours.buyerSecret)],
    ['with alg none', '/buyer', () => `${base64({ alg: 'none' })}.${base64({ sub: 'xia', shop: ours.shop })}.`],
    [
      'with another algorithm',
      '/buyer',
      () =>
        new SignJWT({ shop: ours.shop })
          .setSubject('xia')
          .setProtectedHeader({ alg: 'HS512' })
          .sign(new TextEncoder().encode(ours.buyerSecret)),
    ],
    ['of a subject that is no identifier', '/buyer', () => signed({ sub: 'x:y', shop: ours.shop }, ours.buyerSecret)],
    ['of an agent', '/buyer', () => ours.agentToken('anna')],
    ['of a buyer', '/agent', () => ours.buyerToken('anna')],
    ['an API key', '/agent', () => ours.apiKey],
    [
      'signed with a shop’s secret',
      '/agent',
      () => signed({ sub: 'anna', shop: ours.shop, aud: 'agent', exp: hour() }, ours.buyerSecret),
    ],
    ['nonsense', '/agent', () => 'nonsense'],
  ];
  for (const [label, namespace, token] of bad) {
    it(`${label} at ${namespace}`, async () => {
      // That one was given out is in the audit log.
      const given = await token();
      await changesNothing(async () => {
        await expect(connect(ours, namespace, { token: given })).rejects.toMatchObject({
          data: { code: 'unauthorized' },
        });
      });
    });
  }

  it.each([
    ['no token', {}, 'unauthorized'],
    ['a token that is no text', { token: { a: 1 } }, 'invalid'],
    ['a token too long', { token: 'x'.repeat(5_000) }, 'invalid'],
  ])('%s', (_label, auth, code) =>
    changesNothing(async () => {
      await expect(connect(ours, '/buyer', auth)).rejects.toMatchObject({ data: { code } });
    }),
  );

  it('a good token that the shop’s own back end has signed', async () => {
    const socket = await connect(ours, '/buyer', { token: signed({ sub: 'yu', shop: ours.shop }, ours.buyerSecret) });
    expect(await ask(socket, 'message:list', { conversation: strangers })).toMatchObject({ ok: true });
    socket.close();
  });

  it('the token of an agent who has been removed', async () => {
    await ours.agent('gone', { name: 'Gone' });
    const token = await ours.agentToken('gone');
    const socket = await connect(ours, '/agent', { token });
    const ended = new Promise((resolve) => socket.once('disconnect', resolve));
    await ours.call('DELETE', 'agents/gone');
    await ended;
    await expect(connect(ours, '/agent', { token })).rejects.toMatchObject({ data: { code: 'unauthorized' } });
  });
});
