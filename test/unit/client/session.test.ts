/** Sessions and visitors as the SDK keeps them going, against a server that the test makes up, at the test's own time. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CommandError, type KeptSession, logIn, resumeSession, visitor } from '../../../client-sdk/index.ts';
import type { Asked, RestCall } from '../../../client-sdk/rest-call.ts';

const HOUR = 3_600_000;
/** By the server's clock, which is not this machine's. */
const SERVER_NOW = 1_000_000;
const url = 'http://127.0.0.1:1';
const agent = { id: 'ann', name: 'Ann', role: 'agent', kind: 'human' } as const;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url');
const tokenOf = (n: number, lastsS = HOUR / 1000) =>
  `${part({ alg: 'HS256' })}.${part({ n, iat: SERVER_NOW, exp: SERVER_NOW + lastsS })}.x`;

/** Answers every call with the next token, or as the test says; and keeps what was asked. */
function madeUp(answer?: (path: string, n: number) => object | undefined) {
  const asked: (Asked & { path: string })[] = [];
  let n = 0;
  const rest: RestCall = async <T>(path: string, more: Asked = {}) => {
    asked.push({ path, ...more });
    const said = answer?.(path, n);
    if (said instanceof Error) throw said;
    n += 1;
    return (said ?? { token: tokenOf(n), refreshToken: `refresh-${n}`, agent, buyer: 'visitor-1' }) as T;
  };
  return { rest, asked, paths: () => asked.map(({ path }) => path) };
}
const unavailable = new CommandError('unavailable', 'not now');
const unauthorized = new CommandError('unauthorized', 'log in again');
const account = { shop: 's', agent: 'ann', password: 'p' };

describe('a session', () => {
  test('is refreshed well before its token expires, whatever this machine takes for the time', async () => {
    const server = madeUp();
    const kept: (KeptSession | undefined)[] = [];
    const session = await logIn({ url, ...account, rest: server.rest, onChange: (now) => kept.push(now) });
    expect(server.asked).toEqual([{ path: '/sessions', method: 'POST', body: account }]);
    expect(await session.getToken()).toBe(tokenOf(1));
    await vi.advanceTimersByTimeAsync(0.79 * HOUR);
    expect(server.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(0.02 * HOUR);
    expect(server.asked[1]).toMatchObject({
      path: '/sessions/refresh',
      body: { shop: 's', refreshToken: 'refresh-1' },
    });
    expect(await session.getToken()).toBe(tokenOf(2));
    expect(kept.map((now) => now?.refreshToken)).toEqual(['refresh-1', 'refresh-2']);
    session.stop();
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(server.asked).toHaveLength(2);
  });

  test('refreshes at once when its token was refused, once for all who ask', async () => {
    const server = madeUp();
    const session = await logIn({ url, ...account, rest: server.rest });
    const old = await session.getToken();
    const fresh = await Promise.all([session.getToken(old), session.getToken(old)]);
    expect(fresh).toEqual([tokenOf(2), tokenOf(2)]);
    // Refused to somebody who had it from before.
    expect(await session.getToken(old)).toBe(tokenOf(2));
    expect(server.paths()).toEqual(['/sessions', '/sessions/refresh']);
    session.stop();
  });

  test('tries again while the server is away, and the token serves meanwhile', async () => {
    let away = true;
    const server = madeUp((path) => (path === '/sessions/refresh' && away ? unavailable : undefined));
    const session = await logIn({ url, ...account, rest: server.rest });
    await vi.advanceTimersByTimeAsync(0.85 * HOUR);
    expect(server.asked.length).toBeGreaterThan(2);
    expect(await session.getToken()).toBe(tokenOf(1));
    await expect(session.getToken(tokenOf(1))).rejects.toMatchObject({ code: 'unavailable' });
    away = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await session.getToken()).toBe(tokenOf(2));
    session.stop();
  });

  test('that is over says so, once and for all', async () => {
    const server = madeUp((path) => (path === '/sessions/refresh' ? unauthorized : undefined));
    const onChange = vi.fn();
    const session = await logIn({ url, ...account, rest: server.rest, onChange });
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(onChange).toHaveBeenLastCalledWith(undefined);
    await expect(session.getToken()).rejects.toMatchObject({ code: 'unauthorized' });
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(server.paths()).toEqual(['/sessions', '/sessions/refresh']);
  });

  test('goes on after a reload, and ends by logging out', async () => {
    const server = madeUp();
    let kept: KeptSession | undefined;
    const onChange = (now: KeptSession | undefined) => {
      kept = now;
    };
    (await logIn({ url, ...account, rest: server.rest, onChange })).stop();
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    const again = resumeSession(JSON.parse(JSON.stringify(kept)), { url, rest: server.rest, onChange });
    expect(again).toMatchObject({ shop: 's', agent });
    expect(await again.getToken()).toBe(tokenOf(2));
    await again.logOut();
    expect(server.asked.at(-1)).toEqual({ path: '/sessions', method: 'DELETE', token: tokenOf(2) });
    expect(kept).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(server.asked).toHaveLength(3);
  });

  test('of a wrong password is none', async () => {
    const { rest } = madeUp(() => unauthorized);
    await expect(logIn({ url, ...account, rest })).rejects.toBe(unauthorized);
  });
});

describe('a visitor', () => {
  test('is made once, remembered, and their token renewed', async () => {
    const server = madeUp();
    const onChange = vi.fn();
    const first = await visitor({ url, shop: 's', rest: server.rest, onChange });
    expect(first.buyer).toBe('visitor-1');
    const [kept] = onChange.mock.lastCall ?? [];
    first.stop();
    const again = await visitor({ url, shop: 's', kept, rest: server.rest, onChange });
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(server.asked).toEqual([
      { path: '/shops/s/visitors', method: 'POST' },
      { path: '/shops/s/visitors/refresh', method: 'POST', token: tokenOf(1) },
    ]);
    expect(await again.getToken()).toBe(tokenOf(2));
    again.stop();
  });

  test("whose token the shop's back end signed keeps it, until it is refused", async () => {
    const token = tokenOf(7);
    let refuse = new CommandError('forbidden', 'ask the shop');
    const server = madeUp(() => refuse);
    const onChange = vi.fn();
    const buyer = await visitor({ url, shop: 's', kept: { buyer: 'bob', token }, rest: server.rest, onChange });
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(await buyer.getToken()).toBe(token);
    refuse = unauthorized;
    await expect(buyer.getToken(token)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(onChange).toHaveBeenLastCalledWith(undefined);
  });

  test('whose token does not say when it expires is asked about only when it is refused', async () => {
    const server = madeUp();
    const buyer = await visitor({ url, shop: 's', kept: { buyer: 'bob', token: 'not.a.token' }, rest: server.rest });
    await vi.advanceTimersByTimeAsync(1_000 * HOUR);
    expect(await buyer.getToken()).toBe('not.a.token');
    expect(server.asked).toEqual([]);
    expect(await buyer.getToken('not.a.token')).toBe(tokenOf(1));
    buyer.stop();
  });
});
