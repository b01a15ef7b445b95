/** What every service works with. Made once a process; no service reaches for anything else. */
import type { AgentEventData, agentEvents, BuyerEventData, buyerEvents } from '../../client-sdk/contract/index.ts';
import type { Deliveries } from '../store/deliveries.ts';
import type { Connection } from '../store/script.ts';
import type { Configs } from './configs.ts';
import type { Ids } from './ids.ts';
import type { KnownBuyers } from './known-buyers.ts';
import type { Meter } from './meter.ts';
import type { StoreLife } from './store-life.ts';

/** A socket that is not to be told: the one whose command it was. */
export type Except = string | undefined;

/** Tells connected clients what happened: the fast way; what is missed is asked for again. */
export type Tell = {
  agent<K extends keyof typeof agentEvents>(
    shop: string,
    agent: string,
    event: K,
    data: AgentEventData<K>,
    except?: Except,
  ): void;
  /** All supervisors, and `agent` whom it is about; each once. */
  supervisors<K extends keyof typeof agentEvents>(
    shop: string,
    event: K,
    data: AgentEventData<K>,
    agent?: string,
  ): void;
  buyer<K extends keyof typeof buyerEvents>(
    shop: string,
    buyer: string,
    event: K,
    data: BuyerEventData<K>,
    except?: Except,
  ): void;
  /** Every other process: that it is to remember nothing of a buyer. */
  forgetBuyer(shop: string, buyer: string): void;
};

/**
 * Reaches sockets that are connected, on whichever node; at once, but not surely: what did not arrive every node makes
 * good within seconds by looking at who may stay.
 */
export type Connected = {
  endSession(shop: string, session: string): void;
  endAgent(shop: string, agent: string): void;
  endBuyer(shop: string, buyer: string): void;
  /** Whether the agent hears of everybody from now on. */
  steers(shop: string, agent: string, may: boolean): void;
};

/** Structured log: facts first, never message text or tokens. */
export type Log = {
  info(facts: object, says: string): void;
  warn(facts: object, says: string): void;
  error(facts: object, says: string): void;
};

export type House = {
  readonly redis: Connection;
  /** Whether Redis is known to be away: what is sent now waits for longer than anybody need notice. */
  readonly away: () => boolean;
  /** Which process of Redis this is. */
  readonly life: StoreLife;
  readonly configs: Configs;
  readonly buyers: KnownBuyers;
  readonly ids: Ids;
  readonly tell: Tell;
  readonly connected: Connected;
  readonly log: Log;
  readonly meter: Meter;
  /** What is to be delivered to webhooks; the queue behind it is made when it is first needed. */
  readonly deliveries: Deliveries;
  /** Something in a shop is due (a place came free, a holder left): it is swept after the answer. `now` in ms. */
  due(shop: string, now: number): void;
  /** Resolves when nothing that was put off is still under way. */
  settled(): Promise<void>;
};
