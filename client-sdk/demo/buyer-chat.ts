/** The chat of one buyer: the click on the chat icon, who they talk to, the talk, and how it was. */
import { BuyerClient } from '../buyer-client.ts';
import { CommandError } from '../command-error.ts';
import type { BuyerEventData, Conversation } from '../contract/index.ts';
import { pageTexts } from '../texts.ts';
import type { Visitor } from '../visitor.ts';
import { clientOptions, holdConnection } from './connection.ts';
import { el, show } from './dom.ts';
import { createEntryForm } from './entry-form.ts';
import { say } from './language.ts';
import { attempt, createNotice } from './notice.ts';
import { createRating } from './rating.ts';
import { createTalk, type Talk } from './talk.ts';
import { duration } from './times.ts';

export type BuyerChat = { readonly element: HTMLElement; focus(): void; end(): void };

type Changed = Pick<BuyerEventData<'chat:changed'>, 'agent' | 'queue'>;

/** Connects as the buyer; `onEnded` when their tokens are not taken any more. */
export function createBuyerChat({ getToken }: Visitor, onEnded: () => void): BuyerChat {
  const client = new BuyerClient(clientOptions(getToken));
  let conversation: Conversation | undefined;
  let now: Changed = {};
  let talk: Talk | undefined;

  const lost = createNotice('status', 'lost');
  const notice = createNotice('alert');
  const standing = el('p', { class: 'standing', role: 'status' });
  const entry = createEntryForm(async (brought) => {
    const opened = await client.open(brought);
    changed(opened.conversation, conversation?.id === opened.conversation.id ? now : {});
    talk?.focus();
  });
  const human = say(el('button', { type: 'button' }), pageTexts.talkToHuman);
  const close = say(el('button', { type: 'button' }), pageTexts.close);
  const leaveMessage = say(el('button', { type: 'button' }), pageTexts.leaveMessageInstead);
  const actions = el('div', { class: 'actions' }, human, leaveMessage, close);
  const place = el('div', { class: 'talk-place' });
  const rating = createRating((id, score) => client.rate(id, score));
  const element = el(
    'div',
    { class: 'chat' },
    lost.element,
    entry.element,
    el('div', { class: 'bar' }, standing, actions),
    notice.element,
    place,
    rating.element,
  );

  /** Takes in how the chat stands. Of two conversations the later one is the present one. */
  function changed(next: Conversation, how: Changed): void {
    if (conversation && next.id !== conversation.id && next.openedAt < conversation.openedAt) return;
    conversation = next;
    now = how;
    if (talk?.conversation !== next.id) begin(next.id);
    refresh();
  }

  function begin(id: string): void {
    talk?.close();
    talk = createTalk({
      client,
      conversation: id,
      side: 'buyer',
      nameOf(from) {
        if (from.kind === 'buyer') return pageTexts.you;
        if (from.kind === 'system') return pageTexts.notice;
        return now.agent?.id === from.id ? now.agent.name : from.id;
      },
      onRefused(error) {
        // It ended while we could not be told.
        if (error instanceof CommandError && error.code === 'conflict' && conversation?.id === id) {
          changed({ ...conversation, state: 'closed' }, {});
        }
      },
    });
    place.replaceChildren(talk.element);
    void talk.load();
  }

  function refresh(): void {
    const state = conversation?.state;
    const open = state !== undefined && state !== 'closed';
    show(human, state === 'robot');
    show(leaveMessage, state === 'queued');
    show(close, open);
    entry.again(open);
    talk?.enable(open);
    rating.about(state === 'closed' ? conversation?.id : undefined);
    const name = now.agent?.name ?? conversation?.agent ?? '';
    if (!state) say(standing, pageTexts.openHint);
    else if (state === 'assigned') say(standing, pageTexts.talkingTo, { name });
    else if (state === 'robot') say(standing, pageTexts.talkingToRobot, { name });
    else if (state === 'pooled') say(standing, pageTexts.leftMessage);
    else if (state === 'closed') say(standing, pageTexts.chatClosed);
    else sayQueue();
  }

  function sayQueue(): void {
    const { position, etaMs } = now.queue ?? {};
    if (position === undefined) say(standing, pageTexts.queue);
    else if (etaMs === undefined) say(standing, pageTexts.inQueue, { n: position });
    else say(standing, pageTexts.inQueueAbout, { n: position, time: () => duration(Math.max(60_000, etaMs)) });
  }

  client.on('chat:changed', ({ conversation: next, agent, queue }) => {
    changed(next, { ...(agent && { agent }), ...(queue && { queue }) });
  });
  client.on('message:created', ({ message }) => talk?.accept(message));
  client.on('typing:changed', (event) => talk?.typing(event));
  client.on('message:seen', (event) => talk?.seen(event));

  const button = (pressed: HTMLButtonElement, work: (id: string) => Promise<Conversation>) => {
    pressed.addEventListener('click', () => {
      const id = conversation?.id;
      if (id !== undefined) void attempt(pressed, notice, async () => changed(await work(id), now));
    });
  };
  button(human, (id) => client.human(id));
  button(leaveMessage, (id) => client.leaveQueue(id));
  button(close, (id) => client.close(id));

  refresh();
  const end = holdConnection(client, {
    notice: lost,
    onStatus(connected) {
      if (connected) talk?.markRead();
    },
    onEnded() {
      leave();
      onEnded();
    },
  });
  function leave(): void {
    talk?.close();
    end();
  }
  return { element, focus: entry.focus, end: leave };
}
