/** What can happen in the shop of the model test: each action drives the services, and tells the model. */
import fc from 'fast-check';
import { type Assignment, type Conversation, type Presence, Refusal } from '../../client-sdk/contract/index.ts';
import { choosePresence, connectAgent, disconnectAgent } from '../../server/services/attendance.ts';
import { open } from '../../server/services/dispatch.ts';
import type { House } from '../../server/services/house.ts';
import { claimFromPool, closeConversation, handOver, transferConversation } from '../../server/services/moves.ts';
import { patchSettings } from '../../server/services/shops.ts';
import { say } from '../../server/services/talk.ts';
import { runShopJobs } from '../../workers/jobs.ts';
import { effective, GRACE_MS, holds, type Model, meets, objection, type Rules } from './shop-model.ts';

export const humans = ['anna', 'ben', 'chen', 'oscar'] as const;
export const everybody = [...humans, 'robo'] as const;
const buyers = ['u', 'v', 'w', 'x', 'y', 'z'] as const;

/** Plain data, so that a failing story is printed as a list of these. */
export type Action =
  | { readonly do: 'open'; readonly buyer: string; readonly product: string | undefined }
  | { readonly do: 'say' | 'reply' | 'close' | 'human'; readonly buyer: string }
  | { readonly do: 'choose'; readonly agent: string; readonly presence: Presence }
  | { readonly do: 'connect' | 'disconnect'; readonly agent: string }
  | { readonly do: 'transfer'; readonly buyer: string; readonly to: { agent: string } | { group: string } }
  | { readonly do: 'take'; readonly buyer: string; readonly agent: string }
  | { readonly do: 'settings'; readonly rules: Rules; readonly busyThreshold: number }
  | { readonly do: 'wait'; readonly ms: number };

const buyer = fc.constantFrom(...buyers);
const anybody = fc.constantFrom(...everybody);
const rules = fc.record({
  whenFull: fc.constantFrom('queue' as const, 'leave-message' as const),
  leaveTo: fc.constantFrom('pool' as const, 'owner' as const),
  robotFirst: fc.boolean(),
});
const to = fc.oneof(
  fc.record({ agent: fc.constantFrom(...humans) }),
  fc.record({ group: fc.constantFrom('tea', 'hats') }),
);
const some = <T extends Action['do']>(...names: T[]) => fc.constantFrom(...names);

export const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: some('open'), buyer, product: fc.constantFrom('tea', 'hats', undefined) }) },
  { weight: 12, arbitrary: fc.record({ do: some('say', 'say', 'reply', 'close', 'human'), buyer }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: some('choose'),
      agent: anybody,
      presence: fc.constantFrom<Presence>('online', 'online', 'hung-up', 'offline'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: some('connect', 'connect', 'disconnect'), agent: anybody }) },
  { weight: 2, arbitrary: fc.record({ do: some('transfer'), buyer, to }) },
  { weight: 2, arbitrary: fc.record({ do: some('take'), buyer, agent: fc.constantFrom(...humans) }) },
  { weight: 1, arbitrary: fc.record({ do: some('settings'), rules, busyThreshold: fc.constantFrom(0, 1, 4) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: some('wait'),
      ms: fc.constantFrom(1_000, GRACE_MS, 3_600_000, 24 * 3_600_000, 49 * 3_600_000),
    }),
  },
);

export type Stage = {
  readonly house: House;
  readonly shop: string;
  readonly model: Model;
  /** Every assignment that was acknowledged. */
  readonly acknowledged: Assignment[];
  /** Makes identifiers of messages. */
  nextId(): string;
};

/** What is refused is as it was; anything else than a refusal is a fault. */
async function unlessRefused(attempt: Promise<unknown>): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'internal' || error.code === 'unavailable') throw error;
  }
}

/** Carries out one action at the model's present time. Throws where the answer cannot be. */
export async function perform(stage: Stage, act: Action): Promise<void> {
  const { house, shop, model } = stage;
  const { now } = model;
  const talk = 'buyer' in act ? model.talks.get(act.buyer) : undefined;
  const buyerActor = (id: string) => ({ kind: 'buyer', shop, id }) as const;
  const agentActor = (id: string) =>
    ({ kind: id === 'robo' ? 'robot' : 'agent', shop, id, role: id === 'oscar' ? 'owner' : 'agent' }) as const;
  const person = 'agent' in act ? model.people.get(act.agent) : undefined;

  switch (act.do) {
    case 'open': {
      const entry = act.product ? { product: act.product } : {};
      const { conversation, assignment } = await open(house, shop, act.buyer, entry, now);
      const problem = objection(model, act.buyer, assignment);
      if (problem) throw new Error(`open of ${act.buyer}: ${problem}; ${JSON.stringify(assignment.trace)}`);
      if (talk && talk.id !== conversation.id) throw new Error(`${act.buyer} has two open conversations`);
      stage.acknowledged.push(assignment);
      holds(model, conversation);
      if (assignment.agent) meets(model, act.buyer, assignment.agent);
      return;
    }
    case 'say':
    case 'reply': {
      if (!talk) return;
      const actor = act.do === 'say' ? buyerActor(act.buyer) : talk.holder ? agentActor(talk.holder) : undefined;
      if (!actor) return;
      await say(
        house,
        actor,
        { conversation: talk.id, clientId: stage.nextId(), body: { type: 'text', text: '…' } },
        now,
      );
      talk.waiting = act.do === 'say';
      talk.said = true;
      if (act.do === 'reply' || effective(model, talk.holder) !== 'offline') meets(model, act.buyer, talk.holder);
      return;
    }
    case 'close':
      if (talk) holds(model, await closeConversation(house, buyerActor(act.buyer), talk.id, now));
      return;
    case 'human':
      if (talk) await handOver(house, buyerActor(act.buyer), talk.id, now);
      return;
    case 'transfer':
      if (!talk?.holder) return;
      await unlessRefused(transferConversation(house, agentActor(talk.holder), talk.id, act.to, now));
      return;
    case 'take':
      if (talk) await unlessRefused(claimFromPool(house, agentActor(act.agent), talk.id, now));
      return;
    case 'choose':
      if (person) person.chosen = act.presence;
      await choosePresence(house, shop, act.agent, act.presence, 'chose', now);
      return;
    case 'connect':
      if (person) Object.assign(person, { connected: true, lapsesAt: undefined });
      await connectAgent(house, shop, act.agent, 'socket', 'node', now);
      return;
    case 'disconnect':
      if (person?.connected) {
        const present = effective(model, act.agent) !== 'offline';
        Object.assign(person, { connected: false, lapsesAt: present ? now + GRACE_MS : undefined });
      }
      await disconnectAgent(house, shop, act.agent, 'socket', now);
      return;
    case 'settings':
      model.rules = act.rules;
      await patchSettings(
        house,
        shop,
        {
          whenFull: act.rules.whenFull,
          leaveMessage: { to: act.rules.leaveTo },
          robotFirst: { enabled: act.rules.robotFirst, robot: 'robo' },
          busyThreshold: act.busyThreshold,
        },
        now,
      );
      return;
    case 'wait':
      model.now += act.ms;
      await runShopJobs(house, shop, model.now);
  }
}

/** The model learns whom the dispatcher has moved meanwhile. */
export function observe(model: Model, conversations: readonly Conversation[]): void {
  for (const conversation of conversations) holds(model, conversation);
}
