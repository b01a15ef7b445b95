/** The head of the desk: who is logged in, their presence, and how much waits for them. */
import type { Presence, PresenceCause } from '../contract/index.ts';
import type { Session } from '../session.ts';
import { pageTexts, presenceCauseTexts, presenceTexts, roleTexts } from '../texts.ts';
import { el, show } from './dom.ts';
import { say, sayAttribute } from './language.ts';
import { createNotice } from './notice.ts';

export type DeskBar = {
  readonly element: HTMLElement;
  /** What holds now; with a cause, when somebody or something else than the agent decided it. */
  presence(presence: Presence, cause?: PresenceCause): void;
  load(pending: number, active: number): void;
  connected(connected: boolean): void;
};

export type DeskBarParts = {
  readonly agent: Session['agent'];
  choose(presence: Presence): Promise<Presence>;
  logOut(): Promise<void>;
};

export function createDeskBar({ agent, choose, logOut }: DeskBarParts): DeskBar {
  const notice = createNotice('alert');
  const cause = createNotice('status');
  const pending = el('span', { class: 'count pending' });
  const active = el('span', { class: 'count' });
  const out = say(el('button', { type: 'button', class: 'quiet' }), pageTexts.logOut);
  out.addEventListener('click', () => void logOut());

  let now: Presence = 'offline';
  const choices = (Object.keys(presenceTexts) as Presence[]).map((presence) => {
    const input = el('input', { type: 'radio', name: 'presence', value: presence });
    input.addEventListener('change', () => void chosen(presence));
    return {
      presence,
      input,
      label: el('label', { class: presence }, input, say(el('span'), presenceTexts[presence])),
    };
  });
  const legend = say(el('legend', { class: 'sr-only' }), pageTexts.presence);
  const segments = el('fieldset', { class: 'segments' }, legend, ...choices.map(({ label }) => label));

  function mark(): void {
    for (const { presence, input } of choices) input.checked = presence === now;
  }

  async function chosen(presence: Presence): Promise<void> {
    notice.clear();
    cause.clear();
    try {
      now = await choose(presence);
    } catch (error) {
      notice.fail(error);
    }
    // What was chosen, or again what still holds.
    mark();
  }

  const name = say(el('strong'), agent.name);
  const role = say(el('span', { class: 'role' }), roleTexts[agent.role]);
  const bar: DeskBar = {
    element: el(
      'div',
      { class: 'desk-bar' },
      el('div', { class: 'bar' }, el('p', { class: 'who-am-i' }, name, ' ', role), out),
      el('div', { class: 'bar' }, segments, el('p', { class: 'counts' }, pending, active)),
      notice.element,
      cause.element,
    ),
    presence(presence, why) {
      now = presence;
      mark();
      cause.clear();
      if (why && why !== 'chose' && why !== 'connected') {
        cause.say(pageTexts.presenceWhy, { presence: presenceTexts[presence], cause: presenceCauseTexts[why] });
      }
    },
    load(waiting, all) {
      say(pending, pageTexts.pending, { n: waiting });
      say(active, pageTexts.active, { n: all });
      pending.classList.toggle('some', waiting > 0);
    },
    connected(connected) {
      segments.disabled = !connected;
    },
  };
  sayAttribute(segments, 'title', pageTexts.presence);
  show(segments, agent.kind === 'human');
  bar.load(0, 0);
  bar.presence('offline');
  bar.connected(false);
  return bar;
}
