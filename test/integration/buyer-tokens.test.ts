// Tokens of buyers from outside: how long they last, how they are refreshed, and what takes them back.
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { BuyerClient } from '../../client-sdk/index.ts';
import { BUYER_FAMILY_MS, BUYER_TOKEN_MS } from '../../server/services/buyer-tokens.ts';
import { keysOf } from '../support/shop.ts';
import { fast, useTwoNodes } from '../support/two-nodes.ts';
import { until } from '../support/until.ts';

const nodes = useTwoNodes();
const { send, inShop, advance, connect, buyerOn } = nodes;

describe("a buyer's token", () => {
  const visit = async () => (await send('POST', inShop('visitors'))).body as { buyer: string; token: string };
  const renew = (token: string) => send('POST', inShop('visitors/refresh'), {}, token);
  const connects = async (token: string) =>
    connect(new BuyerClient({ url: nodes.one.url, token, ...fast })).then(
      ({ client }) => {
        client.disconnect();
        return true;
      },
      () => false,
    );
  const ownToken = (buyer: string, claims: object, secret = nodes.one.buyerSecret) =>
    new SignJWT({ sub: buyer, shop: nodes.one.shop, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));

  it('lasts a day, and is refreshed for 30 days, also by who was away; then it is over', async () => {
    const first = await visit();
    advance(BUYER_TOKEN_MS);
    expect(await connects(first.token)).toBe(false);
    const { body: second } = await renew(first.token);
    expect(second.buyer).toBe(first.buyer);
    const { ended, client } = await buyerOn(nodes.two, second.token);
    advance(BUYER_FAMILY_MS - BUYER_TOKEN_MS - 60_000);
    const { body: last } = await renew(second.token);
    expect([await connects(last.token), client.connected]).toEqual([true, true]);
    advance(60_000);
    for (const { token } of [first, second, last]) expect((await renew(token)).status).toBe(401);
    expect(await connects(last.token)).toBe(false);
    await until(ended);
  });

  it('is taken back: those given so far, everywhere, and no other', async () => {
    const bob = await nodes.one.buyerToken('bob');
    const { ended } = await buyerOn(nodes.two, bob);
    const { client: other } = await buyerOn(nodes.two, await nodes.one.buyerToken('bo'));
    const signed = await ownToken('bob', { iat: Date.now() / 1000 });
    const timeless = await ownToken('bob', {});
    await nodes.one.call('DELETE', 'buyers/bob/tokens');
    await until(ended);
    expect([await connects(bob), await connects(signed), (await renew(bob)).status]).toEqual([false, false, 401]);
    // What does not say when it was signed cannot be told from later ones.
    expect(await connects(timeless)).toBe(true);
    expect(await connects(await nodes.one.buyerToken('bob'))).toBe(true);
    expect(other.connected).toBe(true);
  });

  it('of a buyer who is erased lets nobody in, and what is kept for that does not name them', async () => {
    const token = await nodes.one.buyerToken('a-name-of-a-person');
    const { client, ended } = await buyerOn(nodes.two, token);
    await client.open();
    const { redis } = nodes.one.application.house;
    const marks = async () => (await keysOf(redis, nodes.one.shop)).filter((key) => key.includes(':revoked:')).length;
    const before = await marks();
    await nodes.one.call('DELETE', 'buyers/a-name-of-a-person');
    await until(ended);
    expect(await connects(token)).toBe(false);
    const left = await keysOf(redis, nodes.one.shop);
    expect(left.filter((key) => key.includes('a-name-of-a-person'))).toEqual([]);
    expect(await marks()).toBe(before + 1);
  });

  it('that the shop signed itself is not refreshed here', async () => {
    const signed = await ownToken('cam', { iat: Math.floor(Date.now() / 1000) });
    expect(await connects(signed)).toBe(true);
    expect((await renew(signed)).status).toBe(403);
    const expired = await ownToken('cam', { exp: Math.floor(Date.now() / 1000) - 60 });
    expect([await connects(expired), (await renew(expired)).status]).toEqual([false, 401]);
  });

  it('ends with the secret that signed it, and so does who came in with it', async () => {
    const { id, apiKey } = await nodes.openShop();
    const visitTo = async () => (await send('POST', `shops/${id}/visitors`)).body as { token: string };
    const { token } = await visitTo();
    const { ended } = await buyerOn(nodes.two, token);
    const { body } = await send('POST', `shops/${id}/buyer-secret`, {}, nodes.adminKey);
    await until(ended);
    expect([await connects(token), await connects((await visitTo()).token)]).toEqual([false, true]);
    expect((await send('POST', `shops/${id}/visitors/refresh`, {}, token)).status).toBe(401);
    expect(await connects(await ownToken('bob', { shop: id }, body.buyerSecret))).toBe(true);
    const { token: asked } = (await send('POST', `shops/${id}/buyers/bob/token`, undefined, apiKey)).body;
    expect(await connects(asked)).toBe(true);
  });
});
