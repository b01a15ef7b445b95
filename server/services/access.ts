/** Who a token or key belongs to, and new ones. What is expired, forged, or of another shop is `unauthorized`. */
import { timingSafeEqual } from 'node:crypto';
import { type Agent, type By, type CallerKind, Refusal } from '../../client-sdk/contract/index.ts';
import { recordAudit } from '../store/audit.ts';
import { readSecret } from '../store/configure.ts';
import { type AgentActor, agentActor, type BuyerActor, byAgent, OPERATOR } from './actor.ts';
import { secretNames } from './change-config.ts';
import type { House } from './house.ts';
import { sameKey, verifyPassword } from './passwords.ts';
import { claimedSubject, signBuyer, signSession, verifyBuyer, verifySession } from './tokens.ts';

/** The two secrets of the whole installation. */
export type Keys = { readonly secret: string; readonly adminKey: string };

/** Who makes a REST call, as far as the shop of its path is concerned. */
export type Caller = { readonly kind: CallerKind; readonly actor?: AgentActor };

/** A caller as the audit log names them. Throws `unauthorized` for nobody: whoever may do that changes nothing. */
export function byCaller({ kind, actor }: Caller): By {
  if (actor) return byAgent(actor);
  if (kind === 'admin' || kind === 'api-key') return { kind };
  throw new Refusal('unauthorized');
}

const looksLikeToken = (credential: string) => credential.split('.').length === 3;

function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

/** Whether this is the admin key; a comparison takes as long wherever the first difference is. */
export const isAdminKey = (keys: Keys, credential: string) => sameText(credential, keys.adminKey);

/** The agent of a session token, as the shop has them now. Throws `unauthorized`. `now` in ms. */
export async function agentOfToken(house: House, keys: Keys, token: string, now: number): Promise<AgentActor> {
  const { id, shop } = await verifySession(token, keys.secret, now);
  const actor = await house.configs.fresh(shop).then(
    ({ config }) => agentActor(config, id),
    (error: unknown) => {
      // A shop that is not there; that Redis cannot be asked says nothing against the token.
      if (error instanceof Refusal) return undefined;
      throw error;
    },
  );
  if (!actor) throw new Refusal('unauthorized');
  return actor;
}

/** The buyer of a token that the shop's buyer secret signed. Throws `unauthorized`. `now` in ms. */
export async function buyerOfToken(house: House, token: string, now: number): Promise<BuyerActor> {
  const claimed = claimedSubject(token);
  const secret = await readSecret(house.redis, claimed.shop, secretNames.buyerSecret);
  if (!secret) throw new Refusal('unauthorized');
  const { id, shop } = await verifyBuyer(token, secret, now);
  return { kind: 'buyer', shop, id };
}

/**
 * Who calls, by the bearer credential of a request for `shop` (`undefined` where the path names none).
 *
 * Throws `unauthorized` for a credential that is none, or is of another shop.
 */
export async function callerOf(
  house: House,
  keys: Keys,
  credential: string | undefined,
  shop: string | undefined,
  now: number,
): Promise<Caller> {
  if (credential === undefined) return { kind: 'nobody' };
  if (isAdminKey(keys, credential)) return { kind: 'admin' };
  if (looksLikeToken(credential)) {
    const actor = await agentOfToken(house, keys, credential, now);
    if (shop !== undefined && actor.shop !== shop) throw new Refusal('unauthorized');
    return { kind: actor.role, actor };
  }
  const hash = shop === undefined ? null : await readSecret(house.redis, shop, secretNames.apiKey);
  if (hash && sameKey(credential, hash)) return { kind: 'api-key' };
  throw new Refusal('unauthorized');
}

/** Logs an agent in. Throws `unauthorized`, the same for a wrong password as for nobody of that name. */
export async function logIn(
  house: House,
  keys: Keys,
  who: { readonly shop: string; readonly agent: string; readonly password: string },
  now: number,
): Promise<{ token: string; agent: Agent }> {
  const stored = await readSecret(house.redis, who.shop, secretNames.password + who.agent);
  const right = await verifyPassword(who.password, stored);
  const agent = right ? (await house.configs.fresh(who.shop)).config.agents.get(who.agent) : undefined;
  if (!agent) throw new Refusal('unauthorized', 'Shop, account or password is wrong; check them and log in again.');
  return { token: await signSession({ id: agent.id, shop: who.shop }, keys.secret, now), agent };
}

/** A session token for a program that acts as this agent. Throws `not-found`. */
export async function tokenForAgent(
  house: House,
  keys: Keys,
  shop: string,
  id: string,
  now: number,
  by = OPERATOR,
): Promise<string> {
  const { config } = await house.configs.fresh(shop);
  if (!config.agents.has(id)) throw new Refusal('not-found', `There is no agent ${id} in this shop; check the id.`);
  const request = house.ids.request(shop);
  await recordAudit(house.redis, shop, { by, action: 'token:issued', target: id, changes: '', request }, now);
  return signSession({ id, shop }, keys.secret, now);
}

/** A token with which a buyer connects. Throws `not-found` for an unknown shop. */
export async function tokenForBuyer(house: House, shop: string, buyer: string, now: number): Promise<string> {
  const secret = await readSecret(house.redis, shop, secretNames.buyerSecret);
  if (!secret) throw new Refusal('not-found', `There is no shop ${shop}; check the identifier.`);
  return signBuyer({ id: buyer, shop }, secret, now);
}
