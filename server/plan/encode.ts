/** A plan as the claim script reads it: each step its name and what it takes. The other half is scripts/claim.lua. */
import type { LeftTo, Step } from './chain.ts';

const leftTo = (left: LeftTo) => [left.outcome, left.outcome === 'queue' ? left.priority : (left.agent ?? '')];

function encodeStep(step: Step): (string | number)[] {
  if ('passed' in step) return ['note', `${step.step}:${step.passed}`];
  switch (step.step) {
    case 'hot-contact':
    case 'warm-contact':
      return [step.step, step.withinMs];
    case 'night-shift':
      return [step.step, step.proxy];
    case 'nobody-on-duty':
      return [step.step, ...leftTo(step.leftTo)];
    case 'full':
      return [step.step, ...leftTo(step.leftTo), step.why ?? ''];
    case 'exclusive-agent':
      return [step.step, step.agent];
    case 'shop-robot':
      return [step.step, step.robot];
    case 'group':
    case 'widened':
      return [step.step, step.by, step.groups.length, ...step.groups.flatMap((g) => [g.id, g.robot ?? ''])];
  }
}

/**
 * The plan as one line: each word followed by a space, so that one may be empty. One argument, not one a word: each
 * argument of a call costs Redis and Node 0.2 us. Steps that passed by the settings alone are joined into one where they
 * are neighbours.
 */
export function encodeSteps(steps: readonly Step[]): string {
  const words: (string | number)[] = [];
  for (const step of steps) {
    const [name, ...rest] = encodeStep(step);
    if (name === 'note' && words.at(-2) === 'note') words[words.length - 1] = `${words.at(-1)};${rest[0]}`;
    else words.push(name ?? '', ...rest);
  }
  return `${words.join(' ')} `;
}
