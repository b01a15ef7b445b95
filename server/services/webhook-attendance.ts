/**
 * A robot with a webhook is connected and online without a socket: one that nobody has stands for it. The configuration
 * says who is, and this brings everything else in line with it; run twice, or by two, it comes to the same.
 */
import type { Agent } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../plan/config.ts';
import { agentsOn, WEBHOOK_NODE } from '../store/nodes.ts';
import { announceWebhookShop, followEvents, keepWebhookShop, unlistWebhookShop } from '../store/outbox.ts';
import { changePresence, type PresenceCommand } from '../store/presence.ts';
import type { Shop } from './configs.ts';
import type { House } from './house.ts';
import { tellEffects } from './told.ts';

/** The socket that stands for a webhook; socket.io gives none of its own such a name. */
const WEBHOOK_SOCKET = 'webhook';

/** What was announced may be configured for this long, in ms; until then the workers go on looking. */
const ANNOUNCED_MS = 60_000;

/** Robots that are sent what happens over HTTP. */
export const webhookAgents = (config: ShopConfig): Agent[] =>
  [...config.agents.values()].filter(({ webhook }) => webhook !== undefined);

const hasAny = ({ config }: Shop) => webhookAgents(config).length > 0;

/**
 * Told before the configuration says so: events are kept from then on, and whatever becomes of the caller, the workers
 * look and set it right. `now` in ms. Throws `not-found` for an unknown shop.
 */
export async function announceWebhook(house: House, shop: string, now: number): Promise<void> {
  await house.configs.use(shop, ({ scope }) => followEvents(scope, true));
  await announceWebhookShop(house.redis, shop, now);
}

function commandsFor(agent: string, wanted: boolean): PresenceCommand[] {
  const socket = WEBHOOK_SOCKET;
  // Without a grace: it is not that a connection was lost.
  if (!wanted) return [{ change: 'disconnect', agent, socket, graceMs: 0 }];
  return [
    { change: 'choose', agent, presence: 'online', cause: 'chose' },
    { change: 'connect', agent, socket, node: WEBHOOK_NODE },
  ];
}

/** Only who is not connected yet is put online: a supervisor's pause outlasts whatever is set later. */
async function settle(house: House, shop: string, agent: string, now: number): Promise<void> {
  await house.configs.use(shop, async ({ config, scope }) => {
    const wanted = config.agents.get(agent)?.webhook !== undefined;
    const is = (await agentsOn(house.redis, shop, WEBHOOK_NODE)).has(agent);
    if (wanted === is) return;
    for (const command of commandsFor(agent, wanted)) {
      const answer = await changePresence(scope, command, now);
      if (answer.kind !== 'done') continue;
      tellEffects(house, shop, answer);
      if (answer.presences.length > 0) house.due(shop, now);
    }
  });
}

/**
 * Has events read while there is somebody to send them to, or was announced to be; connects who has a webhook and disconnects
 * who has none any more. `now` in ms.
 */
export async function tendWebhooks(house: House, shop: string, now: number): Promise<void> {
  const at = await house.configs.fresh(shop);
  const follow = (announced: boolean) =>
    house.configs.use(shop, (present) => followEvents(present.scope, announced || hasAny(present)));
  if (hasAny(at)) {
    await keepWebhookShop(house.redis, shop, now);
    // Before anybody is online: what comes to them from then on is read.
    await follow(false);
  }
  const concerned = new Set([
    ...(await agentsOn(house.redis, shop, WEBHOOK_NODE)),
    ...webhookAgents(at.config).map(({ id }) => id),
  ]);
  for (const agent of concerned) await settle(house, shop, agent, now);
  if (hasAny(at)) return;
  // The list before the group: one who is listed and has nobody read their events is tended at the workers' next turn, one
  // who is not listed never.
  const gone = await unlistWebhookShop(house.redis, shop, now - ANNOUNCED_MS);
  await follow(!gone);
}

/** The same after a change that has been made: where it fails, the change stands, and the workers see to the rest. */
export async function followWebhookChange(house: House, shop: string, now: number): Promise<void> {
  try {
    await tendWebhooks(house, shop, now);
  } catch (error) {
    house.log.warn({ shop, err: error }, 'a change of a webhook takes effect only with the next turn of the workers');
  }
}
