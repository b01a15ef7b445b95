/** The short way for the most frequent claim: a buyer nobody knows, and one group whose turn it is. */
import { readAssignment } from './assignment-record.ts';
import type { Claim, Claimed } from './claim.ts';
import { buyerKey, conversationKey, readyKey } from './keys.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';
import { effectsOf } from './shapes.ts';

const script = loadScript(
  'newcomer',
  ['live', 'held', 'hot', 'idle', 'events', 'buyer', 'conversation', 'ready'],
  ['now', 'version', 'profile', 'buyerId', 'conversationId', 'request', 'entry', 'group', 'before', 'after', 'by'],
);

/** A plan that leaves a newcomer nothing but whose turn it is in one group. */
export type NewcomersPlan = {
  readonly group: string;
  readonly by: string;
  /** What the trace says before and after how many are online. */
  readonly before: string;
  readonly after: string;
};

/** By day, without exclusive agent and shop robot, one group left, and no robot in it; see plan/encode.ts. */
const shape = /^hot-contact \d+ note (\S+) nobody-on-duty \S* \S* warm-contact \d+ note (\S+) group (\S+) 1 (\S+) {2}/;

/** Plans are made once for all buyers who are alike, so what they come to is kept too; a WeakMap takes no text. */
const KEPT = 2_000;
const known = new Map<string, NewcomersPlan | undefined>();

/** The plan as the short script takes it, `undefined` if it is not of that shape. */
export function newcomersPlan(plan: string): NewcomersPlan | undefined {
  if (known.has(plan)) return known.get(plan);
  const [, night, between, by, group] = shape.exec(plan) ?? [];
  const found =
    night && between && by && group
      ? {
          group,
          by,
          before: `hot-contact:no-contact;${night};nobody-on-duty:someone-online:`,
          after: `;warm-contact:no-contact;${between};group:next-in-turn:${group}:`,
        }
      : undefined;
  if (known.size >= KEPT) known.clear();
  known.set(plan, found);
  return found;
}

/** Runs it; `undefined` where something is unusual and the whole chain has to be walked. */
export async function claimForNewcomer(scope: Scope, c: Claim, plan: NewcomersPlan): Promise<Claimed | undefined> {
  const { keys } = scope;
  const reply = await run(
    scope.redis,
    script,
    {
      live: keys.live,
      held: keys.held,
      hot: keys.hot,
      idle: keys.idle,
      events: keys.events,
      buyer: buyerKey(keys, c.buyer),
      conversation: conversationKey(keys, c.conversation),
      ready: readyKey(keys, plan.group),
    },
    {
      now: c.now,
      version: scope.version,
      profile: c.profile,
      buyerId: c.buyer,
      conversationId: c.conversation,
      request: c.request,
      entry: JSON.stringify(c.entry),
      group: plan.group,
      before: plan.before,
      after: plan.after,
      by: plan.by,
    },
  );
  if (reply[0] === 'unusual') return undefined;
  const assignment = readAssignment(`${c.conversation}.${c.request}`, c.conversation, c.buyer, String(reply[1]));
  return {
    kind: 'assigned',
    assignment,
    conversation: {
      id: c.conversation,
      shop: scope.shop,
      buyer: c.buyer,
      state: 'assigned',
      agent: String(reply[2]),
      ...(assignment.group ? { group: assignment.group } : {}),
      assignment: assignment.id,
      overnight: false,
      lastSeq: 0,
      openedAt: c.now,
    },
    from: '',
    ...effectsOf(reply[3], []),
  };
}
