/** Runs the dispatcher: a plan becomes an assignment. */
import type { Assignment, By, Conversation, Entry } from '../../client-sdk/contract/index.ts';
import { readAssignment } from './assignment-record.ts';
import { byText } from './audit.ts';
import { buyerKey, conversationKey, moveKeys } from './keys.ts';
import { claimForNewcomer, newcomersPlan } from './newcomer.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';
import { type Effects, effectsOf, shownConversation } from './shapes.ts';

const script = loadScript(
  'claim',
  [...moveKeys, 'hot', 'warm', 'idle', 'places', 'shifts', 'events', 'audit', 'buyer', 'conversation'],
  [
    'now',
    'version',
    'profile',
    'buyerId',
    'conversationId',
    'request',
    'mode',
    'expected',
    'warmMs',
    'limit',
    'entry',
    'steering',
    'plan',
  ],
);

/**
 * Why the dispatcher runs: a click, a holder who left, a robot that hands over, a place that came free (for the queue, the
 * pool, what came in overnight), a holder who does not reply, or a buyer who leaves the queue.
 */
export type ClaimMode = 'open' | 'again' | 'human' | 'queue' | 'pool' | 'morning' | 'missed' | 'leave';

export type Claim = {
  readonly now: number;
  readonly mode: ClaimMode;
  /** Made from the configuration of the scope; see plan/encode.ts. */
  readonly plan: string;
  readonly buyer: string;
  /** Version of the buyer's profile that the plan was made with, '0' for none. */
  readonly profile: string;
  readonly conversation: string;
  /** Last part of the assignment's id; the same again is answered as before. */
  readonly request: string;
  /**
   * For an open: 'new' or 'current', what the conversation is taken for. Else `<request>:<holder>`, as they were seen; for
   * 'missed' `<request>:<holder>:<since when the reply is owed>`.
   */
  readonly expected: string;
  readonly warmMs: number;
  /** Nobody is taken whose pending has reached it; '' for no limit. */
  readonly limit: number | '';
  readonly entry: Entry;
  /** A supervisor, or the owner, who is accountable for taking it from a robot. */
  readonly steering?: By | undefined;
};

export type Claimed =
  /** The plan is of another profile, or the buyer's conversation ('' for none) is another. */
  | { readonly kind: 'buyer'; readonly profile: string; readonly conversation: string }
  | { readonly kind: 'repeat'; readonly assignment: string }
  /** Somebody else was faster. */
  | { readonly kind: 'moved' }
  /** There is no better place; it stays where it is. */
  | ({ readonly kind: 'still' } & Effects)
  | ({
      readonly kind: 'assigned';
      readonly assignment: Assignment;
      readonly conversation: Conversation;
      /** Who held it before, '' nobody. */
      readonly from: string;
    } & Effects);

/** Runs a claim: a newcomer's in the short script where it applies, every other in the whole one. */
export async function claim(scope: Scope, c: Claim): Promise<Claimed> {
  const newcomer = c.mode === 'open' && c.expected === 'new' && c.limit === '' ? newcomersPlan(c.plan) : undefined;
  return (newcomer && (await claimForNewcomer(scope, c, newcomer))) ?? claimByChain(scope, c);
}

/** The whole chain, whatever the plan. */
export async function claimByChain(scope: Scope, c: Claim): Promise<Claimed> {
  const { keys } = scope;
  const reply = await run(
    scope.redis,
    script,
    { ...keys, buyer: buyerKey(keys, c.buyer), conversation: conversationKey(keys, c.conversation) },
    {
      now: c.now,
      version: scope.version,
      profile: c.profile,
      buyerId: c.buyer,
      conversationId: c.conversation,
      request: c.request,
      mode: c.mode,
      expected: c.expected,
      warmMs: c.warmMs,
      limit: c.limit,
      entry: JSON.stringify(c.entry),
      steering: byText(c.steering),
      plan: c.plan,
    },
    scope.ready,
  );
  switch (reply[0]) {
    case 'moved':
      return { kind: 'moved' };
    case 'buyer':
      return { kind: 'buyer', profile: String(reply[1]), conversation: String(reply[2]) };
    case 'repeat':
      return { kind: 'repeat', assignment: String(reply[1]) };
    case 'still':
      return { kind: 'still', ...effectsOf('', reply[1]) };
    default: {
      const conversation = shownConversation(scope.shop, reply[2]);
      return {
        kind: 'assigned',
        assignment: readAssignment(`${conversation.id}.${c.request}`, conversation.id, c.buyer, String(reply[1])),
        conversation,
        from: String(reply[3]),
        ...effectsOf(reply[4], reply[5]),
      };
    }
  }
}
