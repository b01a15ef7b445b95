/** Sessions of agents: they begin, are refreshed, and end; and which of them stand. */
import { keysOfShop, sessionKey } from './keys.ts';
import { type Connection, loadScript, run } from './script.ts';

const beginScript = loadScript(
  'session-begin',
  ['config', 'secrets', 'session'],
  ['now', 'agentId', 'password', 'apiKey', 'expiresAt', 'endsAt'],
);
const refreshScript = loadScript(
  'session-refresh',
  ['live', 'secrets', 'session'],
  ['now', 'generation', 'lastsMs', 'graceMs'],
);
const endScript = loadScript('session-end', ['live', 'session'], ['agentId']);
const endAllScript = loadScript('sessions-end', ['live', 'config', 'secrets'], ['agentId', 'epoch']);

/** Names a session; of another agent than its own it is none. */
export type SessionName = { readonly session: string; readonly agent: string };

const keysWith = (shop: string, session: string) => {
  const keys = keysOfShop(shop);
  return { ...keys, session: sessionKey(keys, session) };
};

export type NewSession = SessionName & {
  readonly shop: string;
  /** The hash that the password was checked against. */
  readonly password?: string | undefined;
  /** The hash of the API key that asks for it. */
  readonly apiKey?: string | undefined;
  /** When it ends unless refreshed, in ms. */
  readonly expiresAt: number;
  /** When it ends however often it is refreshed, in ms. */
  readonly endsAt: number;
};

/** `gone`: no such account; `changed`: the password or key is another by now. `now` in ms. */
export async function beginSession(
  redis: Connection,
  { shop, session, agent, password = '', apiKey = '', expiresAt, endsAt }: NewSession,
  now: number,
): Promise<'gone' | 'changed' | 'begun'> {
  const args = { now, agentId: agent, password, apiKey, expiresAt, endsAt };
  const [kind] = await run(redis, beginScript, keysWith(shop, session), args);
  return kind as 'gone' | 'changed' | 'begun';
}

export type Refreshed =
  | { readonly kind: 'gone' | 'reused' }
  | { readonly kind: 'refreshed'; readonly generation: number; readonly expiresAt: number };

/** `reused`: the token of this generation had been used before, and the session has ended now. Times in ms. */
export async function refreshSession(
  redis: Connection,
  shop: string,
  shown: { readonly session: string; readonly generation: number },
  { lastsMs, graceMs }: { readonly lastsMs: number; readonly graceMs: number },
  now: number,
): Promise<Refreshed> {
  const args = { now, generation: shown.generation, lastsMs, graceMs };
  const [kind, generation, expiresAt] = await run(redis, refreshScript, keysWith(shop, shown.session), args);
  if (kind !== 'refreshed') return { kind: kind as 'gone' | 'reused' };
  return { kind, generation: Number(generation), expiresAt: Number(expiresAt) };
}

/** Answers whether there was one to end. */
export async function endSession(redis: Connection, shop: string, { session, agent }: SessionName): Promise<boolean> {
  const [kind] = await run(redis, endScript, keysWith(shop, session), { agentId: agent });
  return kind === 'ended';
}

/** Ends all of an agent's; `epoch` is one that there has not been yet. Answers whether there is such an agent. */
export async function endSessions(redis: Connection, shop: string, agent: string, epoch: string): Promise<boolean> {
  const [kind] = await run(redis, endAllScript, keysOfShop(shop), { agentId: agent, epoch });
  return kind === 'ended';
}

/**
 * Those of the sessions that were not ended, with when each expires unless refreshed (ms): in two round trips. The caller
 * compares with the present.
 */
export async function readSessions(
  redis: Connection,
  shop: string,
  names: readonly SessionName[],
): Promise<Map<string, number>> {
  if (names.length === 0) return new Map();
  const keys = keysOfShop(shop);
  const answers = await Promise.all(
    names.map(({ session }) => redis.hmget(sessionKey(keys, session), 'agent', 'epoch', 'apiKey', 'expiresAt')),
  );
  // Read after them, also where a slot moves and commands are sent on: what has changed meanwhile speaks against a
  // session, never for it.
  const agents = [...new Set(names.map(({ agent }) => agent))];
  const [apiKey, ...present] = await redis.hmget(keys.secrets, 'apiKey', ...agents.map((agent) => `epoch:${agent}`));
  const epochs = new Map(agents.map((agent, i) => [agent, present[i] ?? '']));
  const standing = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const [agent, epoch, key, expiresAt] = answers[i] ?? [];
    if (agent !== name.agent || epoch !== epochs.get(agent) || (key && key !== apiKey)) continue;
    standing.set(name.session, Number(expiresAt));
  }
  return standing;
}

/** Another one than before: sessions or tokens may have been ended, or what the shop is made of has changed. */
export async function standingMark(redis: Connection, shop: string): Promise<string> {
  return (await redis.hmget(keysOfShop(shop).live, 'version', 'revocations')).join(':');
}
