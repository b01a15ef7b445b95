/** Who a token or key belongs to. What is expired, ended, forged, or of another shop is `unauthorized`. */
import { timingSafeEqual } from 'node:crypto';
import { type By, type CallerKind, Refusal } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../plan/config.ts';
import { readSecret } from '../store/configure.ts';
import { readSessions } from '../store/sessions.ts';
import { type AgentActor, agentActor, byAgent } from './actor.ts';
import { type BuyerPass, buyerOfToken } from './buyer-tokens.ts';
import type { House } from './house.ts';
import { hashKey, sameKey } from './passwords.ts';
import { secretNames } from './secret-names.ts';
import { claimedSubject, verifySession } from './tokens.ts';

/** The two secrets of the whole installation. */
export type Keys = { readonly secret: string; readonly adminKey: string };

/** An agent, and the session that lets them in. */
export type AgentPass = AgentActor & {
  readonly session: string;
  /** When the session ends unless it is refreshed, in ms. */
  readonly expiresAt: number;
};

/** Who makes a REST call, as far as the shop of its path is concerned. */
export type Caller = {
  readonly kind: CallerKind;
  readonly actor?: AgentPass;
  readonly buyer?: BuyerPass;
  /** The hash of the API key. */
  readonly apiKey?: string;
};

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

/** The shop as it is now, `undefined` for one that is not there. */
export async function presentShop(house: House, shop: string): Promise<ShopConfig | undefined> {
  try {
    return (await house.configs.fresh(shop)).config;
  } catch (error) {
    // That Redis cannot be asked says nothing against anybody.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** The agent of a session that stands, as the shop has them now. Throws `unauthorized`. `now` in ms. */
export async function agentOfToken(house: House, keys: Keys, token: string, now: number): Promise<AgentPass> {
  const { id, shop, session } = await verifySession(token, keys.secret, now);
  const [standing, config] = await Promise.all([
    readSessions(house.redis, shop, [{ session, agent: id }]),
    presentShop(house, shop),
  ]);
  const actor = config && agentActor(config, id);
  const expiresAt = standing.get(session);
  if (!actor || expiresAt === undefined || expiresAt <= now) throw new Refusal('unauthorized');
  return { ...actor, session, expiresAt };
}

/** What a call goes by. */
export type Called = {
  /** The shop of its path; `undefined` where the path names none. */
  readonly shop: string | undefined;
  /** Whether it is for buyers too; their tokens are no credential elsewhere. `late`: also those that have expired. */
  readonly buyers?: 'present' | 'late' | undefined;
};

async function callerOfToken(
  house: House,
  keys: Keys,
  token: string,
  { buyers }: Called,
  now: number,
): Promise<Caller> {
  if (claimedSubject(token).agent) {
    const actor = await agentOfToken(house, keys, token, now);
    return { kind: actor.role, actor };
  }
  if (!buyers) throw new Refusal('unauthorized');
  return { kind: 'buyer', buyer: await buyerOfToken(house, token, now, buyers === 'late') };
}

/**
 * Who calls, by the bearer credential of a request.
 *
 * Throws `unauthorized` for a credential that is none, or is of another shop.
 */
export async function callerOf(
  house: House,
  keys: Keys,
  credential: string | undefined,
  called: Called,
  now: number,
): Promise<Caller> {
  const { shop } = called;
  if (credential === undefined) return { kind: 'nobody' };
  if (isAdminKey(keys, credential)) return { kind: 'admin' };
  if (looksLikeToken(credential)) {
    const caller = await callerOfToken(house, keys, credential, called, now);
    if (shop !== undefined && (caller.actor ?? caller.buyer)?.shop !== shop) throw new Refusal('unauthorized');
    return caller;
  }
  const hash = shop === undefined ? null : await readSecret(house.redis, shop, secretNames.apiKey);
  if (hash && sameKey(credential, hash)) return { kind: 'api-key', apiKey: hashKey(credential) };
  throw new Refusal('unauthorized');
}
