/**
 * The language of the page. Everything said is remembered at its element, so that a change of language says all of it
 * again in place, whatever the user was doing.
 */
import type { Language } from '../contract/index.ts';
import { inLanguage, type Text } from '../texts.ts';

/** What a text's `{…}` marks are replaced by: as it is, or itself in the page's language. */
export type Value = string | number | Text | ((language: Language) => string);
export type Values = Readonly<Record<string, Value>>;

const KEY = 'fenliu-language';
const tags: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };

function remembered(): Language {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === 'en' || kept === 'zh') return kept;
  } catch {
    // A browser that keeps nothing: what it prefers is all we know.
  }
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

let current: Language = remembered();
/** What each element says, by where it says it: its content (''), or an attribute. */
const said = new WeakMap<Element, Map<string, () => void>>();
const listeners = new Set<() => void>();

/** The language of the page now. */
export const language = (): Language => current;

/** The same as a tag that browsers know. */
export const languageTag = (): string => tags[current];

/** A text in the language of the page now; a string, such as a name, is the same in all of them. */
export function inPageLanguage(text: Text | string, values: Values = {}): string {
  if (typeof text === 'string') return text;
  const ready = Object.entries(values).map(([name, value]) => [name, resolve(value)] as const);
  return inLanguage(text, current, Object.fromEntries(ready));
}

function resolve(value: Value): string | number {
  if (typeof value === 'function') return value(current);
  return typeof value === 'object' ? value[current] : value;
}

function keep(element: Element, slot: string, apply: () => void): void {
  const slots = said.get(element) ?? new Map<string, () => void>();
  said.set(element, slots.set(slot, apply));
  element.setAttribute('data-said', '');
  apply();
}

/** Makes the element say a text, now and after each change of language. Answers the element. */
export function say<E extends Element>(element: E, text: Text | string, values: Values = {}): E {
  keep(element, '', () => {
    const now = inPageLanguage(text, values);
    // Said again unchanged, a live region would be read out again.
    if (element.textContent !== now) element.textContent = now;
  });
  return element;
}

/** The same for an attribute, such as `aria-label` or `placeholder`. */
export function sayAttribute<E extends Element>(element: E, name: string, text: Text | string, values: Values = {}): E {
  keep(element, name, () => element.setAttribute(name, inPageLanguage(text, values)));
  return element;
}

/** Calls `listener` after each change of language. Answers how to stop it. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Tells the browser in which language the page is. */
export function markPage(): void {
  document.documentElement.lang = languageTag();
}

/** Changes the language of the page, and remembers it. */
export function setLanguage(next: Language): void {
  current = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Not remembered; the page itself changes all the same.
  }
  markPage();
  for (const element of document.querySelectorAll('[data-said]')) {
    for (const apply of said.get(element)?.values() ?? []) apply();
  }
  for (const listener of listeners) listener();
}
