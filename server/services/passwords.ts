/** Passwords and keys as they are kept: never in clear. */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const LENGTH = 32;

const derive = (password: string, salt: Buffer) =>
  new Promise<Buffer>((resolve, reject) => {
    scrypt(password, salt, LENGTH, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });

/** scrypt with a salt of its own, as `scrypt$salt$key` in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `scrypt$${salt.toString('base64')}$${(await derive(password, salt)).toString('base64')}`;
}

/** True if it is the password; takes as long for an account that has none, so that nobody learns which exist. */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [, salt = '', key = ''] = (stored ?? '').split('$');
  const derived = await derive(password, Buffer.from(salt || 'none', 'base64'));
  const expected = Buffer.from(key, 'base64');
  return expected.length === derived.length && timingSafeEqual(derived, expected);
}

/** Keys are long and random: one round of SHA-256 is enough. */
export const hashKey = (key: string) => createHash('sha256').update(key).digest('hex');

/** Compares in constant time. */
export function sameKey(key: string, storedHash: string): boolean {
  const hash = Buffer.from(hashKey(key), 'hex');
  const stored = Buffer.from(storedHash, 'hex');
  return stored.length === hash.length && timingSafeEqual(hash, stored);
}
