/** Tokens: a session of an agent, signed by us; a buyer, signed by us or by the shop's own back end. HS256, nothing else. */
import { decodeJwt, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { identifier, Refusal } from '../../client-sdk/contract/index.ts';

const HOUR = 3_600_000;
/** How long an agent's session lasts, in ms: a long shift. */
export const SESSION_MS = 12 * HOUR;
/** How long a buyer's token lasts when we sign it, in ms. */
export const BUYER_TOKEN_MS = 30 * 24 * HOUR;

const subject = z.looseObject({ sub: identifier, shop: identifier });
export type Subject = { readonly id: string; readonly shop: string };

const bytes = (secret: string) => new TextEncoder().encode(secret);

async function sign(subject: Subject, secret: string, audience: string, now: number, lastsMs: number): Promise<string> {
  return new SignJWT({ shop: subject.shop })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject.id)
    .setAudience(audience)
    .setIssuedAt(Math.floor(now / 1000))
    .setExpirationTime(Math.floor((now + lastsMs) / 1000))
    .sign(bytes(secret));
}

/** `now` in ms since the epoch. */
export const signSession = (subject: Subject, secret: string, now: number) =>
  sign(subject, secret, 'agent', now, SESSION_MS);
export const signBuyer = (subject: Subject, buyerSecret: string, now: number) =>
  sign(subject, buyerSecret, 'buyer', now, BUYER_TOKEN_MS);

/** Whom a token claims to be of; nothing of it is verified yet. Throws `unauthorized`. */
export function claimedSubject(token: string): Subject {
  try {
    const { sub, shop } = subject.parse(decodeJwt(token));
    return { id: sub, shop };
  } catch {
    throw new Refusal('unauthorized');
  }
}

async function verify(token: string, secret: string, now: number, audience: string | undefined): Promise<Subject> {
  try {
    const { payload } = await jwtVerify(token, bytes(secret), {
      algorithms: ['HS256'],
      currentDate: new Date(now),
      ...(audience ? { audience } : {}),
    });
    const { sub, shop } = subject.parse(payload);
    return { id: sub, shop };
  } catch {
    throw new Refusal('unauthorized');
  }
}

/** Throws `unauthorized` for a session that is expired, forged, or no session. */
export const verifySession = (token: string, secret: string, now: number) => verify(token, secret, now, 'agent');
/** Throws `unauthorized`. A shop's back end may leave the audience and the expiry out. */
export const verifyBuyer = (token: string, buyerSecret: string, now: number) =>
  verify(token, buyerSecret, now, undefined);
