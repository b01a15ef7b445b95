/**
 * A town: shops with buyers and agents, each with a client of the SDK, who live on the servers behind one address. What
 * they are promised and told is written down; when they have come to rest, town/at-rest.ts checks it.
 */
import type { Presence, SettingsPatch } from '../../client-sdk/index.ts';
import { seeded } from '../support/draw.ts';
import { keys } from '../support/main-process.ts';
import { newShopId } from '../support/shop.ts';
import { type Agent, createAgent } from './agent.ts';
import { type Buyer, createBuyer } from './buyer.ts';
import { type Ledger, newLedger, type Someone, pause as wait } from './ledger.ts';
import { type Rest, restAt } from './rest.ts';

export type TownShop = {
  readonly id: string;
  readonly apiKey: string;
  readonly agents: readonly Agent[];
  readonly buyers: readonly Buyer[];
  /** Somebody who comes by: not connected yet, and not among the buyers who are looked at in the end. */
  newcomer(id: string): Buyer;
};

export type Town = {
  readonly shops: readonly TownShop[];
  readonly ledger: Ledger;
  readonly rest: Rest;
  /** Everybody acts, until `pause` or `settle`. */
  live(): void;
  /** Everybody speaks at this moment, so that much is under way; who has not been answered yet since the last time waits. */
  rush(): void;
  /** Nobody begins anything. Resolves when every command has been answered. */
  pause(): Promise<void>;
  /**
   * Nobody begins anything; whoever is away comes back, everybody is online, and replies until nobody waits. Resolves when
   * every command has been answered and every client is connected.
   */
  settle(): Promise<void>;
  /** Disconnects everybody. */
  leave(): void;
};

export type TownPlan = {
  /** Where the balancer is. */
  readonly url: string;
  readonly seed: number;
  /** In each shop. */
  readonly buyers: number;
  readonly agents: number;
};

type Kind = { readonly settings: SettingsPatch; readonly capacity: number | undefined; readonly robot: boolean };

const SECOND = 1_000;
/** Between two things that somebody does, in ms: at least, and as much again and more by luck. */
const PACE = { buyer: [400, 1_200], agent: [200, 600] } as const;
/** Between two changes of a shop's settings, in ms. */
const CHANGES_MS = 4 * SECOND;

/** In one shop who finds everybody full waits in the queue, in the other messages are left and a robot answers first. */
const kinds: readonly Kind[] = [
  {
    settings: {
      presenceGraceMs: 2 * SECOND,
      whenFull: 'queue',
      reassignAfterMs: 5 * SECOND,
      autoHangUp: { atActive: 6 },
      welcome: { text: 'Welcome!' },
    },
    capacity: 8,
    robot: false,
  },
  {
    settings: {
      presenceGraceMs: SECOND,
      whenFull: 'leave-message',
      leaveMessage: { to: 'pool', autoAssign: true },
      robotFirst: { enabled: true, robot: 'robo' },
      idleCloseMs: 10 * SECOND,
    },
    capacity: undefined,
    robot: true,
  },
];

/** Nothing happens because time passes. */
const atRest: SettingsPatch = {
  reassignAfterMs: null,
  autoHangUp: { atActive: null, afterNoReplyMs: null },
  idleCloseMs: 0,
  handoverLimit: 1_000,
};

async function openShop(plan: TownPlan, ledger: Ledger, rest: Rest, kind: Kind, place: number): Promise<TownShop> {
  const id = newShopId('town');
  const { apiKey } = await rest.call('POST', 'shops', keys.adminKey, { id, name: id });
  const inShop = (method: string, path: string, body?: object) =>
    rest.call(method, `shops/${id}/${path}`, apiKey, body);
  const colleagues = Array.from({ length: plan.agents }, (_, n) => `agent-${n}`);
  const capacity = kind.capacity === undefined ? {} : { capacity: kind.capacity };
  for (const name of colleagues) {
    await inShop('PUT', `agents/${name}`, { name, role: 'agent', kind: 'human', ...capacity });
  }
  if (kind.robot) await inShop('PUT', 'agents/robo', { name: 'robo', role: 'agent', kind: 'robot' });
  const half = Math.ceil(colleagues.length / 2);
  for (const [group, names] of Object.entries({ tea: colleagues.slice(0, half), hats: colleagues.slice(half - 1) })) {
    const members = names.map((agent, n) => ({ agent, level: 1 + (n % 5) }));
    await inShop('PUT', `groups/${group}`, { name: group, members, binds: { products: [group] } });
  }
  await inShop('PATCH', 'settings', kind.settings);

  const groups = ['tea', 'hats'];
  const pool = async () =>
    ((await inShop('GET', 'live')).pool as { conversation: string }[]).map(({ conversation }) => conversation);
  const someone = (who: Someone, n: number) => {
    const path = who.kind === 'buyer' ? `buyers/${who.id}/token` : `agents/${who.id}/token`;
    return {
      options: {
        url: plan.url,
        getToken: async () => (await inShop('POST', path)).token as string,
        checkEveryMs: SECOND,
        backoff: { minMs: 200, maxMs: SECOND },
      },
      draw: seeded(plan.seed * 1_000_000 + place * 100_000 + n),
    };
  };
  const agents = [...colleagues, ...(kind.robot ? ['robo'] : [])].map((name, n) => {
    const who: Someone = { kind: name === 'robo' ? 'robot' : 'agent', shop: id, id: name };
    const { options, draw } = someone(who, -1 - n);
    return createAgent(who, { colleagues, groups, pool }, options, ledger, draw);
  });
  let came = 0;
  const newcomer = (name: string) => {
    const who: Someone = { kind: 'buyer', shop: id, id: name };
    const { options, draw } = someone(who, ++came);
    return createBuyer(who, options, ledger, draw);
  };
  const buyers = Array.from({ length: plan.buyers }, (_, n) => newcomer(`buyer-${n}`));
  return { id, apiKey, agents, buyers, newcomer };
}

/** Opens the shops; everybody is connected, the agents are online. */
export async function foundTown(plan: TownPlan): Promise<Town> {
  const ledger = newLedger();
  const rest = restAt(plan.url);
  const shops = await Promise.all(kinds.map((kind, place) => openShop(plan, ledger, rest, kind, place)));
  const agents = shops.flatMap((shop) => shop.agents);
  const people = [...agents, ...shops.flatMap((shop) => shop.buyers)];
  await Promise.all(people.map(({ client }) => client.connect()));
  const allChoose = (presence: Presence) => Promise.all(agents.map((agent) => agent.choose(presence)));
  await allChoose('online');

  let resting = true;
  let lives: Promise<void>[] = [];
  /** Whose last rush has not been answered yet. */
  const rushing = new Set<Agent | Buyer>();

  async function life(person: Agent | Buyer, draw: () => number): Promise<void> {
    const [least, more] = PACE[person.who.kind === 'buyer' ? 'buyer' : 'agent'];
    while (!resting) {
      await wait(least + draw() * more);
      if (!resting) await person.act();
    }
  }
  /** The owner changes the settings now and then: what the nodes know of the shop is out of date. */
  async function rule({ id, apiKey }: TownShop): Promise<void> {
    for (let n = 0; !resting; n++) {
      await rest.call('PATCH', `shops/${id}/settings`, apiKey, { busyThreshold: 2 + (n % 4) });
      await wait(CHANGES_MS);
    }
  }

  async function pause(): Promise<void> {
    resting = true;
    await Promise.all(lives);
  }

  return {
    shops,
    ledger,
    rest,
    live() {
      resting = false;
      lives = [...people.map((person, n) => life(person, seeded(plan.seed * 77_000 + n))), ...shops.map(rule)];
      // Whatever goes wrong is told by `pause`, which waits for all of them.
      for (const one of lives) one.catch(() => undefined);
    },
    rush() {
      for (const person of people.filter((one) => !rushing.has(one))) {
        rushing.add(person);
        const spoken = person.speak().finally(() => rushing.delete(person));
        spoken.catch(() => undefined);
        lives.push(spoken);
      }
    },
    pause,
    async settle() {
      await pause();
      await Promise.all(people.map(({ client }) => client.connect()));
      await Promise.all(shops.map(({ id, apiKey }) => rest.call('PATCH', `shops/${id}/settings`, apiKey, atRest)));
      await allChoose('online');
      await Promise.all(agents.map((agent) => agent.replyToAll()));
    },
    leave() {
      resting = true;
      for (const { client } of people) client.disconnect();
    },
  };
}
