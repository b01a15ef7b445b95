/** What nobody holds: left messages, from which an agent may take, and for supervisors the queue. */
import type { LiveAgent, Unheld } from '../contract/index.ts';
import { pageTexts } from '../texts.ts';
import { buyerName } from './demo-shop.ts';
import { el, show } from './dom.ts';
import { say, sayAttribute } from './language.ts';
import { attempt, createNotice } from './notice.ts';
import { duration } from './times.ts';

/** The live board, as `GET …/live` answers it. */
export type Live = { readonly agents: LiveAgent[]; readonly queue: Unheld[]; readonly pool: Unheld[] };

export type PoolView = { readonly element: HTMLElement; update(live: Live): void };

export function createPoolView(claim: (conversation: string) => Promise<unknown>): PoolView {
  const heading = say(el('h3', { id: 'pool-heading' }), pageTexts.pool);
  const none = say(el('p', { class: 'empty' }), pageTexts.poolEmpty);
  const pool = el('ul', { class: 'unheld', 'aria-labelledby': heading.id });
  const notice = createNotice('alert');
  const queueHeading = say(el('h3', { id: 'queue-heading' }), pageTexts.queue);
  const queue = el('ul', { class: 'unheld', 'aria-labelledby': queueHeading.id });
  show(queueHeading, false);

  const items = new Map<string, { readonly item: HTMLLIElement; readonly since: HTMLElement }>();

  function itemOf({ conversation, buyer }: Unheld, claimable: boolean) {
    const since = el('span', { class: 'waiting' });
    const item = el('li', {}, say(el('strong'), buyerName(buyer)), since);
    if (claimable) {
      const button = say(el('button', { type: 'button' }), pageTexts.claim);
      sayAttribute(button, 'aria-label', pageTexts.claimFrom, { buyer: buyerName(buyer) });
      button.addEventListener('click', () => void attempt(button, notice, () => claim(conversation)));
      item.append(button);
    }
    return { item, since };
  }

  /** Keeps the elements that are there, so that a button being pressed is not replaced under the finger. */
  function fill(list: HTMLElement, waiting: readonly Unheld[], claimable: boolean): void {
    const wanted = waiting.map((one) => {
      const key = `${list.className}:${claimable}:${one.conversation}`;
      const known = items.get(key) ?? itemOf(one, claimable);
      items.set(key, known);
      say(known.since, { en: '{t}', zh: '{t}' }, { t: () => duration(Date.now() - one.since) });
      return known.item;
    });
    const same = wanted.length === list.children.length && wanted.every((item, i) => list.children[i] === item);
    if (!same) list.replaceChildren(...wanted);
  }

  return {
    element: el('div', { class: 'pool-place' }, heading, none, pool, notice.element, queueHeading, queue),
    update(live) {
      const present = new Set([...live.pool, ...live.queue].map(({ conversation }) => conversation));
      for (const key of items.keys()) if (!present.has(key.slice(key.lastIndexOf(':') + 1))) items.delete(key);
      fill(pool, live.pool, true);
      fill(queue, live.queue, false);
      show(none, live.pool.length === 0);
      show(queueHeading, live.queue.length > 0);
    },
  };
}
