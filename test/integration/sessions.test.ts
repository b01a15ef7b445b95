// Sessions of agents from outside: how long they last, what ends them, and what becomes of who is connected.
import { describe, expect, inject, it } from 'vitest';
import type { AgentClient } from '../../client-sdk/index.ts';
import { REFRESH_GRACE_MS, SESSION_MOST_MS, SESSION_MS, TOKEN_MS } from '../../server/services/sessions.ts';
import { putAgent } from '../../server/services/shops.ts';
import { endSession } from '../../server/store/sessions.ts';
import { createTestHouse } from '../support/house.ts';
import { PASSWORD, useTwoNodes } from '../support/two-nodes.ts';
import { until } from '../support/until.ts';

type LoggedIn = { token: string; refreshToken: string; expiresAt: number; sessionExpiresAt: number };

const nodes = useTwoNodes();
const { send, inShop, works, advance, agentOn } = nodes;
const tokenOf = (agent: string) => nodes.one.agentToken(agent);
const logIn = async (agent = 'ann', password = PASSWORD): Promise<LoggedIn> =>
  (await send('POST', 'sessions', { shop: nodes.one.shop, agent, password })).body;
const refresh = (refreshToken: string) => send('POST', 'sessions/refresh', { shop: nodes.one.shop, refreshToken });

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
    const { ended } = await agentOn(nodes.two, first.token);
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
    const { ended } = await agentOn(nodes.one, idle.token);
    const { client, ended: endedToo } = await agentOn(nodes.two, busy.token);
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
    const { ended } = await agentOn(nodes.two, mine.token);
    const { client } = await agentOn(nodes.two, other.token);
    expect((await send('DELETE', 'sessions', undefined, mine.token)).body).toEqual({ ok: true });
    await until(ended);
    expect([await works(mine.token), await works(other.token)]).toEqual([false, true]);
    expect((await refresh(mine.refreshToken)).status).toBe(401);
    expect(client.connected).toBe(true);
  });

  it('ends with all others of the agent, by whom it is for', async () => {
    const ann = await logIn();
    const [sue, owner] = [await tokenOf('sue'), await tokenOf('owner')];
    const end = async (agent: string, as: string) =>
      (await send('DELETE', inShop(`agents/${agent}/sessions`), undefined, as)).status;
    expect([await end('ann', ann.token), await end('owner', sue), await end('nobody', owner)]).toEqual([403, 403, 404]);
    const { ended } = await agentOn(nodes.two, ann.token);
    expect(await end('ann', sue)).toBe(200);
    await until(ended);
    expect((await refresh(ann.refreshToken)).status).toBe(401);
    expect(await works((await logIn()).token)).toBe(true);
    expect([await end('sue', sue), await works(sue)]).toEqual([200, false]);
    expect([await end('owner', owner), await works(owner)]).toEqual([200, false]);
  });

  it('ends with the password, the kind and the account it was begun with, not with the same password', async () => {
    const changes: [object, boolean][] = [
      [{ name: 'Pat', password: PASSWORD }, false],
      [{ name: 'Patricia' }, false],
      [{ name: 'Patricia', password: 'another password' }, true],
      [{ name: 'Patricia', kind: 'robot' }, true],
    ];
    await nodes.one.agent('pat', { name: 'Pat', password: PASSWORD });
    let password = PASSWORD;
    for (const [change, ends] of changes) {
      const { token, refreshToken } = await logIn('pat', password);
      const { client, ended } = await agentOn(nodes.two, token);
      await nodes.one.agent('pat', change);
      if (ends) await until(ended);
      else expect([client.connected, await works(token)]).toEqual([true, true]);
      expect((await refresh(refreshToken)).status).toBe(ends ? 401 : 200);
      password = (change as { password?: string }).password ?? password;
    }
    const { token } = await logIn('pat', password);
    const { ended } = await agentOn(nodes.two, token);
    await nodes.one.call('DELETE', 'agents/pat');
    await until(ended);
    await nodes.one.agent('pat', { name: 'Pat', kind: 'robot', password });
    expect(await works(token)).toBe(false);
  });

  it('of a program lasts an hour and is not refreshed; with the key it was asked for with it ends', async () => {
    const { id, apiKey } = await nodes.openShop();
    const token = async (as: string): Promise<LoggedIn> =>
      (await send('POST', `shops/${id}/agents/owner/token`, undefined, as)).body;
    const worksThere = async (as: string) => (await send('GET', `shops/${id}/live`, undefined, as)).status === 200;
    const [byKey, byAdmin] = [await token(apiKey), await token(nodes.adminKey)];
    expect(Object.keys(byKey).sort()).toEqual(['expiresAt', 'token']);
    const { ended } = await agentOn(nodes.two, byKey.token);
    const rotated = await send('POST', `shops/${id}/api-key`, {}, byAdmin.token);
    expect(rotated.status).toBe(200);
    await until(ended);
    expect([await worksThere(byKey.token), await worksThere(byAdmin.token)]).toEqual([false, true]);
    expect([await worksThere(apiKey), await worksThere(rotated.body.apiKey)]).toEqual([false, true]);
    advance(TOKEN_MS);
    expect(await worksThere(byAdmin.token)).toBe(false);
  });

  it('that has ended is found by every node, also when nobody told it', async () => {
    const { token } = await logIn();
    const { ended } = await agentOn(nodes.two, token);
    const { sid: session } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    // In the store alone: as if the telling had been lost.
    expect(await endSession(nodes.one.application.house.redis, nodes.one.shop, { session, agent: 'ann' })).toBe(true);
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
    const { client: owner } = await agentOn(nodes.one, await nodes.one.agentToken('owner'));
    await owner.setPresence('online');
    await owner.setPresence('hung-up');
    // Told by the same node, after what it told of the owner.
    const ownTold = new Promise<void>((resolve) => {
      client.on('presence:changed', ({ agent }) => void (agent === own && resolve()));
    });
    const token = await tokenOf('sue');
    await send('PUT', inShop(`agents/${own}/presence`), { presence: 'online' }, token);
    await ownTold;
    await send('PUT', inShop(`agents/${own}/presence`), { presence: 'hung-up' }, token);
    client.off('presence:changed', listener);
    owner.disconnect();
    return heard;
  }

  it('hears of everybody as a supervisor, and of nobody else afterwards', async () => {
    const { client } = await agentOn(nodes.two, await tokenOf('ann'));
    await client.setPresence('hung-up');
    expect(await hearsOfOthers(client, 'ann')).toBe(false);
    await nodes.one.agent('ann', { name: 'Ann', role: 'supervisor' });
    expect(await hearsOfOthers(client, 'ann')).toBe(true);
    await nodes.one.agent('ann', { name: 'Ann', role: 'agent' });
    expect(await hearsOfOthers(client, 'ann')).toBe(false);
    expect(client.connected).toBe(true);
  });

  it('is found by every node, also when nobody told it', async () => {
    const { client } = await agentOn(nodes.two, await tokenOf('ann'));
    await client.setPresence('hung-up');
    const apart = createTestHouse(inject('redisUrl'));
    for (const role of ['supervisor', 'agent'] as const) {
      await putAgent(apart.house, nodes.one.shop, 'ann', { name: 'Ann', role, kind: 'human' }, Date.now());
      await until(async () => (await hearsOfOthers(client, 'ann')) === (role === 'supervisor'));
    }
    await apart.close();
  });

  it('steers no more from the next command on, on every node', async () => {
    await nodes.one.agent('sam', { name: 'Sam', role: 'supervisor' });
    const { client } = await agentOn(nodes.two, await tokenOf('sam'));
    const buyer = await nodes.one.connectBuyer('bob');
    const { conversation } = await buyer.open();
    expect(await client.list(conversation.id)).toMatchObject({ messages: [] });
    await nodes.one.agent('sam', { name: 'Sam', role: 'agent' });
    await expect(client.list(conversation.id)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('commands', () => {
  it('of people are forbidden to robots, and those of robots to people who hold none', async () => {
    await nodes.one.agent('robo', { name: 'Robo', kind: 'robot' });
    const { client: robot } = await agentOn(nodes.one, await nodes.one.agentToken('robo'));
    const { client: ann } = await agentOn(nodes.one, await tokenOf('ann'));
    await expect(robot.claim('c')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ann.handover('c')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ann.claim('c')).rejects.toMatchObject({ code: 'not-found' });
    await expect(robot.handover('c')).rejects.toMatchObject({ code: 'not-found' });
  });
});
