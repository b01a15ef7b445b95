/** A server process that hostile clients are let loose on, while people of another shop talk and must not notice. */
import { afterAll, beforeAll, expect } from 'vitest';
import { type Bystanders, bystandersAt, type OpenShop, openShopAt } from './bystanders.ts';
import { type ObservedServer, observedKeys, observeServer } from './observed-process.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';

const ERROR = 50;

/** For the tests of a file: with a shop of this name for the hostile, and `env` for the server. Nothing of what they do may be an error to it. */
export function useBesieged(name: string, env: Readonly<Record<string, string>> = {}) {
  let redis: OwnRedis;
  let server: ObservedServer;
  let bystanders: Bystanders;
  let shop: OpenShop;

  beforeAll(async () => {
    redis = await startOwnRedis();
    server = await observeServer({ REDIS_URL: redis.url, ...env });
    bystanders = await bystandersAt(server.url, observedKeys.adminKey);
    shop = await openShopAt(server.url, observedKeys.adminKey, name);
  });
  afterAll(async () => {
    await bystanders?.leave();
    expect(server.log().filter(({ level }) => level >= ERROR)).toEqual([]);
    expect(await server.stop()).toBe(0);
    await redis?.stop();
  });

  return { server: () => server, bystanders: () => bystanders, shop: () => shop };
}
