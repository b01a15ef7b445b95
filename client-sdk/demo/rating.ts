/** How it was, from 1 to 5, once a conversation has ended. */
import { pageTexts } from '../texts.ts';
import { el, show } from './dom.ts';
import { say, sayAttribute } from './language.ts';
import { attempt, createNotice } from './notice.ts';

export type Rating = {
  readonly element: HTMLElement;
  /** Asks about a conversation; about none, it is hidden. */
  about(conversation: string | undefined): void;
};

export function createRating(rate: (conversation: string, score: number) => Promise<void>): Rating {
  let asked: string | undefined;
  const notice = createNotice('alert');
  const thanks = createNotice('status');
  const buttons = [1, 2, 3, 4, 5].map((score) => {
    const button = el('button', { type: 'button', class: 'star', 'aria-pressed': 'false' }, '★');
    sayAttribute(button, 'aria-label', pageTexts.ratingOf, { n: score });
    button.addEventListener('click', () => void given(button, score));
    return button;
  });
  const legend = say(el('legend'), pageTexts.rateUs);
  const element = el('fieldset', { class: 'rating' }, legend, ...buttons, thanks.element, notice.element);
  show(element, false);

  function mark(score: number): void {
    buttons.forEach((button, i) => {
      button.ariaPressed = String(i + 1 === score);
      button.classList.toggle('lit', i < score);
    });
  }

  async function given(button: HTMLButtonElement, score: number): Promise<void> {
    const conversation = asked;
    if (conversation === undefined) return;
    thanks.clear();
    if (!(await attempt(button, notice, () => rate(conversation, score)))) return;
    if (asked !== conversation) return;
    mark(score);
    thanks.say(pageTexts.ratingThanks);
  }

  return {
    element,
    about(conversation) {
      if (conversation !== asked) {
        mark(0);
        thanks.clear();
        notice.clear();
      }
      asked = conversation;
      show(element, conversation !== undefined);
    },
  };
}
