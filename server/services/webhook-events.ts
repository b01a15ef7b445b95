/** Turns what happens in a shop into deliveries to its webhooks. The event stream is the source: nothing else is believed. */
import { createHash } from 'node:crypto';
import type { Delivery } from '../store/deliveries.ts';
import { finishEvents, listWebhookShops, type OutboxEvent, takeEvents } from '../store/outbox.ts';
import { readConversations } from '../store/read.ts';
import type { House } from './house.ts';
import { tendWebhooks, webhookAgents } from './webhook-attendance.ts';

/** Events taken at once … */
const BATCH = 200;
/** … and how often in one turn of a shop, so that one shop does not keep a worker for ever. */
const BATCHES = 20;
/** An event taken this long ago and not finished was taken by a worker that died, in ms. */
const STALE_MS = 10_000;

/** Shops that have a webhook, or are about to. */
export const webhookShops = (house: House) => listWebhookShops(house.redis);

/** The place in the stream is the event's own; a shop's events never share one, and two shops are told apart by the hash. */
export function deliveryId(shop: string, event: string): string {
  return `${event}-${createHash('sha256').update(shop).digest('hex').slice(0, 16)}`;
}

const isMove = ({ type }: OutboxEvent) => type === 'assigned' || type === 'transferred';
const isBuyersMessage = (event: OutboxEvent) => event.type === 'message' && event.field('from') === 'buyer';

/** The deliveries that events make: each at most one. */
async function deliveriesOf(house: House, shop: string, events: readonly OutboxEvent[]): Promise<Delivery[]> {
  // Read after the events: whoever an event concerns was set up before it.
  const { config, scope } = await house.configs.fresh(shop);
  const agents = new Set(webhookAgents(config).map(({ id }) => id));
  const written = events.filter(isBuyersMessage).map((event) => event.field('conversation'));
  const records = await readConversations(scope, [...new Set(written)]);
  const holders = new Map(records.map((record) => [record?.conversation.id, record?.conversation.agent ?? '']));
  const deliveries: Delivery[] = [];
  for (const event of events) {
    const conversation = event.field('conversation');
    const said = isBuyersMessage(event);
    const agent = said ? holders.get(conversation) : isMove(event) ? event.field('agent') : undefined;
    if (!agent || !agents.has(agent)) continue;
    const id = deliveryId(shop, event.id);
    const { at } = event;
    const request = event.field('assignment');
    deliveries.push(
      said
        ? { id, shop, agent, type: 'message:created', conversation, at, seq: Number(event.field('seq')) }
        : { id, shop, agent, type: 'conversation:assigned', conversation, at, ...(request ? { request } : {}) },
    );
  }
  return deliveries;
}

/**
 * Everything that has happened in a shop since the last turn, also what a dead worker left. An event is finished only when
 * its delivery is queued; the same event again is the same delivery. `now` in ms.
 */
export async function relayEvents(house: House, shop: string, now: number): Promise<void> {
  for (let i = 0; i < BATCHES; i++) {
    const events = await takeEvents(house.redis, shop, { count: BATCH, staleMs: STALE_MS });
    // Nobody has them read yet, or whoever changed the configuration got no further.
    if (!events) return tendWebhooks(house, shop, now);
    if (events.length === 0) {
      const { config } = await house.configs.fresh(shop);
      // Announced and not yet set, or nothing will come of it.
      return webhookAgents(config).length > 0 ? undefined : tendWebhooks(house, shop, now);
    }
    await house.deliveries.add(await deliveriesOf(house, shop, events));
    if (events.some(({ type }) => type === 'configured')) await tendWebhooks(house, shop, now);
    await finishEvents(house.redis, shop, events);
    if (events.length < BATCH) return;
  }
}
