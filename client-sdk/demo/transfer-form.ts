/** The form with which a conversation is passed on: to a colleague, or to whoever's turn it is in a group. */
import type { Agent, Group } from '../contract/index.ts';
import { pageTexts } from '../texts.ts';
import { el, field } from './dom.ts';
import { say, sayAttribute } from './language.ts';
import { attempt, createNotice } from './notice.ts';

export type Target = { readonly agent: string } | { readonly group: string };

/** The people and groups of the shop. */
export type Team = { readonly agents: readonly Agent[]; readonly groups: readonly Group[] };

export type TransferFormParts = {
  /** Who transfers: not a target. */
  readonly me: string;
  readonly team: () => Promise<Team>;
  transfer(to: Target, note: string | undefined): Promise<unknown>;
  /** Passed on, or thought better of. */
  onDone(): void;
};

export function createTransferForm({ me, team, transfer, onDone }: TransferFormParts): HTMLElement {
  const to = el('select', { name: 'to', required: true });
  const note = el('textarea', { name: 'note', rows: 2, maxlength: 2_000 });
  const submit = say(el('button', { type: 'submit', class: 'primary' }), pageTexts.transfer);
  const cancel = say(el('button', { type: 'button' }), pageTexts.cancel);
  const notice = createNotice('alert');
  const form = el(
    'form',
    { class: 'transfer' },
    field(say(el('label'), pageTexts.transferTo), to),
    field(say(el('label'), pageTexts.note), note),
    el('div', { class: 'actions' }, submit, cancel),
    notice.element,
  );

  const optionsOf = (kind: 'agent' | 'group', members: readonly { id: string; name: string }[]) => {
    const options = members.map(({ id, name }) => el('option', { value: `${kind}:${id}` }, name));
    const label = kind === 'agent' ? pageTexts.colleagues : pageTexts.groups;
    return sayAttribute(el('optgroup', {}, ...options), 'label', label);
  };
  team().then(
    ({ agents, groups }) => {
      const colleagues = agents.filter(({ id }) => id !== me);
      to.append(optionsOf('agent', colleagues), optionsOf('group', groups));
    },
    (error: unknown) => notice.fail(error),
  );

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const [kind, id = ''] = to.value.split(':');
    void attempt(submit, notice, async () => {
      await transfer(kind === 'group' ? { group: id } : { agent: id }, note.value.trim() || undefined);
      onDone();
    });
  });
  cancel.addEventListener('click', onDone);
  return form;
}
