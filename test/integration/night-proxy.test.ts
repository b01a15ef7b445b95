// The night proxy as it is run: a process of its own against a real application, killed and started again.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Message } from '../../client-sdk/contract/index.ts';
import { AgentClient, type BuyerClient } from '../../client-sdk/index.ts';
import { answerId, createScript } from '../../client-sdk/night-proxy/answer.ts';
import { createNightProxy } from '../../client-sdk/night-proxy/night-proxy.ts';
import { createShopApi } from '../../client-sdk/night-proxy/shop-api.ts';
import { inLanguage, nightTexts } from '../../client-sdk/texts.ts';
import { createApplication } from '../../server/application.ts';
import { createLog } from '../../server/log.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { type NightProxyRun, runNightProxy } from '../support/night-proxy.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'a password of the tests';

const rules = [
  { keywords: { en: ['shipping'], zh: ['发货'] }, answer: { en: 'Shipped daily.', zh: '每天发货。' } },
  { keywords: { en: ['return'] }, answer: { en: 'Within 7 days, from {opensAt} on.', zh: '7 天内。' } },
];

let ours: Dispatcher;
let undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

/** A shop where it is always night, and its proxy. */
async function openShop(): Promise<void> {
  ours = await createDispatcher(inject('redisUrl'));
  undo.push(() => ours.close());
  await ours.agent('proxy', { name: 'Night', kind: 'robot', password: PASSWORD });
  await ours.call('PATCH', 'settings', {
    nightShift: { enabled: true, proxy: 'proxy', from: '08:00', until: '08:00' },
  });
}

/** A further node of the same house, which takes no session signed with another secret. */
async function nodeOn(port: number, secret: string): Promise<{ port: number; close(): Promise<void> }> {
  const application = await createApplication({
    redis: { url: inject('redisUrl') },
    keys: { secret: `signs-the-sessions-of-the-${secret}`, adminKey: 'admin-key-of-this-node' },
    log: createLog('silent', 'test'),
    shared: true,
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= application.close();
    return closed;
  };
  undo.push(close);
  return { port: await application.listen(port), close };
}

async function run(change: object = {}): Promise<NightProxyRun> {
  const content = { url: ours.url, shop: ours.shop, agent: 'proxy', passwordFile: 'secret', rules, ...change };
  const started = await runNightProxy(content, PASSWORD);
  undo.push(started.clear);
  return started;
}

async function online(change: object = {}): Promise<NightProxyRun> {
  const started = await run(change);
  await until(() => started.says('online') || !started.running());
  expect(started.err()).toBe('');
  return started;
}

/** The proxy within this process, with a clock that can be turned forward, and settings that can be slow to come. */
async function inHouse() {
  let ahead = 0;
  let held: Promise<void> | undefined;
  const logged: string[] = [];
  const note = (_: object, says: string) => logged.push(says);
  const credential = { password: PASSWORD };
  const api = createShopApi({ url: ours.url, shop: ours.shop, agent: 'proxy', credential });
  const client = new AgentClient({ url: ours.url, getToken: api.token });
  const proxy = createNightProxy({
    ...{ client, shop: ours.shop, agent: 'proxy', script: createScript([]) },
    hours: async () => {
      await held;
      return api.hours();
    },
    now: () => Date.now() + ahead,
    log: { info: note, warn: note, error: note },
  });
  undo.push(proxy.close);
  return {
    proxy,
    client,
    logged,
    later: (ms: number) => {
      ahead += ms;
    },
    /** Holds back the settings until what it answers is called. */
    hold: (): (() => void) => {
      let go = () => {};
      held = new Promise((resolve) => {
        go = resolve;
      });
      return go;
    },
  };
}

async function enter(id: string): Promise<{ buyer: BuyerClient; conversation: string }> {
  const buyer = await ours.connectBuyer(id);
  const { conversation } = await buyer.open();
  expect(conversation).toMatchObject({ agent: 'proxy', overnight: true });
  return { buyer, conversation: conversation.id };
}

async function messagesOf(conversation: string): Promise<Message[]> {
  return (await ours.get(`conversations/${conversation}/messages?limit=200`)).messages;
}

/** What the proxy has said, in order. */
async function answersIn(conversation: string): Promise<Message[]> {
  return (await messagesOf(conversation)).filter(({ from }) => from.kind === 'robot');
}

const night = (language: 'en' | 'zh', number: number, opensAt = '8:00') =>
  inLanguage(nightTexts.night, language, { number, opensAt });
const text = ({ body }: Message) => body.text;

describe('the night proxy', () => {
  it('answers by rule, and for the rest says when the shop opens and whose turn it is; ends politely', async () => {
    await openShop();
    const proxy = await online();
    const first = await enter('ann');
    const second = await enter('bo');
    await second.buyer.send(second.conversation, 'Is anybody there?');
    await until(async () => (await answersIn(second.conversation)).length === 1);
    await second.buyer.send(second.conversation, 'Hello?');
    await second.buyer.send(second.conversation, '你好，什么时候发货？');
    await second.buyer.send(second.conversation, 'and Shipping?');
    await until(async () => (await answersIn(second.conversation)).length === 3);
    expect((await answersIn(second.conversation)).map(text)).toEqual([night('en', 2), '每天发货。', 'Shipped daily.']);

    await first.buyer.send(first.conversation, '有人吗');
    await until(async () => (await answersIn(first.conversation)).length === 1);
    expect((await answersIn(first.conversation)).map(text)).toEqual([night('zh', 1)]);
    await first.buyer.close(first.conversation);
    const third = await enter('cy');
    await third.buyer.send(third.conversation, 'Hi');
    await until(async () => (await answersIn(third.conversation)).length === 1);
    expect((await answersIn(third.conversation)).map(text)).toEqual([night('en', 2)]);

    proxy.kill('SIGTERM');
    expect(await proxy.ended).toEqual([0, null]);
    expect(proxy.err()).toBe('');
    const lines = proxy.out().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered')).toHaveLength(5);
    for (const secret of ['anybody', 'Shipped', '发货', PASSWORD]) expect(proxy.out()).not.toContain(secret);
  });

  it('killed at any moment and started again, answers what it missed, everything once', async () => {
    await openShop();
    const proxy = await online();
    const { buyer, conversation } = await enter('dee');
    await buyer.send(conversation, 'Hello');
    await until(async () => (await answersIn(conversation)).length === 1);

    // In the middle of its work: the questions alternate, so each has an answer that differs from the one before.
    const asked: Message[] = [];
    const answering = until(async () => (await answersIn(conversation)).length >= 4).then(() => proxy.kill('SIGKILL'));
    const ask = async (n: number) => {
      for (let i = 0; i < n; i++) asked.push(await buyer.send(conversation, i % 2 === 0 ? 'shipping?' : 'return?'));
    };
    await ask(20);
    await answering;
    await proxy.ended;
    // And while it is away: two more, and one that the answer given before serves.
    await ask(2);
    await buyer.send(conversation, 'Anybody?');

    const again = await online();
    const due = [1, ...asked.map(({ seq }) => seq)].map(answerId);
    await until(async () => (await answersIn(conversation)).length >= due.length);
    // A further question, so that nothing is on its way any more when its answer is here.
    const last = await buyer.send(conversation, '发货');
    await until(async () => (await answersIn(conversation)).some(({ clientId }) => clientId === answerId(last.seq)));
    const answers = await answersIn(conversation);
    expect(answers.map(({ clientId }) => clientId)).toEqual([...due, answerId(last.seq)]);
    const expected = asked.map((_, i) => (i % 2 === 0 ? 'Shipped daily.' : 'Within 7 days, from 8:00 on.'));
    expect(answers.map(text)).toEqual([night('en', 1), ...expected, '每天发货。']);
    again.kill('SIGINT');
    expect(await again.ended).toEqual([0, null]);
  });

  it('answers what was written before it came', async () => {
    await openShop();
    const { buyer, conversation } = await enter('eli');
    for (const said of ['hello', 'shipping', 'shipping', 'hello']) await buyer.send(conversation, said);
    await online();
    await until(async () => (await answersIn(conversation)).length === 2);
    const last = await buyer.send(conversation, 'return');
    await until(async () => (await answersIn(conversation)).some(({ clientId }) => clientId === answerId(last.seq)));
    const answers = (await answersIn(conversation)).map(({ clientId }) => clientId);
    expect(answers).toEqual([answerId(1), answerId(2), answerId(last.seq)]);
  });

  it('goes on when conversations end before their turn has come', async () => {
    await openShop();
    const { proxy, client, later, hold } = await inHouse();
    await proxy.start();
    const go = hold();
    later(5 * 60_000);
    const guests = await Promise.all(Array.from({ length: 12 }, (_, i) => enter(`guest-${i}`)));
    // As many as are answered at a time wait for the hours now; the others wait for their turn, and leave.
    for (const { buyer, conversation } of guests) await buyer.send(conversation, 'hello');
    let left = 0;
    client.on('conversation:released', () => left++);
    for (const { buyer, conversation } of guests.slice(1)) await buyer.close(conversation);
    await until(() => left === 11);
    go();
    const [{ conversation } = { conversation: '' }] = guests;
    await until(async () => (await answersIn(conversation)).length === 1);
    expect((await answersIn(conversation)).map(text)).toEqual([night('en', 1)]);
    for (const gone of guests.slice(1)) expect(await answersIn(gone.conversation)).toEqual([]);
  });

  it('sees that the hours have changed, and that it is no longer the proxy', async () => {
    await openShop();
    const { proxy, logged, later } = await inHouse();
    await proxy.start();
    const { buyer, conversation } = await enter('fay');
    await buyer.send(conversation, 'hello');
    await until(async () => (await answersIn(conversation)).length === 1);
    await ours.agent('other', { name: 'Other', kind: 'robot' });
    await ours.call('PATCH', 'settings', { nightShift: { proxy: 'other', from: '09:30', until: '09:30' } });
    later(5 * 60_000);
    await buyer.send(conversation, 'hello');
    await until(async () => (await answersIn(conversation)).length === 2);
    expect((await answersIn(conversation)).map(text)).toEqual([night('en', 1), night('en', 1, '9:30')]);
    expect(logged.filter((says) => says.startsWith('this account is not the proxy'))).toHaveLength(1);
  });

  it('logs in again when its session has expired; a token that was given cannot be renewed', async () => {
    await openShop();
    const who = { url: ours.url, shop: ours.shop, agent: 'proxy' };
    const byPassword = createShopApi({ ...who, credential: { password: PASSWORD } });
    const byToken = createShopApi({ ...who, credential: { token: await ours.agentToken('proxy') } });
    const before = await byPassword.token();
    expect((await byToken.hours()).nightShift.until).toBe('08:00');
    ours.advance(13 * 3_600_000);
    expect((await byPassword.hours()).nightShift.until).toBe('08:00');
    expect(await byPassword.token()).not.toBe(before);
    await expect(byToken.hours()).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('a night proxy that cannot start', () => {
  it('says what is wrong with the password, the token or the file, and exits 1', async () => {
    await openShop();
    const cases: [object, string][] = [
      [{ passwordFile: undefined, password: 'wrong' }, `proxy of ${ours.shop}: Shop, account or password is wrong`],
      [
        { passwordFile: undefined, token: 'wrong' },
        `proxy of ${ours.shop}: The token or key is missing, expired or not`,
      ],
      [{ rulez: [] }, 'rules.json is not right:\n  rulez: there is no such field'],
    ];
    for (const [change, says] of cases) {
      const proxy = await run(change);
      expect(await proxy.ended).toEqual([1, null]);
      expect(proxy.err()).toContain(says);
      expect(proxy.err()).not.toContain('    at ');
    }
  });

  it('waits for a server that is not up yet, and says so; then goes on', async () => {
    await openShop();
    const held = createServer().listen(0, '127.0.0.1');
    await once(held, 'listening');
    const { port } = held.address() as AddressInfo;
    held.close();
    await once(held, 'close');
    const proxy = await run({ url: `http://127.0.0.1:${port}` });
    await until(() => proxy.says('waiting for the server'));
    expect(proxy.out()).toContain('ECONNREFUSED');
    proxy.kill('SIGTERM');
    expect(await proxy.ended).toEqual([0, null]);

    const later = await run({ url: `http://127.0.0.1:${port}` });
    await until(() => later.says('waiting for the server'));
    await nodeOn(port, 'first');
    await until(() => later.says('online'));
  });

  it('logs in again where its session is not taken any more, and ends where its password is not', async () => {
    await openShop();
    let node = await nodeOn(0, 'first');
    const { port } = node;
    const proxy = await online({ url: `http://127.0.0.1:${port}` });
    const { buyer, conversation } = await enter('hal');
    await node.close();
    await buyer.send(conversation, 'shipping');
    node = await nodeOn(port, 'second');
    await until(async () => (await answersIn(conversation)).length === 1);

    await ours.agent('proxy', { name: 'Night', kind: 'robot', password: 'another password' });
    await node.close();
    await nodeOn(port, 'third');
    expect(await proxy.ended).toEqual([1, null]);
    expect(proxy.err()).toContain(`proxy of ${ours.shop}: Shop, account or password is wrong`);
  });
});
