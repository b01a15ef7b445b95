/**
 * Hostile clients against a real process: floods, places that are taken and not used, huge and compressed payloads. People
 * of another shop talk meanwhile and must not notice.
 */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { useBesieged } from '../support/besieged.ts';
import type { Bystanders, OpenShop } from '../support/bystanders.ts';
import type { ObservedServer } from '../support/observed-process.ts';
import { joinedSocket, type RawSocket, rawConnection, rawSocket } from '../support/raw.ts';
import { until } from '../support/until.ts';

const MB = 1024 * 1024;
const HALF_OPEN = 1_000;
/** More commands than the limit of this server, and fewer packets. */
const COMMANDS = 3_000;

// Patience of the server is waited for, and memory is filled.
vi.setConfig({ testTimeout: 180_000 });

// Low enough to be reached by a machine that has little time for us.
const limits = {
  commands: { perSecond: 50, burst: 1_000 },
  packets: { perSecond: 200, burst: 4_000 },
  halfOpenOfAddress: HALF_OPEN,
  unfinishedBytes: 64 * MB,
};
const besieged = useBesieged('hostile', { LIMITS: JSON.stringify(limits) });
let server: ObservedServer;
let bystanders: Bystanders;
let shop: OpenShop;
beforeAll(() => {
  server = besieged.server();
  bystanders = besieged.bystanders();
  shop = besieged.shop();
});

/** What the hostile do, while the bystanders go on talking and the server lives. */
async function unnoticed(hostile: () => Promise<void>): Promise<void> {
  const before = bystanders.rounds;
  await Promise.all([hostile(), bystanders.talk(20)]);
  await bystanders.talk(5);
  expect(bystanders.rounds).toBeGreaterThan(before);
  expect(server.isAlive()).toBe(true);
}

type Answered = { readonly ok: boolean; readonly error?: { readonly code: string; readonly details?: unknown } };

/** What the commands of a socket were answered, by number. */
const answersOf = ({ heard }: RawSocket) =>
  heard.flatMap((text) => {
    const [, body] = /^43\/\w+,\d+(\[.*\])$/s.exec(text) ?? [];
    return body ? [(JSON.parse(body) as [Answered])[0]] : [];
  });

describe('floods', () => {
  test('a socket that sends too many commands is told to wait, and then goes on', () =>
    unnoticed(async () => {
      const socket = await joinedSocket(server.url, '/buyer', await shop.buyerToken('fast'));
      for (let i = 0; i < COMMANDS; i++) socket.websocket.send(`42/buyer,${i}["message:list",{"conversation":"none"}]`);
      await until(() => answersOf(socket).length === COMMANDS);
      const limited = answersOf(socket).filter(({ error }) => error?.code === 'rate-limited');
      expect(limited.length).toBeGreaterThan(0);
      expect(limited[0]?.error?.details).toEqual({ retryAfterMs: 1_000 });
      let asked = COMMANDS;
      await until(async () => {
        const number = asked++;
        socket.websocket.send(`42/buyer,${number}["message:list",{"conversation":"none"}]`);
        const answer = await socket.hears(`43/buyer,${number}[`);
        return answer?.includes('not-found') ?? false;
      });
      expect(socket.websocket.readyState).toBe(socket.websocket.OPEN);
      socket.websocket.close();
    }));

  test('a socket that goes on flooding is ended', () =>
    unnoticed(async () => {
      const packets = [
        '42/buyer,1["typing:set",{"conversation":"none","typing":true}]',
        '43/buyer,1[{}]',
        '3',
        '42/buyer,["nonsense"]',
      ];
      for (const packet of packets) {
        const socket = await joinedSocket(server.url, '/buyer', await shop.buyerToken('flood'));
        for (let i = 0; i < 40_000; i++) socket.websocket.send(packet);
        await socket.ended;
      }
      const socket = await joinedSocket(server.url, '/buyer', await shop.buyerToken('flood'));
      for (let i = 0; i < 40_000; i++) socket.websocket.ping();
      await socket.ended;
    }));

  test('calls by the thousand', () =>
    unnoticed(async () => {
      const codes = new Set<number>();
      const flood = async () => {
        for (let i = 0; i < 100; i++) {
          codes.add((await fetch(`${server.url}/api/v1/shops/${shop.shop}/settings`)).status);
        }
      };
      await Promise.all(Array.from({ length: 50 }, flood));
      expect([...codes]).toEqual([401]);
    }));
});

// Each waits for the patience of the server to end, all at the same time.
describe.concurrent('places that are taken and not used', () => {
  test('3,000 half-open handshakes: the oldest make room for the others', () =>
    unnoticed(async () => {
      const idle: RawSocket[] = [];
      let ended = 0;
      for (let batch = 0; batch < 30; batch++) {
        const opened = await Promise.all(Array.from({ length: 100 }, () => rawSocket(server.url)));
        for (const socket of opened) void socket.ended.then(() => ended++);
        idle.push(...opened);
      }
      await until(() => ended >= 3_000 - HALF_OPEN);
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      const [, counted] = /^fenliu_turned_away_total\{because="half-open"\} (\d+)$/m.exec(metrics) ?? [];
      expect(Number(counted)).toBeGreaterThanOrEqual(3_000 - HALF_OPEN);
      // Who has a token is let in at once, and is not in the way of the others.
      const socket = await joinedSocket(server.url, '/buyer', await shop.buyerToken('late'));
      expect(socket.websocket.readyState).toBe(socket.websocket.OPEN);
      socket.websocket.close();
      // All of them have to go in the end.
      await Promise.all(idle.map((one) => one.ended));
    }));

  test('in the root namespace nobody is anybody', async () => {
    const socket = await rawSocket(server.url);
    socket.websocket.send('40');
    const refused = await socket.hears('44');
    expect(JSON.parse(refused?.slice(2) ?? '')).toMatchObject({ data: { code: 'not-found' } });
    expect(await socket.ended).toBeGreaterThan(0);
  });

  test('a connection that leaves its namespace is half open again', async () => {
    const socket = await joinedSocket(server.url, '/buyer', await shop.buyerToken('leaver'));
    socket.websocket.send('41/buyer,');
    await socket.ended;
  });

  test('long polling that never joins, and websockets tried beside it', () =>
    unnoticed(async () => {
      const polling = `${server.url}/socket.io/?EIO=4&transport=polling`;
      const opened = await (await fetch(polling)).text();
      const { sid } = JSON.parse(opened.slice(1));
      const tried = await Promise.all(Array.from({ length: 20 }, () => rawSocket(server.url, `&sid=${sid}`)));
      for (const { websocket } of tried) if (websocket.readyState === websocket.OPEN) websocket.send('x'.repeat(MB));
      await Promise.all(tried.map((one) => one.ended));
      const answer = await fetch(`${polling}&sid=${sid}`).then(
        (response) => response.text(),
        () => 'gone',
      );
      expect(answer).not.toContain('pong');
    }));

  test('upgrades to anything else are not kept', () =>
    unnoticed(async () => {
      const upgrade = (path: string, to: string) =>
        rawConnection(
          server.port,
          `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\nSec-WebSocket-Key: x\r\n\r\n`,
        ).ended;
      for (const path of ['/', '/api/v1/openapi.json', '/socket.io/?EIO=4&transport=websocket', '//']) {
        for (const to of ['websocket', 'h2c']) await upgrade(path, to);
      }
    }));
});

describe('huge payloads', () => {
  test('nobody who has not said who they are sends more than a few kilobytes', () =>
    unnoticed(async () => {
      const socket = await rawSocket(server.url);
      socket.websocket.send(`40/buyer,${JSON.stringify({ token: 'x'.repeat(MB) })}`);
      await socket.ended;
      // Also in small pieces, and where each is refused.
      const patient = await rawSocket(server.url);
      const timer = setInterval(() => patient.websocket.send(`40/buyer,${JSON.stringify({ token: 'no' })}`), 1);
      await patient.ended;
      clearInterval(timer);
      // By long polling.
      const polling = `${server.url}/socket.io/?EIO=4&transport=polling`;
      const { sid } = JSON.parse((await (await fetch(polling)).text()).slice(1));
      const posted = await fetch(`${polling}&sid=${sid}`, { method: 'POST', body: `40/buyer,${'x'.repeat(MB)}` }).then(
        ({ status }) => status,
        () => 'ended',
      );
      expect(['ended', 400, 413]).toContain(posted);
      expect((await fetch(`${polling}&sid=${sid}`)).status).toBe(400);
    }));

  test('many who have, at once: some are ended, the others answered, and memory is bounded', () =>
    unnoticed(async () => {
      const before = await server.memory();
      const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => shop.buyerToken(`huge${i}`)));
      const sockets = await Promise.all(tokens.map((token) => joinedSocket(server.url, '/buyer', token)));
      // Each a frame of 15 MB that stops short of its end.
      const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0, 0, 0, 0]);
      const raws = sockets.map(({ websocket }) => (websocket as unknown as { _socket: NodeJS.WritableStream })._socket);
      for (const raw of raws) {
        raw.write(header);
        raw.write(Buffer.alloc(14 * MB, 'x'));
      }
      await until(() => sockets.filter(({ websocket }) => websocket.readyState === websocket.OPEN).length <= 5);
      const during = await server.memory();
      expect(during.external - before.external).toBeLessThan(160 * MB);
      // One packet of 10 MB that is whole is answered.
      const other = await joinedSocket(server.url, '/buyer', await shop.buyerToken('whole'));
      const text = 'x'.repeat(10 * MB);
      other.websocket.send(
        `42/buyer,7["message:send",{"conversation":"c","clientId":"c","body":{"type":"text","text":"${text}"}}]`,
      );
      expect(await other.hears('43/buyer,7')).toContain('"invalid"');
      for (const { websocket } of [...sockets, other]) websocket.terminate();
      await until(async () => (await server.memory()).external - before.external < 40 * MB);
    }));

  test('binary packets that are announced and do not come are bounded like any other', () =>
    unnoticed(async () => {
      const before = await server.memory();
      const tokens = await Promise.all(Array.from({ length: 8 }, (_, i) => shop.buyerToken(`binary${i}`)));
      const sockets = await Promise.all(tokens.map((token) => joinedSocket(server.url, '/buyer', token)));
      for (const { websocket } of sockets) {
        websocket.send('459-/buyer,["message:send",{"_placeholder":true,"num":0}]');
        for (let i = 0; i < 4; i++) websocket.send(Buffer.alloc(5 * MB));
      }
      await until(() => sockets.some(({ websocket }) => websocket.readyState !== websocket.OPEN));
      expect((await server.memory()).external - before.external).toBeLessThan(160 * MB);
      for (const { websocket } of sockets) websocket.terminate();
    }));
});

describe('compressed payloads', () => {
  test('sockets do not negotiate compression, and take no compressed frame', () =>
    unnoticed(async () => {
      const socket = await rawSocket(server.url, '', { perMessageDeflate: true });
      expect(socket.websocket.extensions).toBe('');
      // A text frame with the bit that says it is compressed.
      const raw = (socket.websocket as unknown as { _socket: NodeJS.WritableStream })._socket;
      raw.write(Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x32]));
      expect(await socket.ended).toBe(1002);
    }));

  test('bodies are bounded as they unfold', () =>
    unnoticed(async () => {
      const before = await server.memory();
      const zeros = Buffer.alloc(32 * MB);
      const bombs: [string, Buffer][] = [
        ['gzip', gzipSync(zeros)],
        ['deflate', deflateSync(zeros)],
        ['br', brotliCompressSync(zeros)],
      ];
      for (const [encoding, bomb] of bombs) {
        const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
        const body = new Uint8Array(bomb);
        const logIn = await fetch(`${server.url}/api/v1/sessions`, { method: 'POST', headers, body });
        expect(logIn.status).toBe(413);
        const answers = await Promise.all(
          Array.from({ length: 20 }, () =>
            fetch(`${server.url}/api/v1/shops/${shop.shop}/agents/ben`, {
              method: 'PUT',
              headers: { ...headers, authorization: `Bearer ${shop.apiKey}` },
              body,
            }),
          ),
        );
        for (const { status } of answers) expect(status).toBe(413);
      }
      expect((await server.memory()).external - before.external).toBeLessThan(40 * MB);
      // By long polling nothing is unfolded at all.
      const polling = `${server.url}/socket.io/?EIO=4&transport=polling`;
      const { sid } = JSON.parse((await (await fetch(polling)).text()).slice(1));
      const body = new Uint8Array(gzipSync('40/buyer,{}'));
      await fetch(`${polling}&sid=${sid}`, { method: 'POST', headers: { 'content-encoding': 'gzip' }, body });
      expect((await fetch(`${polling}&sid=${sid}`)).status).toBe(400);
    }));
});
