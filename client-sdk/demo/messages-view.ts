/** The messages of one conversation as a list: in order of `seq`, each once, then those still on their way. */
import type { Message } from '../contract/index.ts';
import { pageTexts, type Text } from '../texts.ts';
import { el, show } from './dom.ts';
import { say, sayAttribute } from './language.ts';
import { timeOfDay } from './times.ts';

export type MessagesViewParts = {
  /** Whether it was written on this side, by whoever held the conversation then. */
  ours(message: Message): boolean;
  nameOf(message: Message): Text | string;
  onEarlier(button: HTMLButtonElement): void;
  onRetry(clientId: string, text: string): void;
};

export type MessagesView = {
  readonly element: HTMLElement;
  add(messages: readonly Message[]): void;
  /** The `seq` of the first message here; undefined while there is none. */
  first(): number | undefined;
  /** Whether there are earlier ones to ask for. */
  setEarlier(some: boolean): void;
  /** Shows what is being sent, until the message itself comes; the same `clientId` again is the same message. */
  sending(clientId: string, text: string): void;
  notSent(clientId: string): void;
  /** The other side has seen everything up to `seq`. */
  seen(seq: number): void;
  /** While history is loaded nothing is read out. */
  busy(busy: boolean): void;
};

/** As close to the end as this, in pixels, counts as reading the end. */
const NEAR_END = 80;

export function createMessagesView({ ours, nameOf, onEarlier, onRetry }: MessagesViewParts): MessagesView {
  const earlier = say(el('button', { type: 'button', class: 'quiet earlier' }), pageTexts.earlier);
  earlier.addEventListener('click', () => onEarlier(earlier));
  const empty = say(el('p', { class: 'empty' }), pageTexts.noMessages);
  const list = el('ol', { class: 'messages' });
  const seenMark = say(el('span', { class: 'seen' }), pageTexts.seen);
  const element = el('div', { class: 'scroll', role: 'log', 'aria-live': 'polite', tabindex: 0 }, earlier, empty, list);
  sayAttribute(element, 'aria-label', pageTexts.messages);
  show(earlier, false);

  /** In order of `seq`. */
  const shown: { readonly message: Message; readonly item: HTMLLIElement }[] = [];
  const onTheirWay = new Map<string, { readonly item: HTMLLIElement; readonly text: string }>();
  let seenUpTo = 0;

  /** Whether the end is being read: then it stays in sight, whatever comes and however the place for it changes. */
  let atEnd = true;
  element.addEventListener('scroll', () => {
    atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
  });
  const stay = () => {
    if (atEnd) element.scrollTop = element.scrollHeight;
  };
  new ResizeObserver(stay).observe(element);

  /** Changes the list; what is being read stays where it is, also when something earlier comes before it. */
  function keepingPlace(change: () => void): void {
    const [first, top, height] = [shown[0]?.message.seq, element.scrollTop, element.scrollHeight];
    change();
    if (!atEnd && shown[0]?.message.seq !== first) element.scrollTop = top + element.scrollHeight - height;
    stay();
    show(empty, shown.length + onTheirWay.size === 0);
  }

  function itemOf(message: Message): HTMLLIElement {
    const { kind } = message.from;
    const side = kind === 'system' ? 'system' : ours(message) ? 'ours' : 'theirs';
    const time = say(
      el('time', { datetime: new Date(message.at).toISOString() }),
      { en: '{t}', zh: '{t}' },
      {
        t: () => timeOfDay(message.at),
      },
    );
    const who = say(el('span', { class: 'who' }), nameOf(message));
    const text = el('p', { class: 'text', dir: 'auto' });
    text.textContent = message.body.text;
    return el('li', { class: `message ${side}` }, el('div', { class: 'by' }, who, ' ', time), text);
  }

  function insert(message: Message): void {
    let at = shown.length;
    while (at > 0 && (shown[at - 1]?.message.seq ?? 0) > message.seq) at -= 1;
    const there = shown[at - 1]?.message;
    if (there?.id === message.id) return;
    if (there?.seq === message.seq) {
      // The server has lost it, and has given its number anew.
      for (const { item } of shown.splice(at - 1, 1)) item.remove();
      at -= 1;
    }
    const waiting = message.clientId === undefined ? undefined : onTheirWay.get(message.clientId);
    if (waiting && message.clientId !== undefined) {
      waiting.item.remove();
      onTheirWay.delete(message.clientId);
    }
    const item = itemOf(message);
    const after = shown[at]?.item ?? [...onTheirWay.values()][0]?.item ?? null;
    list.insertBefore(item, after);
    shown.splice(at, 0, { message, item });
  }

  function markSeen(): void {
    const last = shown.findLast(({ message }) => ours(message) && message.seq <= seenUpTo);
    if (last) last.item.append(seenMark);
  }

  return {
    element,
    add(messages) {
      keepingPlace(() => {
        for (const message of messages) insert(message);
        markSeen();
      });
    },
    first: () => shown[0]?.message.seq,
    setEarlier: (some) => show(earlier, some),
    sending(clientId, text) {
      const item = el('li', { class: 'message ours on-its-way' });
      const body = el('p', { class: 'text', dir: 'auto' });
      body.textContent = text;
      item.append(body, say(el('span', { class: 'state' }), pageTexts.sending));
      keepingPlace(() => {
        const before = onTheirWay.get(clientId);
        if (before) before.item.replaceWith(item);
        else list.append(item);
        onTheirWay.set(clientId, { item, text });
      });
      atEnd = true;
      stay();
    },
    notSent(clientId) {
      const waiting = onTheirWay.get(clientId);
      if (!waiting) return;
      const retry = say(el('button', { type: 'button', class: 'quiet retry' }), pageTexts.notSent);
      retry.addEventListener('click', () => onRetry(clientId, waiting.text));
      keepingPlace(() => waiting.item.querySelector('.state, .retry')?.replaceWith(retry));
    },
    seen(seq) {
      seenUpTo = Math.max(seenUpTo, seq);
      keepingPlace(markSeen);
    },
    busy: (busy) => element.setAttribute('aria-busy', String(busy)),
  };
}
