/** The form in which an agent logs in; the demo shop's accounts are a click away. */
import { CommandError } from '../command-error.ts';
import { type KeptSession, type Session, logIn as startSession } from '../session.ts';
import { pageTexts, roleTexts, type Text } from '../texts.ts';
import { demoAccounts, demoPassword, demoShop } from './demo-shop.ts';
import { el, field } from './dom.ts';
import { say } from './language.ts';
import { attempt, createNotice } from './notice.ts';
import { call } from './rest.ts';

export type LogInForm = { readonly element: HTMLElement; say(text: Text): void };

/** `keep` is told what to remember of the session that the form begins. */
export function createLogInForm(
  keep: (session: KeptSession | undefined) => void,
  onLoggedIn: (session: Session) => void,
): LogInForm {
  const required = { required: true, spellcheck: 'false', autocapitalize: 'none' };
  const shop = el('input', { name: 'shop', value: demoShop, autocomplete: 'organization', ...required });
  const account = el('input', { name: 'account', value: demoAccounts[0]?.id, autocomplete: 'username', ...required });
  const password = el('input', {
    name: 'password',
    type: 'password',
    value: demoPassword,
    autocomplete: 'current-password',
    required: true,
  });
  const button = say(el('button', { type: 'submit', class: 'primary' }), pageTexts.logIn);
  const notice = createNotice('alert');

  const form = el(
    'form',
    { class: 'log-in' },
    field(say(el('label'), pageTexts.shop), shop),
    field(say(el('label'), pageTexts.account), account),
    field(say(el('label'), pageTexts.password), password),
    button,
    notice.element,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(button, notice, logIn);
  });

  async function logIn(): Promise<void> {
    const who = { shop: shop.value.trim(), agent: account.value.trim(), password: password.value };
    try {
      onLoggedIn(await startSession({ ...who, url: location.origin, onChange: keep, rest: call }));
    } catch (error) {
      // What cannot be a shop or an account is not the right one either.
      const wrong = error instanceof CommandError && (error.code === 'unauthorized' || error.code === 'invalid');
      if (!wrong) throw error;
      notice.say(pageTexts.logInFailed);
      password.select();
    }
  }

  const choices = demoAccounts.map(({ id, role }) => {
    const choice = el('button', { type: 'button', class: 'chip' });
    const called = roleTexts[role];
    if (role === 'agent') say(choice, id);
    else say(choice, { en: called.en === id ? id : `${id} (${called.en})`, zh: `${id}（${called.zh}）` });
    choice.addEventListener('click', () => {
      [shop.value, account.value, password.value] = [demoShop, id, demoPassword];
      button.focus();
    });
    return el('li', {}, choice);
  });
  const hint = say(el('p', { class: 'hint', id: 'demo-accounts' }), pageTexts.demoAccounts, { password: demoPassword });
  const list = el('ul', { class: 'chips', 'aria-labelledby': hint.id }, ...choices);

  return {
    element: el(
      'div',
      { class: 'log-in-place' },
      form,
      hint,
      list,
      say(el('p', { class: 'hint' }), pageTexts.deskHint),
    ),
    say: notice.say,
  };
}
