/** What works on one Redis and fails on a cluster, where it can be seen in the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { jobsPrefix, keysOfShop } from '../../server/store/keys.ts';

const store = new URL('../../server/store/', import.meta.url);
const files = readdirSync(store).filter((name) => name.endsWith('.ts'));

it.each(files)('%s has no pipeline: while a slot moves, part of it would seem to be missing', (name) => {
  expect(readFileSync(new URL(name, store), 'utf8')).not.toMatch(/\.pipeline\(/);
});

it('all keys of a shop, and all of the jobs, carry one hash tag', () => {
  for (const key of Object.values(keysOfShop('tea'))) expect(key).toMatch(/^[^{]*\{tea\}/);
  expect(jobsPrefix).toMatch(/^\{[^}]+\}$/);
});
