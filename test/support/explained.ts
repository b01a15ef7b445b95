/** Whether an assignment is explained by its trace alone. */
import { type Assignment, step } from '../../client-sdk/contract/index.ts';

/**
 * Each step tried in the order of the chain; all but the last passed, each with its reason; the last one won. Answers
 * what is not so, or `undefined`.
 */
export function unexplained({ trace, step: won, outcome, agent, id }: Assignment): string | undefined {
  const last = trace.at(-1);
  if (last?.step !== won || last.result !== 'won') return `${id} ends with ${JSON.stringify(last)}, won by ${won}`;
  if (outcome === 'agent' && last.agent !== agent) return `${id} went to ${agent}, its trace to ${last.agent}`;
  for (const item of trace) {
    if (!/^[a-z-]+$/.test(item.why)) return `${id} gives no reason for ${item.step}: ${item.why}`;
    if (item.result !== (item === last ? 'won' : 'passed')) return `${id}: ${item.step} ${item.result} amid the trace`;
  }
  const places = trace.map((item) => step.options.indexOf(item.step));
  const back = trace.find((item, i) => i > 0 && (places[i] ?? 0) < (places[i - 1] ?? 0) && item.step !== 'group-robot');
  return back && `${id} tried ${back.step} after a later step`;
}
