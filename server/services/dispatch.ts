/**
 * Plan, then claim: the dispatcher as a service. The plan is made of what this node knows; the claim refuses it where
 * that is out of date, and it is made again.
 */
import {
  type Assignment,
  type By,
  type Conversation,
  type Entry,
  type MoveCause,
  Refusal,
} from '../../client-sdk/contract/index.ts';
import type { LeavingWhy } from '../plan/chain.ts';
import { planFor, planForLeaving } from '../plan/plan.ts';
import { readBuyer } from '../store/buyers.ts';
import { type Claimed, type ClaimMode, claim } from '../store/claim.ts';
import { type ConversationRecord, readAssignmentById, readConversation } from '../store/read.ts';
import type { Scope } from '../store/scope.ts';
import type { House } from './house.ts';
import { nightOf } from './overnight.ts';
import { tellBuyer, tellEffects, tellMove } from './told.ts';
import { welcome } from './welcome.ts';

/** Tries before giving up on a buyer whose profile or conversation changes under every plan. */
const TRIES = 20;

export type Opened = { readonly conversation: Conversation; readonly assignment: Assignment };

/** Forgets what was known of a buyer and reads it. */
async function learn(house: House, scope: Scope, buyer: string): Promise<void> {
  const record = await readBuyer(scope, buyer);
  house.buyers.set(scope.shop, buyer, {
    profile: record?.profile ?? '0',
    crowds: record?.crowds ?? [],
    exclusiveAgent: record?.exclusiveAgent,
    conversation: record?.conversation ?? '',
  });
}

async function answerAgain(scope: Scope, id: string): Promise<Opened> {
  const assignment = await readAssignmentById(scope, id);
  const record = assignment && (await readConversation(scope, assignment.conversation));
  if (!assignment || !record) throw new Refusal('not-found', 'That conversation has been erased; open a new one.');
  return { assignment, conversation: record.conversation };
}

/**
 * A buyer's click on the chat icon: always one run of the dispatcher, one assignment. The same `requestId` again answers
 * the same. `now` in ms since the epoch.
 *
 * Throws `not-found` for an unknown shop.
 */
export async function open(
  house: House,
  shop: string,
  buyer: string,
  entry: Entry,
  now: number,
  requestId?: string,
): Promise<Opened> {
  const request = house.ids.request(buyer, requestId);
  const fresh = house.ids.conversation();
  const answered = house.meter.clicked();
  return house.configs.use(shop, async (at) => {
    const { config, scope } = at;
    for (let tries = 0; tries < TRIES; tries++) {
      const known = house.buyers.get(shop, buyer);
      const claimed = await claim(scope, {
        now,
        mode: 'open',
        plan: planFor(config, known, entry, now),
        buyer,
        profile: known.profile,
        conversation: known.conversation || fresh,
        request,
        expected: known.conversation ? 'current' : 'new',
        warmMs: config.settings.contactWindows.warmMs,
        limit: '',
        entry,
      });
      if (claimed.kind === 'repeat') {
        const opened = await answerAgain(scope, claimed.assignment);
        await welcome(house, at, opened, now); // whoever answered the first time may have died before it was said
        return opened;
      }
      if (claimed.kind === 'assigned') {
        const { conversation, assignment, from } = claimed;
        house.meter.assigned(assignment, 'open');
        house.buyers.set(shop, buyer, { ...known, conversation: conversation.id });
        tellEffects(house, shop, claimed);
        tellMove(house, shop, { conversation, assignment, from, cause: 'open' });
        await tellBuyer(house, at, conversation, now);
        await welcome(house, at, { conversation, assignment }, now);
        if (claimed.presences.length > 0 || assignment.trace.at(-1)?.why === 'others-wait-first') {
          house.due(shop, now);
        }
        answered();
        return { conversation, assignment };
      }
      await learn(house, scope, buyer);
    }
    throw new Refusal('unavailable');
  });
}

const causes: Record<Exclude<ClaimMode, 'open'>, MoveCause> = {
  again: 'agent-offline',
  human: 'robot-handover',
  queue: 'queue',
  pool: 'pool',
  morning: 'morning',
  missed: 'no-reply',
  leave: 'queue-left',
};

export type Again = (
  | { readonly mode: Exclude<ClaimMode, 'open' | 'missed' | 'leave'> }
  /** Since when its holder owes the reply, in ms. */
  | { readonly mode: 'missed'; readonly owedSince: number }
  | { readonly mode: 'leave'; readonly why: LeavingWhy }
) & {
  readonly record: ConversationRecord;
  /** Nobody is taken whose pending has reached it. */
  readonly limit?: number;
  readonly note?: string | undefined;
  /** The last part of the assignment's id: the same again answers the same. New if none is given. */
  readonly request?: string;
  /** A supervisor, or the owner, who takes it from a robot. */
  readonly steering?: By | undefined;
};

/** The conversation as it was seen, which it must still be when the claim runs. */
function seenIn(again: Again): string {
  const { request, conversation } = again.record;
  const seen = `${request}:${conversation.agent ?? ''}`;
  return again.mode === 'missed' ? `${seen}:${again.owedSince}` : seen;
}

/**
 * Runs the chain again for a conversation that is already there: its holder has left, a robot hands it over, or a place
 * has come free. Takes effect only if it has neither been assigned nor changed hands since `record` was read.
 *
 * Robots answer first only where the chain starts anew because a holder left: who asked for a human, or waits in a line,
 * waits for a person.
 */
export async function dispatchAgain(house: House, shop: string, again: Again, now: number): Promise<Claimed> {
  const { mode, record, limit, note } = again;
  const { buyer, id } = record.conversation;
  const request = again.request ?? house.ids.request(id);
  return house.configs.use(shop, async (at) => {
    const { config, scope } = at;
    for (let tries = 0; tries < TRIES; tries++) {
      const known = house.buyers.get(shop, buyer);
      const claimed = await claim(scope, {
        now,
        mode,
        plan:
          again.mode === 'leave'
            ? planForLeaving(config, again.why)
            : planFor(config, known, record.entry, now, mode !== 'again'),
        buyer,
        profile: known.profile,
        conversation: id,
        request,
        expected: seenIn(again),
        warmMs: config.settings.contactWindows.warmMs,
        limit: limit ?? '',
        entry: record.entry,
        steering: again.steering,
      });
      if (claimed.kind === 'buyer') {
        await learn(house, scope, buyer);
        continue;
      }
      if (claimed.kind === 'assigned') {
        const { conversation, assignment, from } = claimed;
        house.meter.assigned(assignment, causes[mode]);
        const overnight = mode === 'morning' ? await nightOf(scope, conversation, from) : undefined;
        tellMove(house, shop, { conversation, assignment, from, cause: causes[mode], note, overnight });
        await tellBuyer(house, at, conversation, now);
      }
      if (claimed.kind === 'assigned' || claimed.kind === 'still') tellEffects(house, shop, claimed);
      return claimed;
    }
    throw new Refusal('unavailable');
  });
}
