/** The field in which a message is written, with its button; it also says while somebody types. */
import { pageTexts } from '../texts.ts';
import { el } from './dom.ts';
import { say, sayAttribute } from './language.ts';
import type { Notice } from './notice.ts';

export type ComposerParts = {
  readonly notice: Notice;
  onSend(text: string): void;
  onTyping(typing: boolean): void;
};

export type Composer = {
  readonly element: HTMLElement;
  focus(): void;
  /** Whether anything can be written here now. */
  enable(enabled: boolean): void;
};

/** The most characters a message may have; the contract says so, but its schemas do not belong in a page. */
const MOST = 8_000;
/** While somebody goes on typing it is told again this often, and it ends after this long without a key, in ms. */
const TELL_AGAIN_MS = 4_000;
const PAUSE_MS = 5_000;

export function createComposer({ notice, onSend, onTyping }: ComposerParts): Composer {
  const input = el('textarea', { rows: 2, name: 'message', autocomplete: 'off' });
  sayAttribute(input, 'aria-label', pageTexts.typeMessage);
  sayAttribute(input, 'placeholder', pageTexts.typeMessage);
  sayAttribute(input, 'title', pageTexts.messageKeys);
  const button = say(el('button', { type: 'submit', class: 'primary' }), pageTexts.send);
  const element = el('form', { class: 'composer' }, input, button);

  let toldAt = 0;
  let pause: ReturnType<typeof setTimeout> | undefined;

  function stopTyping(): void {
    clearTimeout(pause);
    if (toldAt === 0) return;
    toldAt = 0;
    onTyping(false);
  }

  function submit(): void {
    const text = input.value.trim();
    if (text === '' || input.disabled) return;
    if (text.length > MOST) {
      notice.say(pageTexts.messageTooLong, { most: MOST, n: text.length });
      return;
    }
    notice.clear();
    input.value = '';
    stopTyping();
    onSend(text);
    input.focus();
  }

  element.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  input.addEventListener('keydown', (event) => {
    // Enter also chooses a word while Chinese is being entered: that one sends nothing.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  input.addEventListener('input', () => {
    if (input.value === '') {
      stopTyping();
      return;
    }
    clearTimeout(pause);
    pause = setTimeout(stopTyping, PAUSE_MS);
    if (Date.now() - toldAt < TELL_AGAIN_MS) return;
    toldAt = Date.now();
    onTyping(true);
  });

  return {
    element,
    focus: () => input.focus(),
    enable(enabled) {
      input.disabled = !enabled;
      button.disabled = !enabled;
      if (!enabled) stopTyping();
    },
  };
}
