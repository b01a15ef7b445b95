/** The agent's side: logging in, and then the desk. */
import { type KeptSession, resumeSession, type Session } from '../session.ts';
import { pageTexts, type Text } from '../texts.ts';
import { createDesk } from './desk.ts';
import { el } from './dom.ts';
import { say } from './language.ts';
import { createLogInForm } from './log-in-form.ts';
import { call } from './rest.ts';
import { recall, remember } from './tab-memory.ts';

const MEMORY = 'agent';

/** The panel; it goes on as whoever was logged in in this tab. */
export function createAgentPanel(): HTMLElement {
  const heading = say(el('h2', { id: 'agent-heading' }), pageTexts.agentDesk);
  const body = el('div', { class: 'panel-body' });
  const panel = el('section', { class: 'panel agent', 'aria-labelledby': heading.id }, heading, body);

  const keep = (session: KeptSession | undefined) => remember(MEMORY, session);

  function logIn(why?: Text): void {
    remember(MEMORY, undefined);
    const form = createLogInForm(keep, begin);
    body.replaceChildren(form.element);
    if (why) form.say(why);
  }

  function begin(session: Session): void {
    const desk = createDesk(session, {
      onLogOut: () => logIn(),
      onEnded() {
        session.stop();
        logIn(pageTexts.sessionEnded);
      },
    });
    body.replaceChildren(desk);
  }

  const before = recall<KeptSession>(MEMORY);
  if (before) begin(resumeSession(before, { url: location.origin, onChange: keep, rest: call }));
  else logIn();
  return panel;
}
