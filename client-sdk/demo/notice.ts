/** One line that says what has happened where it has happened: an error, or news. */
import type { Text } from '../texts.ts';
import { el, show } from './dom.ts';
import { say, type Values } from './language.ts';

export type Notice = {
  readonly element: HTMLElement;
  say(text: Text, values?: Values): void;
  /** Shows what went wrong, in its own words. */
  fail(error: unknown): void;
  clear(): void;
};

/** An `alert` is read out at once, a `status` when there is time; `looks` is another class than the role's. */
export function createNotice(role: 'alert' | 'status', looks = role as string): Notice {
  // Always there, for a live region that comes together with its text is not read out.
  const element = el('p', { class: `notice ${looks}`, role });
  show(element, false);
  return {
    element,
    say(text, values) {
      show(element, true);
      say(element, text, values);
    },
    fail(error) {
      show(element, true);
      say(element, error instanceof Error ? error.message : String(error));
    },
    clear() {
      show(element, false);
      say(element, '');
    },
  };
}

/** Does something that a button asked for: the button waits, and what goes wrong is said in the notice. True if it went well. */
export async function attempt(
  button: HTMLButtonElement,
  notice: Notice,
  work: () => Promise<unknown>,
): Promise<boolean> {
  if (button.ariaDisabled === 'true') return false;
  notice.clear();
  // Not `disabled`, which would take the keyboard's focus away.
  button.ariaDisabled = 'true';
  try {
    await work();
    return true;
  } catch (error) {
    notice.fail(error);
    return false;
  } finally {
    button.ariaDisabled = 'false';
  }
}
