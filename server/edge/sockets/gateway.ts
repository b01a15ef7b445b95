/** The two namespaces: `/buyer` and `/agent`. Sockets become actors, their packets commands. */
import type { Socket } from 'socket.io';
import { agentCommands, buyerCommands, Refusal } from '../../../client-sdk/contract/index.ts';
import { type AgentPass, agentOfToken, type Keys } from '../../services/access.ts';
import { agentActor, agentKind, maySteer } from '../../services/actor.ts';
import { atOnce } from '../../services/at-once.ts';
import { connectAgent, disconnectAgent } from '../../services/attendance.ts';
import { type BuyerPass, buyerOfToken } from '../../services/buyer-tokens.ts';
import { createGate } from '../../services/gate.ts';
import type { House } from '../../services/house.ts';
import type { Limits } from '../../services/limits.ts';
import { mustServePage } from '../../services/origins.ts';
import { tellPresentChat } from '../../services/told.ts';
import { bareError } from '../../services/trouble.ts';
import { addressOf, pageOf } from '../came-from.ts';
import { within } from '../time-limit.ts';
import { ANSWER_MS, type Workload } from '../workload.ts';
import { agentHandlers } from './agent-handlers.ts';
import { buyerHandlers } from './buyer-handlers.ts';
import { serveCommands } from './commands.ts';
import { handOn, type Present } from './hand-on.ts';
import { admit, type SocketData } from './handshake.ts';
import { agentRoom, buyerRoom, sessionRoom, supervisorsRoom } from './rooms.ts';
import type { Io } from './tell.ts';
import type { Watch } from './watch.ts';

export type GatewayParts = {
  readonly io: Io;
  readonly house: House;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly workload: Workload;
  readonly limits: Limits;
  /** How many proxies in front of us are believed about the client. */
  readonly trustProxy: number;
  /** Answers this node's id when sockets may be recorded under it. */
  readonly listed: () => Promise<string>;
  readonly watch: Pick<Watch, 'agent' | 'buyer'>;
};

/** A connected socket of an agent. */
type AgentSocket = {
  readonly shop: string;
  readonly agent: string;
  readonly socket: Socket;
  /** Settles when the store knows it; what follows waits for it, so that a socket that has left is not recorded after. */
  recorded: Promise<void>;
};

/** Arrivals and departures that are told to the store at once, and sockets recorded again at once; the others wait. */
const BATCH = 100;

export type Gateway = {
  /** Records every agent's socket once more, under the id that this node has now. Throws if some could not be. */
  recordAgain(): Promise<void>;
  /** Takes nobody new from now on, and ends the sockets spread over `windowMs`, each with its commands answered. */
  handOn(windowMs: number): Promise<void>;
  /** Whether nobody new is taken any more. */
  leaving(): boolean;
  /** Ends every connection and resolves when all that was under way has been answered. */
  drain(): Promise<void>;
  /** Resolves when nothing is under way, and answers whether the store knows of every socket that left. */
  settled(): Promise<boolean>;
};

export function createGateway(parts: GatewayParts): Gateway {
  const { io, house, keys, clock, workload, limits, trustProxy, listed, watch } = parts;
  const underWay = new Set<Promise<void>>();
  const track = (task: Promise<void>) => {
    const tracked = task.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };
  const onFault = (error: unknown) => house.log.error({ err: bareError(error) }, 'a handshake failed');
  const { meter } = house;
  /** Who comes and goes is told to the store in the order in which it happened. */
  const gate = createGate(BATCH);
  /** In the order in which they came. */
  const present = new Set<Present>();
  const remember = (one: Present) => {
    present.add(one);
    one.socket.on('disconnect', () => present.delete(one));
  };

  let leaving = false;
  const addressFor = (socket: Socket) => addressOf(socket.request, trustProxy);

  /** Who a token is of: asked not too often, by a page that the shop serves, and not of a node that is ending. */
  const admitted =
    <Actor extends { readonly shop: string }>(identify: (token: string) => Promise<Actor>) =>
    async (token: string, socket: Socket): Promise<Actor> => {
      if (leaving) throw new Refusal('unavailable', 'This node is ending; connect again, another one takes over.');
      limits.handshake(addressFor(socket));
      return workload.carryOut(async () => {
        const actor = await identify(token);
        await mustServePage(house, actor.shop, pageOf(socket.request, trustProxy));
        return actor;
      });
    };

  const buyers = io.of('/buyer');
  const forBuyers = buyerHandlers(house, clock);
  admit(buyers, {
    identify: admitted((token) => buyerOfToken(house, token, clock())),
    onFault,
    onRefused: (code) => meter.refused('buyer', code),
  });
  buyers.on('connection', (socket: Socket) => {
    const { actor, language, again } = socket.data as SocketData<BuyerPass>;
    watch.buyer(socket, actor);
    socket.on('disconnect', meter.connected('buyer', again));
    // Not who: a log outlasts the buyer who is erased.
    const facts = { shop: actor.shop, socket: socket.id };
    const joined = Promise.resolve(socket.join(buyerRoom(actor.shop, actor.id)));
    const told = joined.then(() =>
      gate(async () => {
        if (socket.connected) await tellPresentChat(house, actor.shop, actor.id, clock());
      }),
    );
    track(
      within(ANSWER_MS, told).catch((error) =>
        house.log.warn({ ...facts, err: bareError(error) }, 'a buyer was not told how their chat stands'),
      ),
    );
    const share = serveCommands(socket, {
      commands: buyerCommands,
      handlers: forBuyers,
      language,
      log: house.log,
      workload,
      meter,
      facts,
      allow: limits.commands({ shop: actor.shop, buyer: actor.id, address: addressFor(socket) }),
      async asking() {
        await joined;
        return { actor, socket: socket.id };
      },
      track,
    });
    remember({ socket, share });
  });

  const agents = io.of('/agent');
  const agentSockets = new Set<AgentSocket>();
  let allLeft = true;

  function record({ shop, agent, socket }: Omit<AgentSocket, 'recorded'>): Promise<void> {
    return gate(async () => {
      // It went while it waited its turn.
      if (!socket.connected) return;
      const node = await listed();
      await connectAgent(house, shop, agent, socket.id, node, clock());
    });
  }

  const forAgents = agentHandlers(house, clock);
  admit(agents, {
    identify: admitted((token) => agentOfToken(house, keys, token, clock())),
    onFault,
    onRefused: (code) => meter.refused('agent', code),
  });
  agents.on('connection', (socket: Socket) => {
    const { actor, language, again } = socket.data as SocketData<AgentPass>;
    socket.on('disconnect', meter.connected('agent', again));
    const { shop, id } = actor;
    watch.agent(socket, actor);
    const facts = { shop, agent: id };
    const rooms = [
      agentRoom(shop, id),
      sessionRoom(shop, actor.session),
      ...(maySteer(actor) ? [supervisorsRoom(shop)] : []),
    ];
    const joined = Promise.resolve(socket.join(rooms));

    const known = { shop, agent: id, socket };
    const recorded = record(known);
    const arrived = within(ANSWER_MS, Promise.all([joined, recorded])).then(
      () => {},
      (error) => {
        // Removed since they showed their token.
        if (error instanceof Refusal) house.log.info(facts, 'an agent who is no more is not connected');
        else
          house.log.error(
            { ...facts, err: bareError(error) },
            'a connection could not be recorded; the client tries again',
          );
        socket.disconnect(true);
      },
    );
    track(arrived);
    const agentSocket: AgentSocket = { ...known, recorded: recorded.catch(() => undefined) };
    agentSockets.add(agentSocket);
    socket.on('disconnect', () => {
      agentSockets.delete(agentSocket);
      track(left(agentSocket));
    });

    const share = serveCommands(socket, {
      commands: agentCommands,
      handlers: forAgents,
      language,
      log: house.log,
      workload,
      meter,
      facts,
      allow: limits.commands({ shop, address: addressFor(socket) }),
      async asking() {
        await arrived;
        // As the shop has them now: a role may have changed, or the account be gone. Of who may do more than others it
        // is asked anew each time; what this node remembers may be some seconds old.
        const known = agentActor((await house.configs.get(shop)).config, id);
        const now = known && maySteer(known) ? agentActor((await house.configs.fresh(shop)).config, id) : known;
        if (!now) throw new Refusal('unauthorized');
        return { actor: now, socket: socket.id };
      },
      kindOf: ({ actor: asking }) => agentKind(asking),
      track,
    });
    remember({ socket, share });
  });

  async function left({ shop, agent, socket, recorded }: AgentSocket): Promise<void> {
    try {
      const gone = recorded.then(() => gate(() => disconnectAgent(house, shop, agent, socket.id, clock())));
      const { graceMs } = await within(ANSWER_MS, gone);
      // The next claim or sweep would see it too; this is so that it is seen at once in a quiet shop.
      setTimeout(() => house.due(shop, clock()), graceMs).unref();
    } catch (error) {
      allLeft = false;
      house.log.error(
        { shop, agent, err: bareError(error) },
        'a disconnection could not be recorded; the sweep of ghosts does it',
      );
    }
  }

  async function settled(): Promise<boolean> {
    while (underWay.size > 0) await Promise.all(underWay);
    return allLeft;
  }

  return {
    async recordAgain() {
      const failures = await atOnce(BATCH, [...agentSockets], (one) => {
        if (!agentSockets.has(one)) return Promise.resolve();
        const again = one.recorded
          .then(() => record(one))
          .catch((error) => {
            // An agent who is no more.
            if (!(error instanceof Refusal)) throw error;
            one.socket.disconnect(true);
          });
        one.recorded = again.catch(() => undefined);
        track(within(ANSWER_MS, one.recorded).catch(() => undefined));
        return again;
      });
      if (failures.length > 0) throw failures[0];
    },
    settled,
    leaving: () => leaving,
    async handOn(windowMs) {
      leaving = true;
      await handOn([...present], windowMs);
    },
    async drain() {
      leaving = true;
      io.local.disconnectSockets(true);
      agents.local.disconnectSockets(true);
      buyers.local.disconnectSockets(true);
      await settled();
    },
  };
}
