/**
 * Two releases whose scripts differ serve one shop side by side, as during a rolling upgrade: a script goes by its own
 * source, so each release runs its own, whatever Redis has in its cache.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../client-sdk/contract/index.ts';
import type { AgentActor } from '../../server/services/actor.ts';
import { choosePresence } from '../../server/services/attendance.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { closeConversation } from '../../server/services/moves.ts';
import { listMessages, say } from '../../server/services/talk.ts';
import { connect } from '../../server/store/connect.ts';
import { loadScript } from '../../server/store/script.ts';
import { problemsIn } from '../support/consistent.ts';
import { createTestHouse, silentTell, testLog } from '../support/house.ts';
import { makeOtherRelease, type OtherRelease } from '../support/other-release.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { newShopId, openShop, setPresences } from '../support/shop.ts';
import { breath } from '../support/until.ts';

/** What one release does for the test. */
type Release = {
  readonly house: House;
  readonly open: typeof open;
  readonly say: typeof say;
  readonly choosePresence: typeof choosePresence;
  readonly closeConversation: typeof closeConversation;
  readonly loadScript: typeof loadScript;
};

let redis: OwnRedis;
let copy: OtherRelease;
const undo: (() => unknown)[] = [];
beforeAll(async () => {
  // Its cache of scripts is emptied again and again, which is nobody else's business.
  redis = await startOwnRedis();
  copy = await makeOtherRelease();
});
afterAll(async () => {
  for (const step of undo.reverse()) await step();
  await copy?.remove();
  await redis?.stop();
});

async function startReleases(): Promise<readonly [Release, Release]> {
  const ours = createTestHouse(redis.url);
  undo.push(ours.close);
  const [dispatch, talk, attendance, moves, script, houses] = await Promise.all([
    copy.load<typeof import('../../server/services/dispatch.ts')>('server/services/dispatch.ts'),
    copy.load<typeof import('../../server/services/talk.ts')>('server/services/talk.ts'),
    copy.load<typeof import('../../server/services/attendance.ts')>('server/services/attendance.ts'),
    copy.load<typeof import('../../server/services/moves.ts')>('server/services/moves.ts'),
    copy.load<typeof import('../../server/store/script.ts')>('server/store/script.ts'),
    copy.load<typeof import('../../server/services/create-house.ts')>('server/services/create-house.ts'),
  ]);
  const connection = connect({ url: redis.url }, () => undefined);
  const house = houses.createHouse({ redis: connection, tell: silentTell, log: testLog });
  undo.push(async () => {
    await house.settled();
    await house.deliveries.close();
    connection.disconnect();
  });
  return [
    { house: ours.house, open, say, choosePresence, closeConversation, loadScript },
    { house, ...dispatch, ...talk, ...attendance, ...moves, ...script },
  ];
}

const scripts = new URL('../../server/store/scripts/', import.meta.url);

/** The scripts of a release by name, each with the hash under which it is asked for. */
function hashesOf({ loadScript: load }: Release): Map<string, string> {
  const names = readdirSync(scripts).filter((file) => file.endsWith('.lua'));
  return new Map(
    names.map((file) => {
      const source = readFileSync(new URL(file, scripts), 'utf8');
      const words = (tag: string) => new RegExp(`^-- @${tag} (.*)$`, 'm').exec(source)?.[1]?.split(' ') ?? [];
      const name = file.slice(0, -'.lua'.length);
      return [name, load(name, words('keys'), words('args')).sha];
    }),
  );
}

const BUYERS = 120;
const crew = Array.from({ length: 6 }, (_, n) => `a${n}`);

test('both serve it at once, also while Redis forgets all scripts again and again', async () => {
  const releases = await startReleases();
  const [ours, theirs] = releases;
  const [our, their] = [hashesOf(ours), hashesOf(theirs)];
  for (const [name, hash] of our) expect(their.get(name), name).not.toBe(hash);

  const now = Date.now();
  const shop = newShopId('releases');
  const agents = Object.fromEntries(crew.map((id) => [id, {}]));
  await openShop(
    ours.house,
    shop,
    { agents, groups: { sales: { members: Object.fromEntries(crew.map((id) => [id, 1])) } } },
    now,
  );
  await setPresences(ours.house, shop, Object.fromEntries(crew.map((id) => [id, 'online' as const])), now);

  let forgotten = 0;
  let done = false;
  const forgetting = (async () => {
    for (; !done; forgotten++) {
      await ours.house.redis.script('FLUSH');
      await breath();
    }
  })();

  const acknowledged = new Map<string, Message[]>();
  await Promise.all([
    ...Array.from({ length: BUYERS }, async (_, n) => {
      // One click, one writes, and what was sent once is sent again through the other.
      const [first, second] = n % 2 === 0 ? [ours, theirs] : [theirs, ours];
      const buyer = { kind: 'buyer' as const, shop, id: `buyer-${n}` };
      const { conversation } = await first.open(first.house, shop, buyer.id, {}, now, 'click');
      expect((await second.open(second.house, shop, buyer.id, {}, now, 'click')).conversation.id).toBe(conversation.id);
      const messages: Message[] = [];
      for (let k = 0; k < 6; k++) {
        const saying = {
          conversation: conversation.id,
          clientId: `m-${k}`,
          body: { type: 'text' as const, text: `${k}` },
        };
        const [one, again] = k % 2 === 0 ? [first, second] : [second, first];
        const message = await one.say(one.house, buyer, saying, now);
        expect(await again.say(again.house, buyer, saying, now)).toEqual(message);
        messages.push(message);
      }
      acknowledged.set(conversation.id, messages);
      if (n % 10 === 0) await second.closeConversation(second.house, buyer, conversation.id, now);
    }),
    ...crew.map(async (agent, n) => {
      for (const presence of ['hung-up', 'online', 'offline', 'online'] as const) {
        for (const { house, choosePresence: choose } of n % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
          await choose(house, shop, agent, presence, 'chose', now);
        }
      }
    }),
  ]);
  done = true;
  await forgetting;
  await Promise.all(releases.map(({ house }) => house.settled()));
  console.log(`two releases: ${BUYERS * 6} messages, each sent through both; scripts forgotten ${forgotten} times`);
  expect(forgotten).toBeGreaterThan(3);

  const boss: AgentActor = { kind: 'agent', shop, id: 'a0', role: 'supervisor' };
  for (const [conversation, messages] of acknowledged) {
    const { messages: stored } = await listMessages(theirs.house, boss, { conversation, limit: 200 });
    expect(stored).toEqual(messages);
  }
  expect(await problemsIn(ours.house.redis, shop)).toEqual([]);
  // Each ran its own: after one more message through either, Redis has both.
  const last = await Promise.all(
    releases.map(({ house, say: send, open: click }, n) =>
      click(house, shop, `last-${n}`, {}, now).then(({ conversation: { id } }) =>
        send(
          house,
          { kind: 'buyer', shop, id: `last-${n}` },
          { conversation: id, clientId: 'last', body: { type: 'text', text: String(n) } },
          now,
        ),
      ),
    ),
  );
  expect(last).toHaveLength(2);
  const hashes = [our.get('message') ?? '', their.get('message') ?? ''];
  expect(await ours.house.redis.script('EXISTS', ...hashes)).toEqual([1, 1]);
});
