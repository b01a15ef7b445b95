/** What is measured: each a call with everything that it really reads, writes and answers. */
import { planFor } from '../../server/plan/plan.ts';
import type { Shop } from '../../server/services/configs.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { claim } from '../../server/store/claim.ts';
import { keysOfShop } from '../../server/store/keys.ts';
import { storeMessage } from '../../server/store/message.ts';
import type { Connection } from '../../server/store/script.ts';
import type { Operation } from './rounds.ts';

/** Time stands still at some noon: what is measured does not depend on it. */
const NOW = Date.UTC(2026, 0, 5, 4);
const stranger = { crowds: [] };
/** As long as a real identifier, and never the same again. */
let made = 0;
const nextId = () => `bench${String(++made).padStart(15, '0')}`;

/** The least that a script can be: one key, nothing done. */
export async function trivialCall(redis: Connection, shop: string): Promise<Operation> {
  const sha = (await redis.script('LOAD', 'return 1')) as string;
  const { live } = keysOfShop(shop);
  return () => redis.evalsha(sha, 1, live);
}

/** A new buyer's claim: planned, run and decoded. */
export function newClaim({ config, scope }: Shop): Operation {
  return async () => {
    const buyer = nextId();
    const claimed = await claim(scope, {
      now: NOW,
      mode: 'open',
      plan: planFor(config, stranger, {}, NOW),
      buyer,
      profile: '0',
      conversation: buyer,
      request: buyer.slice(-12),
      expected: 'new',
      warmMs: config.settings.contactWindows.warmMs,
      limit: '',
      entry: {},
    });
    if (claimed.kind !== 'assigned') throw new Error(`a claim answered ${claimed.kind}`);
  };
}

/** A new buyer's click through the whole service, short of the socket. */
export function newOpen(house: House, shop: string): Operation {
  return async () => {
    const { assignment } = await open(house, shop, nextId(), {}, NOW);
    if (assignment.outcome !== 'agent') throw new Error(`an open came to ${assignment.outcome}`);
  };
}

/** A click of a buyer who is in conversation already, through the whole service; a thousand buyers in turn. */
export async function nextClick(house: House, shop: string): Promise<Operation> {
  const buyers = Array.from({ length: 1_000 }, nextId);
  await Promise.all(buyers.map((buyer) => open(house, shop, buyer, {}, NOW)));
  let turn = 0;
  return async () => {
    turn = (turn + 1) % buyers.length;
    const { assignment } = await open(house, shop, buyers[turn] ?? '', {}, NOW);
    if (assignment.step !== 'hot-contact') throw new Error(`a second click came to ${assignment.step}`);
  };
}

/** A buyer's message, stored in one of a hundred conversations in turn. */
export async function nextMessage(house: House, { config, scope }: Shop): Promise<Operation> {
  const opened = await Promise.all(
    Array.from({ length: 100 }, () => open(house, config.shop, nextId(), {}, NOW).then((o) => o.conversation)),
  );
  let turn = 0;
  return async () => {
    turn = (turn + 1) % opened.length;
    const conversation = opened[turn];
    if (!conversation) throw new Error('no conversation to write in');
    const id = nextId();
    const stored = await storeMessage(
      scope,
      conversation.buyer,
      {
        id,
        conversation: conversation.id,
        from: { kind: 'buyer', id: conversation.buyer },
        body: { type: 'text', text: '你好，请问这件有货吗？' },
        clientId: id,
        at: NOW,
      },
      config.settings.contactWindows,
    );
    if (stored.kind !== 'stored') throw new Error(`a message answered ${stored.kind}`);
  };
}
