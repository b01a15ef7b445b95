/** Sessions of agents: logging in, going on, logging out, and being logged out. */
import { type Agent, type By, Refusal } from '../../client-sdk/contract/index.ts';
import { recordAudit } from '../store/audit.ts';
import { readSecret } from '../store/configure.ts';
import {
  beginSession,
  endSession,
  endSessions,
  standingMark as readMark,
  readSessions,
  refreshSession,
} from '../store/sessions.ts';
import { type AgentPass, type Keys, presentShop } from './access.ts';
import { agentActor, OPERATOR } from './actor.ts';
import type { House } from './house.ts';
import { verifyPassword } from './passwords.ts';
import { secretNames } from './secret-names.ts';
import { type SessionSubject, signRefresh, signSession, verifyRefresh, wholeSeconds } from './tokens.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How long an agent's token lasts, in ms. */
export const TOKEN_MS = HOUR;
/** How long a session lasts after it began or was last refreshed, in ms: a night between two shifts ends it. */
export const SESSION_MS = 12 * HOUR;
/** How long it lasts however often it is refreshed, in ms. */
export const SESSION_MOST_MS = 30 * 24 * HOUR;
/** For how long a refresh token that has just been used answers once more, in ms: its answer may have been lost. */
export const REFRESH_GRACE_MS = MINUTE;

export type SessionAnswer = {
  token: string;
  refreshToken: string;
  /** When the token expires; when the session does, unless it is refreshed. In ms. */
  expiresAt: number;
  sessionExpiresAt: number;
  agent: Agent;
};

const noAgent = (id: string) => new Refusal('not-found', `There is no agent ${id} in this shop; check the id.`);

async function tokenOf(keys: Keys, of: SessionSubject, sessionExpiresAt: number, now: number) {
  const expiresAt = wholeSeconds(Math.min(now + TOKEN_MS, sessionExpiresAt));
  return { token: await signSession(of, keys.secret, now, expiresAt), expiresAt };
}

async function answerOf(
  house: House,
  keys: Keys,
  { generation, ...of }: SessionSubject & { readonly generation: number },
  sessionExpiresAt: number,
  now: number,
): Promise<SessionAnswer> {
  const agent = (await house.configs.fresh(of.shop)).config.agents.get(of.id);
  if (!agent) throw new Refusal('unauthorized');
  return {
    ...(await tokenOf(keys, of, sessionExpiresAt, now)),
    refreshToken: await signRefresh({ ...of, generation }, keys.secret, now, sessionExpiresAt),
    sessionExpiresAt,
    agent,
  };
}

/** Logs an agent in. Throws `unauthorized`, the same for a wrong password as for nobody of that name. */
export async function logIn(
  house: House,
  keys: Keys,
  { shop, agent: id, password }: { readonly shop: string; readonly agent: string; readonly password: string },
  now: number,
): Promise<SessionAnswer> {
  const stored = await readSecret(house.redis, shop, secretNames.password + id);
  const wrong = () => new Refusal('unauthorized', 'Shop, account or password is wrong; check them and log in again.');
  if (!(await verifyPassword(password, stored)) || !stored) throw wrong();
  const of = { id, shop, session: house.ids.session() };
  const expiresAt = now + SESSION_MS;
  const session = { ...of, agent: id, password: stored, expiresAt, endsAt: now + SESSION_MOST_MS };
  if ((await beginSession(house.redis, session, now)) !== 'begun') throw wrong();
  return answerOf(house, keys, { ...of, generation: 0 }, expiresAt, now);
}

/**
 * A session goes on: a new token, and a new refresh token in place of the one that is shown. One that was replaced some
 * time ago ends the session: somebody else has a copy. Throws `unauthorized`.
 */
export async function refresh(
  house: House,
  keys: Keys,
  { shop, refreshToken }: { readonly shop: string; readonly refreshToken: string },
  now: number,
): Promise<SessionAnswer> {
  const of = await verifyRefresh(refreshToken, keys.secret, now);
  if (of.shop !== shop) throw new Refusal('unauthorized');
  const refreshed = await refreshSession(
    house.redis,
    shop,
    of,
    { lastsMs: SESSION_MS, graceMs: REFRESH_GRACE_MS },
    now,
  );
  if (refreshed.kind === 'reused') {
    house.log.warn({ shop, agent: of.id }, 'a refresh token was used again; the session has ended');
    house.connected.endSession(shop, of.session);
  }
  if (refreshed.kind !== 'refreshed') throw new Refusal('unauthorized');
  return answerOf(house, keys, { ...of, generation: refreshed.generation }, refreshed.expiresAt, now);
}

/** The agent logs out: the session ends, and its sockets with it. */
export async function logOut(house: House, { shop, id, session }: AgentPass): Promise<void> {
  await endSession(house.redis, shop, { session, agent: id });
  house.connected.endSession(shop, session);
}

/**
 * Ends all sessions of an agent. A supervisor may do so with agents and with themselves. Throws `not-found`, `forbidden`.
 */
export async function endAllSessions(house: House, shop: string, id: string, by: By, now: number): Promise<void> {
  const agent = (await house.configs.fresh(shop)).config.agents.get(id);
  if (!agent) throw noAgent(id);
  if (by.kind === 'supervisor' && agent.role !== 'agent' && by.id !== id) {
    throw new Refusal('forbidden', 'Only the owner may end the sessions of another supervisor, or of the owner.');
  }
  const request = house.ids.request(shop);
  await recordAudit(house.redis, shop, { by, action: 'sessions:ended', target: id, changes: '', request }, now);
  if (!(await endSessions(house.redis, shop, id, house.ids.session()))) throw noAgent(id);
  house.connected.endAgent(shop, id);
}

/** Who asks for a token for somebody else; `apiKey`: the hash of the key they ask with, and with that key it ends. */
export type Issuer = { readonly by?: By; readonly apiKey?: string | undefined };

/**
 * A token for a program that acts as this agent; it is not refreshed but asked for again. Throws `not-found`,
 * `unauthorized`.
 */
export async function tokenForAgent(
  house: House,
  keys: Keys,
  { shop, agent: id }: { readonly shop: string; readonly agent: string },
  now: number,
  { by = OPERATOR, apiKey }: Issuer = {},
): Promise<{ token: string; expiresAt: number }> {
  if (!(await house.configs.fresh(shop)).config.agents.has(id)) throw noAgent(id);
  const request = house.ids.request(shop);
  await recordAudit(house.redis, shop, { by, action: 'token:issued', target: id, changes: '', request }, now);
  const of = { id, shop, session: house.ids.session() };
  const expiresAt = now + TOKEN_MS;
  const begun = await beginSession(house.redis, { ...of, agent: id, apiKey, expiresAt, endsAt: expiresAt }, now);
  if (begun === 'gone') throw noAgent(id);
  if (begun === 'changed') throw new Refusal('unauthorized');
  return tokenOf(keys, of, expiresAt, now);
}

/** Who of these agents of one shop may stay connected, as the shop has them now. `now` in ms. */
export async function standingAgents(
  house: House,
  shop: string,
  passes: readonly AgentPass[],
  now: number,
): Promise<Map<AgentPass, AgentPass>> {
  const names = passes.map(({ session, id }) => ({ session, agent: id }));
  const [standing, config] = await Promise.all([readSessions(house.redis, shop, names), presentShop(house, shop)]);
  const stay = new Map<AgentPass, AgentPass>();
  for (const pass of passes) {
    const expiresAt = standing.get(pass.session);
    const actor = config && agentActor(config, pass.id);
    if (actor && expiresAt !== undefined && expiresAt > now)
      stay.set(pass, { ...actor, session: pass.session, expiresAt });
  }
  return stay;
}

/** Another one than before where a session or token of the shop may have been ended, or a role changed. */
export const standingMark = (house: House, shop: string): Promise<string> => readMark(house.redis, shop);
