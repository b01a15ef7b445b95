/** A buyer of the town: clicks, writes, rates, closes, goes away and comes back. */
import { BuyerClient, type BuyerClientOptions, type Conversation, type Entry } from '../../client-sdk/index.ts';
import { type Hearing, listenTo } from './hearing.ts';
import { insist, type Ledger, pause, type Someone } from './ledger.ts';

export type Buyer = {
  readonly who: Someone;
  readonly client: BuyerClient;
  readonly heard: Hearing;
  /** Does one thing that buyers do. */
  act(): Promise<void>;
  /** Writes, or clicks where there is no conversation. */
  speak(): Promise<void>;
};

const entries: readonly Entry[] = [
  {},
  { product: 'tea' },
  { product: 'tea', orderState: 'paid' },
  { product: 'hats' },
  { product: 'shoes', orderState: 'after-sales' },
];

/** How long somebody is away at most, in ms. */
const AWAY_MS = 2_000;

export function createBuyer(who: Someone, options: BuyerClientOptions, ledger: Ledger, draw: () => number): Buyer {
  const client = new BuyerClient(options);
  const heard = listenTo(client, ledger);
  let talk: Conversation | undefined;
  let made = 0;
  const newId = () => `${who.id}-${++made}`;

  client.on('chat:changed', ({ conversation }) => {
    if (conversation.id === talk?.id || !talk) talk = conversation.state === 'closed' ? undefined : conversation;
  });

  async function open(): Promise<void> {
    const entry = entries[Math.floor(draw() * entries.length)] ?? {};
    const requestId = newId();
    const opened = await insist(ledger, who, ['chat:open', ''], () =>
      client.command('chat:open', { ...entry, requestId }),
    );
    if (!opened) return;
    ledger.opened.push({ who, assignment: opened.assignment });
    talk = opened.conversation;
  }

  async function say(conversation: string): Promise<void> {
    const clientId = newId();
    const text = `${clientId} says something`;
    const message = await insist(ledger, who, ['message:send', conversation], () =>
      client.send(conversation, text, { clientId }),
    );
    if (message) ledger.said.push({ who, text, clientId, message });
    else talk = undefined;
  }

  return {
    who,
    client,
    heard,
    speak: () => (talk ? say(talk.id) : open()),
    async act() {
      const luck = draw();
      if (!talk || luck < 0.08) return open();
      const { id } = talk;
      if (luck < 0.66) return say(id);
      // What somebody sends without waiting for an answer.
      if (luck < 0.76) return void (await Promise.all([say(id), say(id), say(id)]));
      if (luck < 0.82) {
        const requestId = newId();
        const closed = await insist(ledger, who, ['chat:close', id], () =>
          client.command('chat:close', { conversation: id, requestId }),
        );
        if (closed && talk?.id === id) talk = undefined;
      } else if (luck < 0.86) {
        const requestId = newId();
        await insist(ledger, who, ['chat:human', id], () =>
          client.command('chat:human', { conversation: id, requestId }),
        );
      } else if (luck < 0.9) {
        await insist(ledger, who, ['chat:rate', id], () => client.rate(id, 1 + Math.floor(draw() * 5)));
      } else if (luck < 0.94) {
        await insist(ledger, who, ['message:read', id], () => client.markRead(id, talk?.lastSeq ?? 0));
      } else {
        client.disconnect();
        await pause(draw() * AWAY_MS);
        await client.connect();
      }
    },
  };
}
