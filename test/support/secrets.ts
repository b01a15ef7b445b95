/** Secrets of a shop, written as a change of its configuration writes them. */
import { configure } from '../../server/store/configure.ts';
import { NOON, type Stage } from './stage.ts';

export async function setSecrets(stage: Stage, secrets: Readonly<Record<string, string>>): Promise<void> {
  const { version: expected } = await stage.config();
  const change = { now: NOON, shop: stage.shop, expected, fields: { secrets }, roster: [], groups: [] };
  await configure(stage.redis, { ...change, request: stage.house.ids.request(stage.shop) });
}
