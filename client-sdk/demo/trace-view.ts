/** Why a buyer came to this agent: the steps that were tried, why each was passed over or decided, and with what facts. */
import type { Presence, TraceItem } from '../contract/index.ts';
import {
  factTexts,
  moveCauseTexts,
  narrowingTexts,
  outcomeTexts,
  pageTexts,
  presenceTexts,
  stepTexts,
  type Text,
  whyText,
} from '../texts.ts';
import type { Arrival } from './arrivals.ts';
import { el } from './dom.ts';
import { say, type Value } from './language.ts';
import { duration, timeOfDay } from './times.ts';

/** A fact's value in words. */
function inWords(name: string, value: unknown): Value {
  if (name === 'ageMs' && typeof value === 'number') return () => duration(value);
  if (name === 'presence') return presenceTexts[value as Presence] ?? String(value);
  if (name === 'narrowedBy') {
    const words = String(value).split('+');
    return (language) => words.map((word) => narrowingTexts[word]?.[language] ?? word).join(' + ');
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function factsOf({ step, result, why, ...facts }: TraceItem): HTMLElement[] {
  return Object.entries(facts).map(([name, value]) => {
    const label = factTexts[name] ?? name;
    const said = { en: '{v}', zh: '{v}' };
    return el('div', {}, say(el('dt'), label), say(el('dd'), said, { v: inWords(name, value) }));
  });
}

function itemOf(item: TraceItem): HTMLElement {
  const won = item.result === 'won';
  const facts = factsOf(item);
  return el(
    'li',
    { class: won ? 'step won' : 'step passed' },
    el(
      'div',
      { class: 'step-head' },
      say(el('strong'), stepTexts[item.step] ?? item.step),
      say(el('span', { class: 'result' }), won ? pageTexts.won : pageTexts.passed),
    ),
    say(el('p'), whyText(item.why)),
    ...(facts.length > 0 ? [el('dl', { class: 'facts' }, ...facts)] : []),
  );
}

/** Fills a box with one arrival's reasons; without one, it says that this tab does not know. Answers the list of steps. */
export function fillTrace(box: HTMLElement, arrival: Arrival | undefined): HTMLElement | undefined {
  if (!arrival) {
    box.replaceChildren(say(el('p'), pageTexts.whyUnknown));
    return undefined;
  }
  const { assignment, cause } = arrival;
  const { agent, outcome, at, trace, id } = assignment;
  const to: Text = agent
    ? { en: `${outcomeTexts[outcome].en} (${agent})`, zh: `${outcomeTexts[outcome].zh}（${agent}）` }
    : outcomeTexts[outcome];
  const decidedBy =
    cause === 'transfer' || cause === 'pool-claim'
      ? say(el('p'), pageTexts.whyByPerson, { cause: moveCauseTexts[cause], outcome: to })
      : say(el('p'), pageTexts.whyCause, { time: () => timeOfDay(at), cause: moveCauseTexts[cause] });
  const steps = el('ol', { class: 'trace', tabindex: 0 }, ...trace.map(itemOf));
  box.replaceChildren(decidedBy, steps, say(el('p', { class: 'assignment-id' }), id));
  return steps;
}
