// Sessions of agents and tokens of buyers from outside: how long they last, what ends them, and what becomes of who is connected.
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { AgentClient, BuyerClient, type CommandError } from '../../client-sdk/index.ts';
import { BUYER_FAMILY_MS, BUYER_TOKEN_MS } from '../../server/services/buyer-tokens.ts';
import { REFRESH_GRACE_MS, SESSION_MOST_MS, SESSION_MS, TOKEN_MS } from '../../server/services/sessions.ts';
import { putAgent } from '../../server/services/shops.ts';
import { endSession } from '../../server/store/sessions.ts';
import { createDispatcher, type Dispatcher } from '../support/dispatcher.ts';
import { createTestHouse } from '../support/house.ts';
import { keysOf } from '../support/shop.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'a password of the tests';
/** So that the watch looks within a test's patience. */
const BEAT_MS = 50;

type LoggedIn = { token: string; refreshToken: string; expiresAt: number; sessionExpiresAt: number };

let one: Dispatcher;
let two: Dispatcher;
const clients: { disconnect(): void }[] = [];

beforeEach(async () => {
  // Two nodes of one house.
  one = await createDispatcher(inject('redisUrl'), { shared: true, beatMs: BEAT_MS });
  two = await createDispatcher(inject('redisUrl'), { shared: true, beatMs: BEAT_MS });
  await one.agent('ann', { name: 'Ann', password: PASSWORD });
  await one.agent('sue', { name: 'Sue', role: 'supervisor', password: PASSWORD });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await one.close();
  await two.close();
});

async function send(method: string, path: string, body?: object, credential?: string) {
  const response = await fetch(`${one.url}/api/v1/${path}`, {
    method,
    headers: {
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the answer is whatever the test expects it to be
  return { status: response.status, body: (await response.json()) as any };
}
const inShop = (path: string) => `shops/${one.shop}/${path}`;
const logIn = async (agent = 'ann', password = PASSWORD): Promise<LoggedIn> =>
  (await send('POST', 'sessions', { shop: one.shop, agent, password })).body;
const refresh = (refreshToken: string) => send('POST', 'sessions/refresh', { shop: one.shop, refreshToken });
const works = async (token: string) => (await send('GET', inShop('live'), undefined, token)).status === 200;

/** A client on a node; with what ended it, once something has. */
async function connect<C extends AgentClient | BuyerClient>(client: C) {
  clients.push(client);
  const seen: { ended: CommandError | undefined } = { ended: undefined };
  // One signature for both kinds of client.
  (client as BuyerClient).on('refused', ({ error, final }) => {
    if (final) seen.ended = error;
  });
  await client.connect();
  return { client, ended: () => seen.ended?.code === 'unauthorized' };
}
const fast = { backoff: { minMs: 1, maxMs: 20 } };
const agentOn = (node: Dispatcher, token: string) => connect(new AgentClient({ url: node.url, token, ...fast }));
const buyerOn = (node: Dispatcher, token: string) => connect(new BuyerClient({ url: node.url, token, ...fast }));

function advance(ms: number): void {
  one.advance(ms);
  two.advance(ms);
}

describe('a session', () => {
  it('has tokens of an hour, and goes on with refresh tokens that each serve once', async () => {
    const first = await logIn();
    expect(first).toMatchObject({ agent: { id: 'ann', role: 'agent' } });
    expect(first.expiresAt % 1000).toBe(0);
    expect(await works(first.token)).toBe(true);
    advance(TOKEN_MS);
    expect(await works(first.token)).toBe(false);
    const second = (await refresh(first.refreshToken)).body as LoggedIn;
    expect(await works(second.token)).toBe(true);
    expect(second.sessionExpiresAt).toBeGreaterThanOrEqual(first.sessionExpiresAt + TOKEN_MS);
    // The answer was lost: the same token again.
    const again = (await refresh(first.refreshToken)).body as LoggedIn;
    advance(TOKEN_MS);
    const third = (await refresh(again.refreshToken)).body as LoggedIn;
    expect(await works(third.token)).toBe(true);
    // A token is no refresh token, nor the other way round.
    expect((await refresh(third.token)).status).toBe(401);
    expect(await works(third.refreshToken)).toBe(false);
    const elsewhere = { shop: 'another-shop', refreshToken: third.refreshToken };
    expect((await send('POST', 'sessions/refresh', elsewhere)).status).toBe(401);
  });

  it('ends, with its connections, when a refresh token comes a second time', async () => {
    const first = await logIn();
    const { ended } = await agentOn(two, first.token);
    const second = (await refresh(first.refreshToken)).body as LoggedIn;
    advance(REFRESH_GRACE_MS + 1);
    expect((await refresh(first.refreshToken)).status).toBe(401);
    expect(await works(second.token)).toBe(false);
    expect((await refresh(second.refreshToken)).status).toBe(401);
    await until(ended);
  });

  it('lasts 12 hours after its last refresh, and 30 days at most; a connection as long as it', async () => {
    const idle = await logIn();
    const busy = await logIn();
    const { ended } = await agentOn(one, idle.token);
    const { client, ended: endedToo } = await agentOn(two, busy.token);
    let { refreshToken } = busy;
    const refreshed = async () => {
      const { status, body } = await refresh(refreshToken);
      if (status === 200) refreshToken = body.refreshToken;
      return status;
    };
    advance(SESSION_MS - 60_000);
    expect(await refreshed()).toBe(200);
    advance(60_000);
    await until(ended);
    expect((await refresh(idle.refreshToken)).status).toBe(401);
    // Its own token expired long ago, and yet it stays: the session stands.
    expect(await client.setPresence('online')).toBe('online');
    for (let day = 0; day < 70; day++) {
      advance(SESSION_MS - 60_000);
      if ((await refreshed()) !== 200) break;
    }
    await until(endedToo);
    expect(await refreshed()).toBe(401);
    expect(SESSION_MOST_MS).toBeLessThan(70 * SESSION_MS);
  });

  it('ends by logging out, alone, with its connections on every node', async () => {
    const [mine, other] = [await logIn(), await logIn()];
    const { ended } = await agentOn(two, mine.token);
    const { client } = await agentOn(two, other.token);
    expect((await send('DELETE', 'sessions', undefined, mine.token)).body).toEqual({ ok: true });
    await until(ended);
    expect([await works(mine.token), await works(other.token)]).toEqual([false, true]);
    expect((await refresh(mine.refreshToken)).status).toBe(401);
    expect(client.connected).toBe(true);
  });

  it('ends with all others of the agent, by whom it is for', async () => {
    const [ann, sue, owner] = [await logIn(), await logIn('sue'), await one.agentToken('owner')];
    const end = async (agent: string, as: string) =>
      (await send('DELETE', inShop(`agents/${agent}/sessions`), undefined, as)).status;
    expect([await end('ann', ann.token), await end('owner', sue.token), await end('nobody', owner)]).toEqual([
      403, 403, 404,
    ]);
    const { ended } = await agentOn(two, ann.token);
    expect(await end('ann', sue.token)).toBe(200);
    await until(ended);
    expect((await refresh(ann.refreshToken)).status).toBe(401);
    expect(await works((await logIn()).token)).toBe(true);
    expect([await end('sue', sue.token), await works(sue.token)]).toEqual([200, false]);
    expect([await end('owner', owner), await works(owner)]).toEqual([200, false]);
  });

  it('ends with the password, the kind and the account it was begun with, not with the same password', async () => {
    const changes: [object, boolean][] = [
      [{ name: 'Ann', password: PASSWORD }, false],
      [{ name: 'Anna' }, false],
      [{ name: 'Anna', password: 'another password' }, true],
      [{ name: 'Anna', kind: 'robot' }, true],
    ];
    let password = PASSWORD;
    for (const [change, ends] of changes) {
      const { token, refreshToken } = await logIn('ann', password);
      const { client, ended } = await agentOn(two, token);
      await one.agent('ann', change);
      if (ends) await until(ended);
      else expect([client.connected, await works(token)]).toEqual([true, true]);
      expect((await refresh(refreshToken)).status).toBe(ends ? 401 : 200);
      password = (change as { password?: string }).password ?? password;
    }
    const { token } = await logIn('ann', password);
    const { ended } = await agentOn(two, token);
    await one.call('DELETE', 'agents/ann');
    await until(ended);
    await one.agent('ann', { name: 'Ann', kind: 'robot', password });
    expect(await works(token)).toBe(false);
  });

  it('of a program lasts an hour and is not refreshed; with the key it was asked for with it ends', async () => {
    const asked = (await one.call('POST', 'agents/ann/token')) as LoggedIn;
    expect(Object.keys(asked).sort()).toEqual(['expiresAt', 'token']);
    const { ended } = await agentOn(two, asked.token);
    const owner = await one.agentToken('owner');
    const byAdmin = (await one.call('POST', 'agents/owner/token', undefined, 'admin-key-of-the-tests')) as LoggedIn;
    const rotated = await send('POST', inShop('api-key'), {}, byAdmin.token);
    expect(rotated.status).toBe(200);
    await until(ended);
    expect([await works(asked.token), await works(owner), await works(byAdmin.token)]).toEqual([false, false, true]);
    expect([await works(one.apiKey), await works(rotated.body.apiKey)]).toEqual([false, true]);
    advance(TOKEN_MS);
    expect(await works(byAdmin.token)).toBe(false);
  });

  it('that has ended is found by every node, also when nobody told it', async () => {
    const { token } = await logIn();
    const { ended } = await agentOn(two, token);
    const { sid: session } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    // In the store alone: as if the telling had been lost.
    expect(await endSession(one.application.house.redis, one.shop, { session, agent: 'ann' })).toBe(true);
    await until(ended);
  });
});

describe('a role that changes while connected', () => {
  /** Whether the client hears that the owner's presence changes; the client's own presence says when to stop waiting. */
  async function hearsOfOthers(client: AgentClient, own: string): Promise<boolean> {
    let heard = false;
    const listener = ({ agent }: { agent: string }) => {
      if (agent === 'owner') heard = true;
    };
    client.on('presence:changed', listener);
    const { client: owner } = await agentOn(one, await one.agentToken('owner'));
    await owner.setPresence('online');
    await owner.setPresence('hung-up');
    // Told by the same node, after what it told of the owner.
    const ownTold = new Promise<void>((resolve) => {
      client.on('presence:changed', ({ agent }) => void (agent === own && resolve()));
    });
    const { token } = await logIn('sue');
    await send('PUT', inShop(`agents/${own}/presence`), { presence: 'online' }, token);
    await ownTold;
    await send('PUT', inShop(`agents/${own}/presence`), { presence: 'hung-up' }, token);
    client.off('presence:changed', listener);
    owner.disconnect();
    return heard;
  }

  it('hears of everybody as a supervisor, and of nobody else afterwards', async () => {
    const { client } = await agentOn(two, (await logIn()).token);
    await client.setPresence('hung-up');
    expect(await hearsOfOthers(client, 'ann')).toBe(false);
    await one.agent('ann', { name: 'Ann', role: 'supervisor' });
    expect(await hearsOfOthers(client, 'ann')).toBe(true);
    await one.agent('ann', { name: 'Ann', role: 'agent' });
    expect(await hearsOfOthers(client, 'ann')).toBe(false);
    expect(client.connected).toBe(true);
  });

  it('is found by every node, also when nobody told it', async () => {
    const { client } = await agentOn(two, (await logIn()).token);
    await client.setPresence('hung-up');
    const apart = createTestHouse(inject('redisUrl'));
    for (const role of ['supervisor', 'agent'] as const) {
      await putAgent(apart.house, one.shop, 'ann', { name: 'Ann', role, kind: 'human' }, Date.now());
      await until(async () => (await hearsOfOthers(client, 'ann')) === (role === 'supervisor'));
    }
    await apart.close();
  });

  it('steers no more from the next command on, on every node', async () => {
    const { client } = await agentOn(two, (await logIn('sue')).token);
    const buyer = await one.connectBuyer('bob');
    const { conversation } = await buyer.open();
    expect(await client.list(conversation.id)).toMatchObject({ messages: [] });
    await one.agent('sue', { name: 'Sue', role: 'agent' });
    await expect(client.list(conversation.id)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('commands', () => {
  it('of people are forbidden to robots, and those of robots to people who hold none', async () => {
    await one.agent('robo', { name: 'Robo', kind: 'robot' });
    const { client: robot } = await agentOn(one, await one.agentToken('robo'));
    const { client: ann } = await agentOn(one, (await logIn()).token);
    await expect(robot.claim('c')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ann.handover('c')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ann.claim('c')).rejects.toMatchObject({ code: 'not-found' });
    await expect(robot.handover('c')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe("a buyer's token", () => {
  const visit = async () => (await send('POST', inShop('visitors'))).body as { buyer: string; token: string };
  const renew = (token: string) => send('POST', inShop('visitors/refresh'), {}, token);
  const connects = async (token: string) =>
    connect(new BuyerClient({ url: one.url, token, ...fast })).then(
      ({ client }) => {
        client.disconnect();
        return true;
      },
      () => false,
    );
  const ownToken = (buyer: string, claims: object, secret = one.buyerSecret) =>
    new SignJWT({ sub: buyer, shop: one.shop, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));

  it('lasts a day, and is refreshed for 30 days, also by who was away; then it is over', async () => {
    const first = await visit();
    advance(BUYER_TOKEN_MS);
    expect(await connects(first.token)).toBe(false);
    const { body: second } = await renew(first.token);
    expect(second.buyer).toBe(first.buyer);
    const { ended, client } = await buyerOn(two, second.token);
    advance(BUYER_FAMILY_MS - BUYER_TOKEN_MS - 60_000);
    const { body: last } = await renew(second.token);
    expect([await connects(last.token), client.connected]).toEqual([true, true]);
    advance(60_000);
    for (const { token } of [first, second, last]) expect((await renew(token)).status).toBe(401);
    expect(await connects(last.token)).toBe(false);
    await until(ended);
  });

  it('is taken back: those given so far, everywhere, and no other', async () => {
    const bob = await one.buyerToken('bob');
    const { ended } = await buyerOn(two, bob);
    const { client: other } = await buyerOn(two, await one.buyerToken('bo'));
    const signed = await ownToken('bob', { iat: Date.now() / 1000 });
    const timeless = await ownToken('bob', {});
    await one.call('DELETE', 'buyers/bob/tokens');
    await until(ended);
    expect([await connects(bob), await connects(signed), (await renew(bob)).status]).toEqual([false, false, 401]);
    // What does not say when it was signed cannot be told from later ones.
    expect(await connects(timeless)).toBe(true);
    expect(await connects(await one.buyerToken('bob'))).toBe(true);
    expect(other.connected).toBe(true);
  });

  it('of a buyer who is erased lets nobody in, and what is kept for that does not name them', async () => {
    const token = await one.buyerToken('a-name-of-a-person');
    const { client, ended } = await buyerOn(two, token);
    await client.open();
    await one.call('DELETE', 'buyers/a-name-of-a-person');
    await until(ended);
    expect(await connects(token)).toBe(false);
    const left = await keysOf(one.application.house.redis, one.shop);
    expect(left.filter((key) => key.includes('a-name-of-a-person'))).toEqual([]);
    expect(left.filter((key) => key.includes(':revoked:'))).toHaveLength(1);
  });

  it('that the shop signed itself is not refreshed here', async () => {
    const signed = await ownToken('bob', { iat: Math.floor(Date.now() / 1000) });
    expect(await connects(signed)).toBe(true);
    expect((await renew(signed)).status).toBe(403);
    const expired = await ownToken('bob', { exp: Math.floor(Date.now() / 1000) - 60 });
    expect([await connects(expired), (await renew(expired)).status]).toEqual([false, 401]);
  });

  it('ends with the secret that signed it, and so does who came in with it', async () => {
    const { token } = await visit();
    const { ended } = await buyerOn(two, token);
    const { body } = await send('POST', inShop('buyer-secret'), {}, await one.agentToken('owner'));
    await until(ended);
    expect([await connects(token), (await renew(token)).status]).toEqual([false, 401]);
    expect(await connects(await ownToken('bob', {}, body.buyerSecret))).toBe(true);
    expect(await connects((await visit()).token)).toBe(true);
  });
});
