/** A shop's API key and the secret that signs its buyers' tokens, made anew; the old one serves no more. */
import type { By } from '../../client-sdk/contract/index.ts';
import { changeConfig } from './change-config.ts';
import type { House } from './house.ts';
import { hashKey } from './passwords.ts';
import { secretNames } from './secret-names.ts';

/** With the old key end the sessions of programs that asked for them with it. Throws `not-found`. */
export async function rotateApiKey(house: House, shop: string, now: number, by?: By): Promise<string> {
  const apiKey = house.ids.secret();
  await changeConfig(house, shop, now, () => ({ secrets: { [secretNames.apiKey]: hashKey(apiKey) } }), by);
  return apiKey;
}

/** With the old secret end all tokens of buyers, and the sockets that came in with them. Throws `not-found`. */
export async function rotateBuyerSecret(house: House, shop: string, now: number, by?: By): Promise<string> {
  const buyerSecret = house.ids.secret();
  await changeConfig(house, shop, now, () => ({ secrets: { [secretNames.buyerSecret]: buyerSecret } }), by);
  return buyerSecret;
}
