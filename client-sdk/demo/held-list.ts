/** The conversations an agent holds: who waits comes first, longest first, with how long they have waited. */
import type { Conversation, HeldConversation } from '../contract/index.ts';
import { pageTexts, stateTexts } from '../texts.ts';
import { buyerName } from './demo-shop.ts';
import { el, show } from './dom.ts';
import { say } from './language.ts';
import { duration, timeOfDay } from './times.ts';

/** A conversation, with what happened at night where the list of those held told it. */
export type Known = Conversation & Pick<HeldConversation, 'night'>;
/** A conversation as the desk knows it. */
export type Held = { readonly conversation: Known; readonly slow: boolean };

export type HeldList = {
  readonly element: HTMLElement;
  /** `online`: whether buyers are given to this agent now. */
  update(held: Iterable<Held>, chosen: string | undefined, online: boolean): void;
  /** Brings the waiting times up to date. */
  tick(): void;
};

const NEVER = Number.MAX_SAFE_INTEGER;

/** Who waits before who does not, then whoever came first. */
function byUrgency({ conversation: a }: Held, { conversation: b }: Held): number {
  return (a.waitingSince ?? NEVER) - (b.waitingSince ?? NEVER) || a.openedAt - b.openedAt || (a.id < b.id ? -1 : 1);
}

/** A row of the list; it stays the same element while its conversation is held, and so keeps the keyboard's focus. */
type Row = { readonly item: HTMLElement; fill(held: Held, chosen: boolean): void; tick(): void };

function createRow(onChoose: () => void): Row {
  const name = el('strong');
  const state = el('span', { class: 'waiting' });
  const marks = el('span', { class: 'marks' });
  const button = el('button', { type: 'button', class: 'held' }, name, state, marks);
  button.addEventListener('click', onChoose);
  let now: Held | undefined;

  function tick(): void {
    if (!now) return;
    const { waitingSince, openedAt, lastSeq, state: at } = now.conversation;
    if (waitingSince !== undefined) {
      say(state, pageTexts.waitingSince, { time: () => duration(Date.now() - waitingSince) });
    } else if (lastSeq > 0) say(state, pageTexts.answered);
    else
      say(
        state,
        { en: '{at} · {state}', zh: '{at} · {state}' },
        { at: () => timeOfDay(openedAt), state: stateTexts[at] },
      );
    button.classList.toggle('waits', waitingSince !== undefined);
  }

  return {
    item: el('li', {}, button),
    fill(held, chosen) {
      now = held;
      say(name, buyerName(held.conversation.buyer));
      button.setAttribute('aria-current', String(chosen));
      marks.replaceChildren(
        ...(held.slow ? [say(el('span', { class: 'mark slow' }), pageTexts.slowReply)] : []),
        ...(held.conversation.overnight ? [say(el('span', { class: 'mark' }), pageTexts.overnight)] : []),
      );
      tick();
    },
    tick,
  };
}

export function createHeldList(onChoose: (conversation: string) => void): HeldList {
  const heading = say(el('h3', { id: 'held-heading' }), pageTexts.conversations);
  const empty = say(el('p', { class: 'empty' }), pageTexts.noConversations);
  const list = el('ul', { class: 'held-list', 'aria-labelledby': heading.id });
  const rows = new Map<string, Row>();

  return {
    element: el('div', { class: 'held-place', tabindex: -1 }, heading, empty, list),
    update(held, chosen, online) {
      const sorted = [...held].sort(byUrgency);
      const ids = new Set(sorted.map(({ conversation }) => conversation.id));
      for (const [id, row] of rows) {
        if (ids.has(id)) continue;
        row.item.remove();
        rows.delete(id);
      }
      const focused = document.activeElement;
      sorted.forEach((one, i) => {
        const { id } = one.conversation;
        const row = rows.get(id) ?? createRow(() => onChoose(id));
        rows.set(id, row);
        row.fill(one, id === chosen);
        if (list.children[i] !== row.item) list.insertBefore(row.item, list.children[i] ?? null);
      });
      // Moving an element takes the focus away from it.
      if (focused instanceof HTMLElement && list.contains(focused)) focused.focus();
      say(empty, online ? pageTexts.noConversations : pageTexts.goOnline);
      show(empty, sorted.length === 0);
    },
    tick() {
      for (const row of rows.values()) row.tick();
    },
  };
}
