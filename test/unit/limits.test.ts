/** What is counted where it happens: flows, tallies, bytes; whose a request is; and packets that are not read. */
import { describe, expect, it, test } from 'vitest';
import { addressOf, pageOf } from '../../server/edge/came-from.ts';
import { createIntakes } from '../../server/edge/sockets/intake.ts';
import { packetParser, UNREAD } from '../../server/edge/sockets/packets.ts';
import { defaultLimits, limitChanges } from '../../server/services/allowances.ts';
import { createFlow } from '../../server/services/flow.ts';
import { createTally } from '../../server/services/tally.ts';
import type { Counted } from '../../server/store/rates.ts';

test('a flow: so many at once, then so many a second', () => {
  const flow = createFlow({ perSecond: 10, burst: 5 });
  const many = (now: number) => Array.from({ length: 8 }, () => flow.take(now)).filter(Boolean).length;
  expect(many(1_000)).toBe(5);
  expect(many(1_000)).toBe(0);
  expect(many(1_200)).toBe(2);
  expect(many(60_000)).toBe(5);
  expect(flow.take(60_000, 6)).toBe(false);
});

describe('a tally', () => {
  /** Redis as far as a tally sees it, with what the other nodes have counted. */
  function counting(count: number) {
    const told: number[] = [];
    const replies: ((counted: Counted) => void)[] = [];
    let now = 0;
    const tally = createTally(
      {
        allowance: { count, seconds: 60 },
        add(_key, n = 1) {
          told.push(n);
          return new Promise((resolve) => replies.push(resolve));
        },
        look: async () => undefined,
      },
      () => now,
      () => {},
    );
    return {
      tally,
      told,
      pass: (ms: number) => {
        now += ms;
      },
      async reply(counted: Counted) {
        replies.shift()?.(counted);
        await Promise.resolve();
        await Promise.resolve();
      },
    };
  }

  it('tells Redis every twentieth part, and nothing of who stays below it', () => {
    const { tally, told } = counting(1_000);
    for (let i = 0; i < 49; i++) expect(tally.count('a')).toBe(0);
    expect(told).toEqual([]);
    for (let i = 0; i < 101; i++) tally.count('a');
    expect(told).toEqual([50, 50, 50]);
  });

  it('believes what all nodes together have counted, and when their window ends', async () => {
    const { tally, reply, pass } = counting(100);
    for (let i = 0; i < 5; i++) tally.count('a');
    tally.count('a');
    await reply({ used: 99, endsInMs: 20_000 });
    expect(tally.count('a')).toBe(20_000);
    pass(19_999);
    expect(tally.count('a')).toBe(1);
    pass(1);
    expect(tally.count('a')).toBe(0);
  });

  it('counts each key for itself', () => {
    const { tally } = counting(1);
    expect([tally.count('a'), tally.count('b'), tally.count('a')]).toEqual([0, 0, 60_000]);
  });
});

describe('bytes', () => {
  const MB = 1024 * 1024;
  function intakes() {
    const ended: string[] = [];
    const allowed = { bytes: { perSecond: MB, burst: 30 * MB }, bytesBeforeJoining: 1_000, unfinishedBytes: 20 * MB };
    const open = createIntakes({ allowed, time: () => 1_000 });
    return { ended, open: (name: string) => open(() => void ended.push(name)) };
  }

  it('before joining: few, all together', () => {
    const { ended, open } = intakes();
    const guest = open('guest');
    guest.received(600);
    guest.packet('message', '40/buyer,{}');
    expect(ended).toEqual([]);
    guest.received(600);
    expect(ended).toEqual(['guest']);
  });

  it('after it: as many as flow', () => {
    const { ended, open } = intakes();
    const guest = open('guest');
    guest.joined();
    for (let i = 0; i < 3; i++) {
      guest.received(10 * MB);
      guest.packet('message', '2');
    }
    expect(ended).toEqual([]);
    guest.received(1);
    expect(ended).toEqual(['guest']);
  });

  it('that are not whole: of all together, the largest is ended for the others', () => {
    const { ended, open } = intakes();
    const [small, large, other] = ['small', 'large', 'other'].map((name) => {
      const guest = open(name);
      guest.joined();
      return guest;
    });
    small?.received(5 * MB);
    large?.received(9 * MB);
    other?.received(6 * MB);
    expect(ended).toEqual([]);
    other?.received(MB);
    expect(ended).toEqual(['large']);
    other?.received(MB);
    expect(ended).toEqual(['large']);
    other?.packet('message', '2["x"]');
    small?.closed();
    large?.received(20 * MB);
    expect(ended).toEqual(['large']);
  });

  it('binary packets that belong to an earlier one are kept, and so counted, until the last has come', () => {
    const { ended, open } = intakes();
    const [binary, other] = ['binary', 'other'].map((name) => {
      const guest = open(name);
      guest.joined();
      return guest;
    });
    binary?.packet('message', '52-/buyer,["x"]');
    binary?.received(9 * MB);
    binary?.packet('message', Buffer.alloc(9 * MB));
    binary?.packet('pong', undefined);
    other?.received(12 * MB);
    expect(ended).toEqual(['other']);
    binary?.received(MB);
    binary?.packet('message', Buffer.alloc(MB));
    other?.received(12 * MB);
    expect(ended).toEqual(['other']);
  });
});

describe('whose a request is', () => {
  const request = (headers: object, remoteAddress = '10.0.0.1') =>
    ({ headers, socket: { remoteAddress } }) as Parameters<typeof addressOf>[0];

  it.each([
    [0, undefined, '10.0.0.1'],
    [0, '192.0.2.7', '10.0.0.1'],
    [1, undefined, '10.0.0.1'],
    [1, '192.0.2.7', '192.0.2.7'],
    [1, '203.0.113.9, 192.0.2.7', '192.0.2.7'],
    [2, '203.0.113.9, 192.0.2.7', '203.0.113.9'],
    [5, '203.0.113.9, 192.0.2.7', '203.0.113.9'],
  ])('behind %i proxies, forwarded for %s: %s', (trustProxy, forwarded, address) => {
    expect(addressOf(request(forwarded ? { 'x-forwarded-for': forwarded } : {}), trustProxy)).toBe(address);
  });

  it.each([
    ['https://chat.example', { host: 'chat.example' }, 0, true],
    ['https://chat.example', { host: 'chat.example:443' }, 0, true],
    ['http://chat.example', { host: 'chat.example:80' }, 0, true],
    ['http://localhost:3000', { host: 'localhost:3000' }, 0, true],
    ['https://Chat.example', { host: 'CHAT.example' }, 0, true],
    ['http://localhost:3001', { host: 'localhost:3000' }, 0, false],
    ['https://chat.example', { host: 'node-1', 'x-forwarded-host': 'chat.example' }, 1, true],
    ['https://chat.example', { host: 'node-1', 'x-forwarded-host': 'chat.example' }, 0, false],
    ['null', { host: 'null' }, 0, false],
    ['file://', { host: '' }, 0, false],
    ['file://', {}, 0, false],
    ['nonsense', { host: 'nonsense' }, 0, false],
  ])('a page of %s that asks %j, behind %i proxies: own is %s', (origin, headers, trustProxy, own) => {
    expect(pageOf(request({ ...headers, origin }), trustProxy)).toEqual({ origin, own });
  });

  it('no origin, no page', () => expect(pageOf(request({ host: 'x' }), 0)).toBeUndefined());
});

describe('packets larger than any command', () => {
  const decode = (packet: string) => {
    const decoded: object[] = [];
    const decoder = new packetParser.Decoder();
    decoder.on('decoded', (one) => void decoded.push(one));
    decoder.add(packet);
    return decoded[0];
  };
  const huge = 'x'.repeat(300_000);

  it.each([
    [`2/buyer,17["message:send",{"text":"${huge}"}]`, { nsp: '/buyer', id: 17, data: ['message:send', UNREAD] }],
    [`2/agent,["chat:open",${'['.repeat(300_000)}`, { nsp: '/agent', data: ['chat:open', UNREAD] }],
    [`27["${huge}"]`, { nsp: '/', id: 7, data: ['unread', UNREAD] }],
    [`2/buyer,1[["${huge}"]]`, { nsp: '/buyer', id: 1, data: ['unread', UNREAD] }],
  ])('%.30s is answered unread', (packet, expected) => expect(decode(packet)).toMatchObject({ type: 2, ...expected }));

  it.each([`3/buyer,1["${huge}"]`, `0/buyer,{"token":"${huge}"}`, `51-/buyer,["x","${huge}"]`, huge])(
    '%.30s is no packet of ours',
    (packet) => expect(() => decode(packet)).toThrow(),
  );

  it('is read as ever where it is smaller', () =>
    expect(decode('2/buyer,1["chat:open",{"product":"tea"}]')).toMatchObject({
      data: ['chat:open', { product: 'tea' }],
    }));
});

test('every limit can be changed, and no other', () => {
  expect(limitChanges.parse(defaultLimits)).toEqual(defaultLimits);
  expect(limitChanges.safeParse({ ...defaultLimits, surprise: 1 }).success).toBe(false);
  expect(limitChanges.safeParse({ connections: 0 }).success).toBe(false);
});
