/** What each thing weighs of which there are many: in the memory of Redis, and in its append-only file. */
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { closeConversation } from '../../server/services/moves.ts';
import { say } from '../../server/services/talk.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import { seedShop } from './shops.ts';

/** Time stands still at some noon: what is weighed does not depend on it. */
const NOW = Date.UTC(2026, 0, 5, 4);
const FEW = 10;
const BUYERS = 10_000;
/** Conversations in which something is said, and how much. */
const TALKS = 1_000;
const MESSAGES = 20;
const AGENTS = 10_000;
const IN_FLIGHT = 64;
/** 20 characters, 60 bytes. */
const TEXT = '你好，请问这一款今天下单的话明天能收到吗';

/** In bytes. What is written to the file is more than what stays: it is rewritten when it has doubled. */
export type Weight = { readonly what: string; readonly memory: number; readonly file: number };

async function measure({ redis }: House): Promise<{ memory: number; file: number }> {
  const read = (info: string, field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
  return {
    memory: read(await redis.info('memory'), 'used_memory'),
    file: read(await redis.info('persistence'), 'aof_current_size'),
  };
}

async function forEach<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items[Symbol.iterator]();
  const lane = async () => {
    for (let item = left.next(); !item.done; item = left.next()) await work(item.value);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/** In a Redis that keeps an append-only file, and to which nobody else writes. */
export async function weigh(house: House): Promise<Weight[]> {
  const { redis } = house;
  const shop = `bench-weights-${process.pid}`;
  await redis.config('SET', 'auto-aof-rewrite-percentage', '0');
  await seedShop(redis, shop, FEW);
  const weights: Weight[] = [];
  async function weighed(what: string, count: number, fill: () => Promise<unknown>): Promise<void> {
    const before = await measure(house);
    await fill();
    await house.settled();
    const after = await measure(house);
    weights.push({ what, memory: (after.memory - before.memory) / count, file: (after.file - before.file) / count });
  }

  const buyers = Array.from({ length: BUYERS }, (_, n) => `bench-buyer-${String(n).padStart(8, '0')}`);
  const conversations = new Map<string, string>();
  await weighed('a buyer with an open conversation', BUYERS, () =>
    forEach(buyers, async (buyer) => {
      conversations.set(buyer, (await open(house, shop, buyer, {}, NOW)).conversation.id);
    }),
  );
  const talks = [...conversations].slice(0, TALKS);
  await weighed(`a message of ${TEXT.length} characters`, TALKS * MESSAGES, async () => {
    for (let n = 0; n < MESSAGES; n++) {
      await forEach(talks, ([buyer, conversation]) =>
        say(
          house,
          { kind: 'buyer', shop, id: buyer },
          { conversation, clientId: house.ids.message(), body: { type: 'text', text: TEXT } },
          NOW,
        ),
      );
    }
  });
  await weighed('a click of a buyer who is in conversation', BUYERS, () =>
    forEach(buyers, (buyer) => open(house, shop, buyer, {}, NOW)),
  );
  await weighed('closing a conversation', BUYERS, () =>
    forEach(conversations, ([buyer, conversation]) =>
      closeConversation(house, { kind: 'buyer', shop, id: buyer }, conversation, NOW),
    ),
  );
  const { events } = keysOfShop(shop);
  const [bytes, count] = [(await redis.memory('USAGE', events, 'SAMPLES', 0)) ?? 0, await redis.xlen(events)];
  weights.push({ what: 'of all that, an event of the stream', memory: bytes / count, file: 0 });
  await weighed('an agent in a group, on duty', AGENTS, () => seedShop(redis, `${shop}-many`, AGENTS));
  return weights;
}

/** As lines of text. */
export function renderWeights(weights: readonly Weight[]): string {
  const bytes = (n: number) => Math.round(n).toLocaleString('en').padStart(7);
  return [
    '\nBytes in memory, and written to the append-only file',
    ...weights.map(({ what, memory, file }) => `  ${bytes(memory)} ${bytes(file)}  ${what}`),
  ].join('\n');
}
