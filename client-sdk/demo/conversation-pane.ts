/** The conversation an agent has chosen: the talk, why it came, and what can be done with it. */
import type { AgentClient } from '../agent-client.ts';
import type { Message } from '../contract/index.ts';
import { pageTexts, type Text } from '../texts.ts';
import type { Arrival } from './arrivals.ts';
import { buyerName } from './demo-shop.ts';
import { el, show } from './dom.ts';
import type { Known } from './held-list.ts';
import { say, sayAttribute } from './language.ts';
import { attempt, createNotice } from './notice.ts';
import { createTalk, type Talk } from './talk.ts';
import { timeOfDay } from './times.ts';
import { fillTrace } from './trace-view.ts';
import { createTransferForm, type Team } from './transfer-form.ts';

export type PaneParts = {
  readonly client: AgentClient;
  readonly conversation: Known;
  /** The agent at this desk. */
  readonly me: string;
  readonly team: () => Promise<Team>;
  nameOf(agent: string): string;
  arrival(): Arrival | undefined;
};

export type Pane = {
  readonly element: HTMLElement;
  readonly talk: Talk;
  /** The conversation has come again: its reasons may be others. */
  cameAgain(): void;
  close(): void;
};

export function createPane({ client, conversation, me, team, nameOf, arrival }: PaneParts): Pane {
  const { id, buyer } = conversation;
  const notice = createNotice('alert');
  const why = say(el('button', { type: 'button', 'aria-expanded': 'false', class: 'why' }), pageTexts.whyMe);
  const reasons = el('div', { class: 'reasons', id: 'reasons', role: 'region' });
  sayAttribute(reasons, 'aria-label', pageTexts.whyMe);
  why.setAttribute('aria-controls', reasons.id);
  const transfer = say(el('button', { type: 'button', 'aria-expanded': 'false' }), pageTexts.transfer);
  const close = say(el('button', { type: 'button' }), pageTexts.close);
  const transferPlace = el('div', { class: 'transfer-place' });
  const note = el('p', { class: 'note' });
  const night = el('p', { class: 'note' });
  const nightSaid = el('p', { class: 'note' });
  let steps: HTMLElement | undefined;
  show(reasons, false);

  const talk = createTalk({
    client,
    conversation: id,
    side: 'agent',
    nameOf({ kind, id: from }: Message['from']): Text | string {
      if (kind === 'buyer') return buyerName(from);
      if (kind === 'system') return pageTexts.notice;
      return from === me ? pageTexts.you : nameOf(from);
    },
  });

  function refresh(): void {
    const said = arrival()?.note;
    show(note, said !== undefined);
    if (said !== undefined) say(note, pageTexts.noteSaid, { note: said });
    const overnight = arrival()?.overnight ?? conversation.night;
    const last = overnight?.said.at(-1);
    show(night, overnight !== undefined);
    show(nightSaid, last !== undefined);
    if (overnight) say(night, pageTexts.overnightSince, { time: () => timeOfDay(overnight.since) });
    if (last) say(nightSaid, pageTexts.proxySaid, { name: nameOf(last.from.id), text: last.body.text });
    steps = fillTrace(reasons, arrival());
    showDecision();
  }

  /** What decided is the last step, and is what was asked for. */
  function showDecision(): void {
    if (steps) steps.scrollTop = steps.scrollHeight;
  }

  why.addEventListener('click', () => {
    show(reasons, reasons.hidden === true);
    why.ariaExpanded = String(reasons.hidden === false);
    showDecision();
  });
  function closeTransfer(): void {
    transferPlace.replaceChildren();
    transfer.ariaExpanded = 'false';
  }
  transfer.addEventListener('click', () => {
    if (transferPlace.childElementCount > 0) {
      closeTransfer();
      return;
    }
    const form = createTransferForm({
      me,
      team,
      transfer: (to, said) => client.transfer(id, to, said),
      onDone() {
        closeTransfer();
        transfer.focus();
      },
    });
    transferPlace.replaceChildren(form);
    transfer.ariaExpanded = 'true';
    form.querySelector('select')?.focus();
  });
  close.addEventListener('click', () => void attempt(close, notice, () => client.close(id)));

  refresh();
  void talk.load();
  return {
    element: el(
      'article',
      { class: 'pane' },
      el(
        'header',
        { class: 'bar' },
        say(el('h3', { class: 'pane-name', tabindex: -1 }), buyerName(buyer)),
        el('div', { class: 'actions' }, why, transfer, close),
      ),
      notice.element,
      note,
      night,
      nightSaid,
      reasons,
      transferPlace,
      talk.element,
    ),
    talk,
    cameAgain: refresh,
    close: talk.close,
  };
}
