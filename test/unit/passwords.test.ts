import { scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashPassword, verifyPassword } from '../../server/services/passwords.ts';

describe('passwords', () => {
  it('are kept as hashes that say what they cost, each with a salt of its own', async () => {
    const [one, other] = await Promise.all([hashPassword('open sesame'), hashPassword('open sesame')]);
    expect(one).toMatch(/^scrypt\$32768,8,3\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}$/);
    expect(one).not.toBe(other);
    expect(await verifyPassword('open sesame', one)).toBe(true);
    for (const wrong of ['open sesame ', '', 'Open sesame']) expect(await verifyPassword(wrong, one)).toBe(false);
  });

  it('of before the cost was written down are still known', async () => {
    const salt = Buffer.from('sixteen bytes in');
    const key = scryptSync('open sesame', salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 });
    const stored = `scrypt$${salt.toString('base64')}$${key.toString('base64')}`;
    expect(await verifyPassword('open sesame', stored)).toBe(true);
    expect(await verifyPassword('another', stored)).toBe(false);
  });

  it('are right for nobody who has none', async () => {
    expect([await verifyPassword('', null), await verifyPassword('x', null)]).toEqual([false, false]);
  });
});
