/** The steps of docs/operations/backup.md, with a real Redis and its append-only file, while people talk. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../server/launch/embedded-redis.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { listMessages, say } from '../../server/services/talk.ts';
import { problemsIn } from '../support/consistent.ts';
import { createTestHouse } from '../support/house.ts';
import { REDIS_CACHE } from '../support/redis.setup.ts';
import { openShop, setPresences } from '../support/shop.ts';
import { until } from '../support/until.ts';

const NOON = Date.parse('2026-03-02T12:00:00+08:00');
const SHOP = 'backed-up';
const BUYERS = ['lily', 'tom', 'mei'];

const asBuyer = (id: string) => ({ kind: 'buyer', shop: SHOP, id }) as const;

/** Has every buyer write without a pause; `said` are the texts acknowledged, by conversation, in their order. */
function talk(house: House, conversations: ReadonlyMap<string, string>) {
  const said = new Map([...conversations.values()].map((id): [string, string[]] => [id, []]));
  let over = false;
  const done = Promise.all(
    [...conversations].map(async ([buyer, conversation]) => {
      for (let n = 1; !over; n++) {
        const text = `${buyer} ${n}`;
        await say(house, asBuyer(buyer), { conversation, clientId: `c-${n}`, body: { type: 'text', text } }, NOON);
        said.get(conversation)?.push(text);
      }
    }),
  );
  return {
    said,
    async stop() {
      over = true;
      await done;
    },
  };
}

/** Copies the file of a running Redis: nothing may rewrite it meanwhile. */
async function copyFile({ redis }: House, from: string, to: string): Promise<void> {
  const rewriting = async () =>
    /aof_rewrite_in_progress:1|aof_rewrite_scheduled:1/.test(await redis.info('persistence'));
  await redis.config('SET', 'auto-aof-rewrite-percentage', '0');
  await until(async () => !(await rewriting()));
  await cp(join(from, 'appendonlydir'), join(to, 'appendonlydir'), { recursive: true });
  await redis.config('SET', 'auto-aof-rewrite-percentage', '100');
}

it('a back-up made while people talk has all that was acknowledged before it began, and is whole', async () => {
  const [first, second] = (await Promise.all([0, 1].map(() => mkdtemp(join(tmpdir(), 'fenliu-test-'))))) as [
    string,
    string,
  ];
  const running: EmbeddedRedis[] = [];
  const start = async (dataDir: string) => {
    const redis = await startEmbeddedRedis({
      dataDir,
      cacheDir: REDIS_CACHE,
      persist: 'everysec',
      log: () => undefined,
    });
    running.push(redis);
    return createTestHouse(redis.url);
  };
  try {
    const before = await start(first);
    await openShop(before.house, SHOP, { agents: { ann: {} }, groups: { sales: { members: { ann: 1 } } } }, NOON);
    await setPresences(before.house, SHOP, { ann: 'online' }, NOON);
    const conversations = new Map<string, string>();
    for (const buyer of BUYERS)
      conversations.set(buyer, (await open(before.house, SHOP, buyer, {}, NOON)).conversation.id);
    const talking = talk(before.house, conversations);
    await until(() => [...talking.said.values()].every((texts) => texts.length > 50));
    // The file has been rewritten once already, as it will have been after some days.
    await before.house.redis.bgrewriteaof();
    const promised = new Map([...talking.said].map(([id, texts]) => [id, [...texts]]));
    await copyFile(before.house, first, second);
    await talking.stop();
    await before.close();

    const after = await start(second);
    for (const [buyer, conversation] of conversations) {
      const found: string[] = [];
      for (let more = true; more; ) {
        const page = await listMessages(after.house, asBuyer(buyer), {
          conversation,
          afterSeq: found.length,
          limit: 200,
        });
        found.push(...page.messages.map(({ body }) => body.text));
        more = page.hasMore;
      }
      const told = promised.get(conversation) ?? [];
      expect(found.slice(0, told.length)).toEqual(told);
      // What came while it was copied is there up to some point, and in order.
      expect(found).toEqual(talking.said.get(conversation)?.slice(0, found.length));
    }
    expect(await problemsIn(after.house.redis, SHOP)).toEqual([]);
    // It goes on from there.
    const [buyer, conversation] = [...conversations][0] ?? ['', ''];
    const next = await say(
      after.house,
      asBuyer(buyer),
      { conversation, clientId: 'later', body: { type: 'text', text: 'later' } },
      NOON,
    );
    expect(next.seq).toBeGreaterThan(promised.get(conversation)?.length ?? 0);
    await after.close();
  } finally {
    for (const redis of running) await redis.stop();
    await Promise.all([first, second].map((dir) => rm(dir, { recursive: true, force: true })));
  }
});
