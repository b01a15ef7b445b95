/** The agent's side: logging in, and then the desk. */
import { pageTexts, type Text } from '../texts.ts';
import { createDesk } from './desk.ts';
import { el } from './dom.ts';
import { say } from './language.ts';
import { createLogInForm } from './log-in-form.ts';
import type { Session } from './session.ts';
import { recall, remember } from './tab-memory.ts';

const MEMORY = 'agent';

/** The panel; it goes on as whoever was logged in in this tab. */
export function createAgentPanel(): HTMLElement {
  const heading = say(el('h2', { id: 'agent-heading' }), pageTexts.agentDesk);
  const body = el('div', { class: 'panel-body' });
  const panel = el('section', { class: 'panel agent', 'aria-labelledby': heading.id }, heading, body);

  function logIn(why?: Text): void {
    remember(MEMORY, undefined);
    const form = createLogInForm((session) => {
      remember(MEMORY, session);
      begin(session);
    });
    body.replaceChildren(form.element);
    if (why) form.say(why);
  }

  function begin(session: Session): void {
    const desk = createDesk(session, {
      onLogOut: () => logIn(),
      onEnded: () => logIn(pageTexts.sessionEnded),
    });
    body.replaceChildren(desk);
  }

  const before = recall<Session>(MEMORY);
  if (before) begin(before);
  else logIn();
  return panel;
}
