/**
 * Looks again and again at who is connected to this node: whose session or token has ended is disconnected, and whose
 * role has changed hears what goes with it. What ends a session tells all nodes at once; this is for when that is lost,
 * and for what nobody tells: time, and keys that were changed. A shop in which nothing has ended costs one read a look.
 */
import type { Socket } from 'socket.io';
import type { AgentPass } from '../../services/access.ts';
import { maySteer } from '../../services/actor.ts';
import { atOnce } from '../../services/at-once.ts';
import { type BuyerPass, endedBuyers, passEndsAt } from '../../services/buyer-tokens.ts';
import type { House } from '../../services/house.ts';
import { standingAgents, standingMark } from '../../services/sessions.ts';
import { bareError } from '../../services/trouble.ts';
import { supervisorsRoom } from './rooms.ts';

/** A session that has ended is found within about this long, in ms, where nobody told. */
const LOOK_MS = 5_000;
/** Shops looked at at once, and sockets of one shop in one read. */
const SHOPS_AT_ONCE = 20;
const SOCKETS_AT_ONCE = 500;

type Watched<Pass> = {
  readonly socket: Socket;
  pass: Pass;
  /** The mark of the shop when this socket was last looked at; none yet for one that has just come. */
  mark?: string;
};

type InShop = { readonly agents: Set<Watched<AgentPass>>; readonly buyers: Set<Watched<BuyerPass>> };

export type WatchParts = {
  readonly house: House;
  readonly clock: () => number;
  /** Between two looks, in ms; `LOOK_MS` unless said. */
  readonly everyMs?: number | undefined;
};

export type Watch = {
  /** Watches a socket until it is disconnected. */
  agent(socket: Socket, pass: AgentPass): void;
  buyer(socket: Socket, pass: BuyerPass): void;
  start(): void;
  /** Looks no more. A look under way is not waited for: Redis may be away, and it changes nothing there. */
  stop(): void;
};

function* inParts<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let i = 0; i < items.length; i += SOCKETS_AT_ONCE) yield items.slice(i, i + SOCKETS_AT_ONCE);
}

export function createWatch({ house, clock, everyMs = LOOK_MS }: WatchParts): Watch {
  const shops = new Map<string, InShop>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;

  function keep<Pass extends { readonly shop: string }>(
    setIn: (found: InShop) => Set<Watched<Pass>>,
    socket: Socket,
    pass: Pass,
  ): void {
    const { shop } = pass;
    const found = shops.get(shop) ?? { agents: new Set(), buyers: new Set() };
    shops.set(shop, found);
    const watched: Watched<Pass> = { socket, pass };
    setIn(found).add(watched);
    socket.on('disconnect', () => {
      setIn(found).delete(watched);
      if (found.agents.size + found.buyers.size === 0 && shops.get(shop) === found) shops.delete(shop);
    });
  }

  function end(socket: Socket, facts: object): void {
    house.log.info(facts, 'a session has ended; its socket was closed');
    socket.disconnect(true);
  }

  async function lookAtAgents(shop: string, watched: readonly Watched<AgentPass>[], mark: string): Promise<void> {
    const now = clock();
    const stay = await standingAgents(
      house,
      shop,
      watched.map(({ pass }) => pass),
      now,
    );
    for (const one of watched) {
      const pass = stay.get(one.pass);
      if (!pass) {
        end(one.socket, { shop, agent: one.pass.id });
        continue;
      }
      const room = supervisorsRoom(shop);
      if (maySteer(pass)) void one.socket.join(room);
      else void one.socket.leave(room);
      one.pass = pass;
      one.mark = mark;
    }
  }

  async function lookAtBuyers(shop: string, watched: readonly Watched<BuyerPass>[], mark: string): Promise<void> {
    const passes = watched.map(({ pass }) => pass);
    const ended = new Set(await endedBuyers(house, shop, passes, clock()));
    for (const one of watched) {
      if (ended.has(one.pass)) end(one.socket, { shop, buyer: one.pass.id });
      else one.mark = mark;
    }
  }

  async function lookAtShop(shop: string, { agents, buyers }: InShop): Promise<void> {
    // Read before what it stands for: what ends meanwhile is found by the next look.
    const mark = await standingMark(house, shop);
    const now = clock();
    const due = [...agents].filter((one) => one.mark !== mark || one.pass.expiresAt <= now);
    for (const part of inParts(due)) await lookAtAgents(shop, part, mark);
    const dueBuyers = [...buyers].filter((one) => one.mark !== mark || passEndsAt(one.pass) <= now);
    for (const part of inParts(dueBuyers)) await lookAtBuyers(shop, part, mark);
  }

  async function look(): Promise<void> {
    const failures = await atOnce(SHOPS_AT_ONCE, [...shops], ([shop, found]) => lookAtShop(shop, found));
    if (failures.length > 0 && timer) {
      const facts = { shops: failures.length, err: bareError(failures[0]) };
      house.log.warn(facts, 'could not look whose session has ended; looking again soon');
    }
  }

  return {
    agent: (socket, pass) => keep(({ agents }) => agents, socket, pass),
    buyer: (socket, pass) => keep(({ buyers }) => buyers, socket, pass),
    start() {
      timer = setInterval(() => {
        if (looking) return;
        looking = true;
        void look().finally(() => {
          looking = false;
        });
      }, everyMs);
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
