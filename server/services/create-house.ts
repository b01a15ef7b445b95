/** Puts a house together around one connection to Redis. */
import { setImmediate as breath } from 'node:timers/promises';
import { watchAway } from '../store/away.ts';
import { createDeliveries } from '../store/deliveries.ts';
import { type Connection, observeScripts } from '../store/script.ts';
import { watchConnection } from '../store/watch-connection.ts';
import { createConfigs } from './configs.ts';
import { createGate } from './gate.ts';
import type { Connected, House, Log, Tell } from './house.ts';
import { createIds, type Ids } from './ids.ts';
import { createKnownBuyers } from './known-buyers.ts';
import { type Meter, silentMeter } from './meter.ts';
import { createStoreLife } from './store-life.ts';
import { sweep } from './sweep.ts';

/** Shops swept at once by one process: enough to keep Redis busy, and no pile where many shops have something due. */
const SWEEPS_AT_ONCE = 64;

export type HouseParts = {
  readonly redis: Connection;
  readonly tell: Tell;
  /** Left out in a process that has no way to sockets. */
  readonly connected?: Connected;
  readonly log: Log;
  readonly ids?: Ids;
  /** Nothing is counted unless one is given. */
  readonly meter?: Meter;
};

const nobodyConnected: Connected = {
  endSession() {},
  endAgent() {},
  endBuyer() {},
  steers() {},
};

/** What was done in the store stays done, whatever becomes of the sockets. */
function surely(connected: Connected, log: Log): Connected {
  const reach = (shop: string, how: () => void) => {
    try {
      how();
    } catch (error) {
      log.warn({ shop, err: error }, 'sockets could not be reached; the nodes that have them look themselves');
    }
  };
  return {
    endSession: (shop, session) => reach(shop, () => connected.endSession(shop, session)),
    endAgent: (shop, agent) => reach(shop, () => connected.endAgent(shop, agent)),
    endBuyer: (shop, buyer) => reach(shop, () => connected.endBuyer(shop, buyer)),
    steers: (shop, agent, may) => reach(shop, () => connected.steers(shop, agent, may)),
  };
}

export function createHouse(parts: HouseParts): House {
  const { redis, tell, log, connected = nobodyConnected, ids = createIds(), meter = silentMeter } = parts;
  if (meter !== silentMeter) {
    observeScripts(redis, meter.script);
    watchConnection(redis, meter.redis);
  }
  /** One sweep a shop at a time; what falls due during one, or is left by it, asks for another after it. */
  const sweeping = new Map<string, { again: number | undefined }>();
  const underWay = new Set<Promise<void>>();
  const gate = createGate(SWEEPS_AT_ONCE);

  async function sweepUntilDone(shop: string, now: number): Promise<void> {
    const state: { again: number | undefined } = { again: now };
    sweeping.set(shop, state);
    try {
      while (state.again !== undefined) {
        const at = state.again;
        state.again = undefined;
        const { more } = await gate(() => sweep(house, shop, at));
        if (more) {
          state.again ??= at;
          await breath(); // the others of this process first
        }
      }
    } catch (error) {
      log.error({ shop, err: error }, 'a sweep failed; the next one goes on where it stopped');
    } finally {
      sweeping.delete(shop);
    }
  }

  const forget = () => {
    house.configs.forget();
    house.buyers.forgetAll();
  };
  // Also where it turns out to be the same Redis: what is remembered is read again in no time.
  redis.on('ready', forget);

  const house: House = {
    redis,
    away: watchAway(redis),
    life: createStoreLife(redis, forget),
    tell,
    connected: surely(connected, log),
    log,
    meter,
    ids,
    configs: createConfigs(redis),
    buyers: createKnownBuyers(),
    deliveries: createDeliveries(redis, (error) => log.warn({ err: error }, 'the queue has trouble with Redis')),
    due(shop, now) {
      // The workers sweep every shop each second once it is back.
      if (house.away()) return;
      const running = sweeping.get(shop);
      if (running) {
        running.again = now;
        return;
      }
      const task = sweepUntilDone(shop, now).finally(() => underWay.delete(task));
      underWay.add(task);
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
  return house;
}
