/** A stored assignment read back: the claim writes it tersely, this gives every fact its name. */
import {
  type Assignment,
  type Outcome,
  type StepName,
  type TraceItem,
  WHOLE_SHOP,
} from '../../client-sdk/contract/index.ts';

const TURN = ['group', 'agent', 'pass', 'level', 'pending'] as const;

/** The facts that follow a step and its `why`, in the order the claim writes them. A step's own come first. */
const facts: Record<string, readonly string[]> = {
  'hot-contact:recent-and-present': ['agent', 'ageMs', 'presence'],
  'hot-contact:older-than-window': ['agent', 'ageMs'],
  'hot-contact:contact-offline': ['agent', 'ageMs'],
  'hot-contact:at-limit': ['agent', 'ageMs'],
  'hot-contact:missed-it': ['agent', 'ageMs'],
  'night-shift:night': ['agent'],
  'nobody-on-duty:someone-online': ['online'],
  'warm-contact:on-duty': ['agent', 'ageMs'],
  'warm-contact:hung-up-colleague': [...TURN, 'contact'],
  'warm-contact:hung-up-shop': [...TURN, 'contact'],
  'exclusive-agent:on-duty': ['agent'],
  'exclusive-agent:not-on-duty': ['agent'],
  'shop-robot:robot-first': ['agent'],
  'shop-robot:robot-away': ['agent'],
  'group-robot:group-robot-on': ['group', 'agent', 'narrowedBy'],
  'group-robot:robot-away': ['agent', 'group'],
  'next-in-turn': [...TURN, 'narrowedBy'],
  'group:nobody-on-duty': ['narrowedBy'],
  'widened:nobody-on-duty': ['narrowedBy'],
  'others-wait-first': ['narrowedBy'],
  'group:at-limit': ['narrowedBy'],
  'widened:at-limit': ['narrowedBy'],
  'group:missed-it': ['narrowedBy'],
  'widened:missed-it': ['narrowedBy'],
};
const numbers = new Set(['ageMs', 'online', 'pass', 'level', 'pending']);

function readItem(text: string, isLast: boolean): TraceItem {
  const [step = '', why = '', ...values] = text.split(':');
  const names = facts[`${step}:${why}`] ?? facts[why] ?? [];
  const details: Record<string, unknown> = {};
  names.forEach((name, i) => {
    const value = values[i];
    if (value === undefined || (name === 'group' && value === WHOLE_SHOP)) return;
    details[name] = numbers.has(name) ? Number(value) : value;
  });
  return { step: step as StepName, result: isLast ? 'won' : 'passed', why, ...details };
}

/** The assignment that the claim recorded as `now|outcome|agent|group|step|trace`. The last step tried is the one that won. */
export function readAssignment(id: string, conversation: string, buyer: string, record: string): Assignment {
  const [at, outcome, agent, group, step, trace = ''] = record.split('|');
  const items = trace.split(';');
  return {
    id,
    conversation,
    buyer,
    at: Number(at),
    outcome: outcome as Outcome,
    ...(agent ? { agent } : {}),
    ...(group ? { group } : {}),
    step: step as StepName,
    trace: items.map((item, i) => readItem(item, i === items.length - 1)),
  };
}
