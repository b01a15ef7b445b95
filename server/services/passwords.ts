/** Passwords and keys as they are kept: never in clear. */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { createGate } from './gate.ts';

type Cost = { readonly N: number; readonly r: number; readonly p: number };

/** As OWASP's Password Storage Cheat Sheet has it for 32 MiB a hash. */
const COST: Cost = { N: 2 ** 15, r: 8, p: 3 };
/** Of passwords whose hash does not say its cost: those set before it did. */
const OLD_COST: Cost = { N: 2 ** 15, r: 8, p: 1 };
/** Of passwords that we made up: nobody guesses one of forty random letters, whatever a guess costs. */
const MADE_UP_COST: Cost = { N: 2 ** 10, r: 8, p: 1 };
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;
const LENGTH = 32;

/**
 * Two hashes at once: libuv has four threads, and looking up names and reading files need some too. No more wait than are
 * done in the time that a call may take.
 */
const gate = createGate(2, 40);

const derive = (password: string, salt: Buffer, cost: Cost) =>
  gate(
    () =>
      new Promise<Buffer>((resolve, reject) => {
        scrypt(password, salt, LENGTH, { ...cost, maxmem: MAX_MEMORY_BYTES }, (error, key) =>
          error ? reject(error) : resolve(key),
        );
      }),
  );

async function hashAt(password: string, cost: Cost): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  return `scrypt$${cost.N},${cost.r},${cost.p}$${salt.toString('base64')}$${key.toString('base64')}`;
}

/** scrypt with a salt of its own, as `scrypt$N,r,p$salt$key`, salt and key in base64. Throws `unavailable`. */
export const hashPassword = (password: string): Promise<string> => hashAt(password, COST);

/** The same of a password that is long and random. */
export const hashMadeUp = (password: string): Promise<string> => hashAt(password, MADE_UP_COST);

/** What a stored hash says of itself; of one that there is not, nothing but the usual cost. */
function partsOf(stored: string | null): { readonly cost: Cost; readonly salt: string; readonly key: string } {
  if (stored === null) return { cost: COST, salt: 'none', key: '' };
  const parts = stored.split('$');
  const [salt = '', key = ''] = parts.slice(-2);
  if (parts.length < 4) return { cost: OLD_COST, salt, key };
  const [N = COST.N, r = COST.r, p = COST.p] = (parts[1] ?? '').split(',').map(Number);
  return { cost: { N, r, p }, salt, key };
}

/**
 * True if it is the password; takes as long for an account that has none, so that nobody learns which exist. Throws
 * `unavailable`.
 */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const { cost, salt, key } = partsOf(stored);
  const derived = await derive(password, Buffer.from(salt, 'base64'), cost);
  const expected = Buffer.from(key, 'base64');
  const right = expected.length === derived.length && timingSafeEqual(derived, expected);
  // A wrong guess takes as long whatever it is compared with.
  if (!right && cost.N < COST.N) await derive(password, Buffer.from(salt, 'base64'), COST);
  return right;
}

/** Keys are long and random: one round of SHA-256 is enough. */
export const hashKey = (key: string) => createHash('sha256').update(key).digest('hex');

/** Compares in constant time. */
export function sameKey(key: string, storedHash: string): boolean {
  const hash = Buffer.from(hashKey(key), 'hex');
  const stored = Buffer.from(storedHash, 'hex');
  return stored.length === hash.length && timingSafeEqual(hash, stored);
}
