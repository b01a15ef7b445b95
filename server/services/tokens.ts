/**
 * Tokens: of an agent's session and of its refreshes, signed by us; of a buyer, signed by us or by the shop's own back
 * end. HS256, nothing else. Times are in ms since the epoch; within a token in seconds.
 */
import { decodeJwt, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { identifier, Refusal } from '../../client-sdk/contract/index.ts';

const subject = z.looseObject({ sub: identifier, shop: identifier });
const session = subject.extend({ sid: identifier });
const refresh = session.extend({ generation: z.int().min(0) });
const buyer = subject
  .extend({ iat: z.number(), since: z.number(), exp: z.number() })
  .partial({ iat: true, since: true, exp: true });

export type Subject = { readonly id: string; readonly shop: string };
/** `session` names what the store knows of it. */
export type SessionSubject = Subject & { readonly session: string };
/** `generation`: how often the session has been refreshed before. */
export type RefreshSubject = SessionSubject & { readonly generation: number };
export type BuyerSubject = Subject & {
  /** When it was signed; the shop's back end may leave it out. */
  readonly issuedAt?: number;
  /** When the first of those was signed that were refreshed into this one; only ours say so. */
  readonly since?: number;
  readonly expiresAt?: number;
};

const bytes = (secret: string) => new TextEncoder().encode(secret);

/** When something ends, as a token can say it: in whole seconds. */
export const wholeSeconds = (ms: number) => Math.floor(ms / 1000) * 1000;

/** Issued to the millisecond: what was signed just after a revocation is not taken for older than it. */
const sign = (claims: JWTPayload, of: Subject, secret: string, audience: string, now: number, expiresAt: number) =>
  new SignJWT({ shop: of.shop, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(of.id)
    .setAudience(audience)
    .setIssuedAt(now / 1000)
    .setExpirationTime(Math.floor(expiresAt / 1000))
    .sign(bytes(secret));

export const signSession = (of: SessionSubject, secret: string, now: number, expiresAt: number) =>
  sign({ sid: of.session }, of, secret, 'agent', now, expiresAt);
export const signRefresh = (of: RefreshSubject, secret: string, now: number, expiresAt: number) =>
  sign({ sid: of.session, generation: of.generation }, of, secret, 'refresh', now, expiresAt);
export const signBuyer = (
  of: Subject & { readonly since: number },
  buyerSecret: string,
  now: number,
  expiresAt: number,
) => sign({ since: of.since / 1000 }, of, buyerSecret, 'buyer', now, expiresAt);

/** Whom a token claims to be of, and whether as an agent; nothing of it is verified yet. Throws `unauthorized`. */
export function claimedSubject(token: string): Subject & { readonly agent: boolean } {
  try {
    const claims = decodeJwt(token);
    const { sub, shop } = subject.parse(claims);
    return { id: sub, shop, agent: claims.aud === 'agent' };
  } catch {
    throw new Refusal('unauthorized');
  }
}

type Check<T> = { readonly schema: z.ZodType<T>; readonly secret: string; readonly now: number };

async function verify<T>(token: string, { schema, secret, now }: Check<T>, more: JWTVerifyOptions): Promise<T> {
  try {
    const options = { ...more, algorithms: ['HS256'], currentDate: new Date(now) };
    return schema.parse((await jwtVerify(token, bytes(secret), options)).payload);
  } catch {
    throw new Refusal('unauthorized');
  }
}

/** Throws `unauthorized` for a token that is expired, forged, or of no session. */
export async function verifySession(token: string, secret: string, now: number): Promise<SessionSubject> {
  const { sub, shop, sid } = await verify(token, { schema: session, secret, now }, { audience: 'agent' });
  return { id: sub, shop, session: sid };
}

/** Throws `unauthorized`. */
export async function verifyRefresh(token: string, secret: string, now: number): Promise<RefreshSubject> {
  const { sub, shop, sid, generation } = await verify(token, { schema: refresh, secret, now }, { audience: 'refresh' });
  return { id: sub, shop, session: sid, generation };
}

/**
 * Throws `unauthorized`. A shop's back end may leave the audience, the time and the expiry out. `lateMs`: so long ago it
 * may have expired.
 */
export async function verifyBuyer(token: string, buyerSecret: string, now: number, lateMs = 0): Promise<BuyerSubject> {
  const check = { schema: buyer, secret: buyerSecret, now };
  const { sub, shop, iat, since, exp } = await verify(token, check, { clockTolerance: lateMs / 1000 });
  const ms = (seconds: number) => Math.round(seconds * 1000);
  return {
    id: sub,
    shop,
    ...(iat === undefined ? {} : { issuedAt: ms(iat) }),
    ...(since === undefined ? {} : { since: ms(since) }),
    ...(exp === undefined ? {} : { expiresAt: ms(exp) }),
  };
}
