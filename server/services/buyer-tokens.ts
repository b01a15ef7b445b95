/** With what buyers come in: tokens that the shop's buyer secret signs, and how they are taken back. */
import { createHmac } from 'node:crypto';
import { type By, Refusal } from '../../client-sdk/contract/index.ts';
import { recordAudit } from '../store/audit.ts';
import { readSecret } from '../store/configure.ts';
import { readRevocations, revoke } from '../store/revocations.ts';
import type { BuyerActor } from './actor.ts';
import type { House } from './house.ts';
import { hashKey } from './passwords.ts';
import { secretNames } from './secret-names.ts';
import { type BuyerSubject, claimedSubject, signBuyer, verifyBuyer } from './tokens.ts';

const HOUR = 3_600_000;
/** How long a buyer's token lasts when we sign it, in ms. */
export const BUYER_TOKEN_MS = 24 * HOUR;
/** How long it can be refreshed again and again, in ms from the first. */
export const BUYER_FAMILY_MS = 30 * 24 * HOUR;
/** How long a revocation is remembered, in ms: longer than any token should last that a shop's back end signs. */
export const REVOCATION_MS = 400 * 24 * HOUR;

/** A buyer, and what lets them in. */
export type BuyerPass = BuyerActor & {
  readonly issuedAt?: number;
  readonly since?: number;
  /** Names the secret that signed it. */
  readonly secret: string;
  /** Names the buyer to who knows the secret: what is kept of an erased buyer must not name them. */
  readonly mark: string;
};

const markOf = (shop: string, buyer: string, secret: string) =>
  createHmac('sha256', secret).update(`${shop}\n${buyer}`).digest('base64url');

/** Whether a token was taken back: it was signed at or before `upTo`. One that does not say when cannot be. */
const isRevoked = ({ issuedAt }: Pick<BuyerSubject, 'issuedAt'>, upTo: number | undefined) =>
  issuedAt !== undefined && upTo !== undefined && issuedAt <= upTo;

/** When nothing can be refreshed any more and the buyer's sockets end, in ms; never, for what the shop signed itself. */
export const passEndsAt = ({ since }: Pick<BuyerSubject, 'since'>) =>
  since === undefined ? Number.POSITIVE_INFINITY : since + BUYER_FAMILY_MS;

async function secretOf(house: House, shop: string): Promise<string> {
  const secret = await readSecret(house.redis, shop, secretNames.buyerSecret);
  if (!secret) throw new Refusal('not-found', `There is no shop ${shop}; check the identifier.`);
  return secret;
}

/**
 * The buyer of a token that the shop's buyer secret signed. Throws `unauthorized`. `now` in ms. With `late` one of ours
 * that has expired serves too, as long as it can be refreshed: who comes again the next day is no stranger.
 */
export async function buyerOfToken(house: House, token: string, now: number, late = false): Promise<BuyerPass> {
  const { shop } = claimedSubject(token);
  const secret = await readSecret(house.redis, shop, secretNames.buyerSecret);
  if (!secret) throw new Refusal('unauthorized');
  const { id, ...subject } = await verifyBuyer(token, secret, now, late ? BUYER_FAMILY_MS : 0);
  const { since, expiresAt = Number.POSITIVE_INFINITY } = subject;
  if (since === undefined && expiresAt <= now) throw new Refusal('unauthorized');
  const pass: BuyerPass = { ...subject, kind: 'buyer', id, secret: hashKey(secret), mark: markOf(shop, id, secret) };
  const [upTo] = await readRevocations(house.redis, shop, [pass.mark]);
  if (isRevoked(pass, upTo) || passEndsAt(pass) <= now) throw new Refusal('unauthorized');
  return pass;
}

/** Of these passes of one shop, the ones that let nobody in any more. `now` in ms. */
export async function endedBuyers(
  house: House,
  shop: string,
  passes: readonly BuyerPass[],
  now: number,
): Promise<BuyerPass[]> {
  const [secret, revocations] = await Promise.all([
    readSecret(house.redis, shop, secretNames.buyerSecret),
    readRevocations(
      house.redis,
      shop,
      passes.map(({ mark }) => mark),
    ),
  ]);
  const present = secret === null ? '' : hashKey(secret);
  return passes.filter(
    (pass, i) => pass.secret !== present || isRevoked(pass, revocations[i]) || passEndsAt(pass) <= now,
  );
}

/** A token with which a buyer connects. Throws `not-found` for an unknown shop. */
export async function tokenForBuyer(house: House, shop: string, buyer: string, now: number): Promise<string> {
  return signBuyer({ id: buyer, shop, since: now }, await secretOf(house, shop), now, now + BUYER_TOKEN_MS);
}

/**
 * A token in place of one of ours, for `BUYER_FAMILY_MS` from the first on. Throws `forbidden` for one that
 * the shop's back end signed: only that knows whether there is to be another.
 */
export async function refreshBuyer(
  house: House,
  { shop, id, since }: BuyerPass,
  now: number,
): Promise<{ buyer: string; token: string }> {
  if (since === undefined) {
    throw new Refusal('forbidden', "The shop's own back end signed this token; ask it for a new one.");
  }
  const expiresAt = Math.min(now + BUYER_TOKEN_MS, passEndsAt({ since }));
  return { buyer: id, token: await signBuyer({ id, shop, since }, await secretOf(house, shop), now, expiresAt) };
}

/** Refuses every token that a buyer was given up to `now` (ms). Without a secret there are none. */
export async function refuseTokens(house: House, shop: string, buyer: string, now: number): Promise<void> {
  const secret = await readSecret(house.redis, shop, secretNames.buyerSecret);
  if (secret) await revoke(house.redis, shop, markOf(shop, buyer, secret), REVOCATION_MS, now);
}

/**
 * Refuses every token that a buyer was given up to `now` (ms), and ends their sockets. Nothing has to be known of the
 * buyer. Throws `not-found` for an unknown shop.
 */
export async function revokeBuyer(house: House, shop: string, buyer: string, by: By, now: number): Promise<void> {
  await house.configs.fresh(shop);
  const request = house.ids.request(shop);
  await recordAudit(house.redis, shop, { by, action: 'tokens:revoked', target: buyer, changes: '', request }, now);
  await refuseTokens(house, shop, buyer, now);
  house.connected.endBuyer(shop, buyer);
}
