/** One conversation as either side sees it: its messages, who types, what has been seen, and a field to write in. */
import type { BuyerClient } from '../buyer-client.ts';
import { newId } from '../commands.ts';
import type { BuyerEventData, Message } from '../contract/index.ts';
import { pageTexts, type Text } from '../texts.ts';
import { createComposer } from './composer.ts';
import { el, show } from './dom.ts';
import { say } from './language.ts';
import { createMessagesView } from './messages-view.ts';
import { attempt, createNotice } from './notice.ts';

/** What both clients can do. */
export type TalkClient = Pick<BuyerClient, 'connected' | 'send' | 'list' | 'setTyping' | 'markRead'>;

export type TalkParts = {
  readonly client: TalkClient;
  readonly conversation: string;
  readonly side: 'buyer' | 'agent';
  nameOf(from: Message['from']): Text | string;
  /** A message could not be sent. */
  onRefused?(error: unknown): void;
};

export type Talk = {
  readonly element: HTMLElement;
  readonly conversation: string;
  /** A message of any conversation has come. */
  accept(message: Message): void;
  typing(event: BuyerEventData<'typing:changed'>): void;
  seen(event: BuyerEventData<'message:seen'>): void;
  /** Loads what is there; again after it failed. */
  load(): Promise<void>;
  /** Tells what has been seen here, if it has not been told yet. */
  markRead(): void;
  /** Whether anything can be written now. */
  enable(enabled: boolean): void;
  focus(): void;
  close(): void;
};

const PAGE = 50;
/** Somebody who does not tell again is not typing any more, in ms. */
const TYPING_ENDS_MS = 8_000;

export function createTalk(parts: TalkParts): Talk {
  const { client, conversation, side, nameOf } = parts;
  const ours = (from: Message['from']) => (side === 'buyer' ? from.kind === 'buyer' : from.kind !== 'buyer');
  /** The last message of the other side that is shown, and the last one told to have been seen. */
  let [theirs, told] = [0, 0];
  let typingEnds: ReturnType<typeof setTimeout> | undefined;

  const notice = createNotice('alert');
  const typing = el('p', { class: 'typing', 'aria-live': 'polite' });
  const retryLoad = say(el('button', { type: 'button', class: 'quiet' }), pageTexts.tryAgain);
  retryLoad.addEventListener('click', () => void load());
  show(retryLoad, false);

  const view = createMessagesView({
    ours: (message) => ours(message.from),
    nameOf: (message) => nameOf(message.from),
    onEarlier: (button) => void attempt(button, notice, () => page(view.first())),
    onRetry: (clientId, text) => void send(text, clientId),
  });
  const composer = createComposer({
    notice,
    onSend: (text) => void send(text, newId()),
    onTyping(typing) {
      // Worth telling now or never.
      if (client.connected) client.setTyping(conversation, typing).catch(() => {});
    },
  });
  const element = el('div', { class: 'talk' }, view.element, typing, notice.element, retryLoad, composer.element);
  const onVisible = () => markRead();
  document.addEventListener('visibilitychange', onVisible);

  function noteTheirs(messages: readonly Message[]): void {
    for (const { from, seq } of messages) if (!ours(from)) theirs = Math.max(theirs, seq);
    markRead();
  }

  function markRead(): void {
    if (theirs <= told || document.visibilityState !== 'visible' || !client.connected) return;
    const [before, seq] = [told, theirs];
    told = seq;
    client.markRead(conversation, seq).catch(() => {
      // Told again with the next message, or when the connection is back.
      if (told === seq) told = before;
    });
  }

  async function page(beforeSeq?: number): Promise<void> {
    view.busy(true);
    try {
      const { messages, hasMore } = await client.list(conversation, {
        limit: PAGE,
        ...(beforeSeq === undefined ? {} : { beforeSeq }),
      });
      view.add(messages);
      view.setEarlier(hasMore);
      noteTheirs(messages);
    } finally {
      view.busy(false);
    }
  }

  async function load(): Promise<void> {
    show(retryLoad, false);
    notice.clear();
    try {
      await page();
    } catch (error) {
      notice.say(pageTexts.messagesFailed, { why: error instanceof Error ? error.message : String(error) });
      show(retryLoad, true);
    }
  }

  async function send(text: string, clientId: string): Promise<void> {
    notice.clear();
    view.sending(clientId, text);
    try {
      view.add([await client.send(conversation, text, { clientId })]);
    } catch (error) {
      view.notSent(clientId);
      notice.fail(error);
      parts.onRefused?.(error);
    }
  }

  function stopTyping(): void {
    clearTimeout(typingEnds);
    typing.textContent = '';
    typing.removeAttribute('data-said');
  }

  return {
    element,
    conversation,
    accept(message) {
      if (message.conversation !== conversation) return;
      view.add([message]);
      noteTheirs([message]);
      if (!ours(message.from)) stopTyping();
    },
    typing(event) {
      if (event.conversation !== conversation || ours(event.by)) return;
      stopTyping();
      if (!event.typing) return;
      say(typing, pageTexts.typing, { name: nameOf(event.by) });
      typingEnds = setTimeout(stopTyping, TYPING_ENDS_MS);
    },
    seen(event) {
      if (event.conversation === conversation && !ours(event.by)) view.seen(event.seq);
    },
    load,
    markRead,
    enable: composer.enable,
    focus: composer.focus,
    close() {
      document.removeEventListener('visibilitychange', onVisible);
      clearTimeout(typingEnds);
      composer.enable(false);
    },
  };
}
