/** Making elements. What somebody wrote gets in as text and never as markup: nothing here parses HTML. */

/** Attributes; `true` sets one without a value, `false` and `undefined` leave it out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A new element with attributes and children; a string is a text node. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

let labelled = 0;

/** A label and the field it names, in one box; the field gets an id if it has none. */
export function field(label: HTMLLabelElement, input: HTMLElement): HTMLElement {
  labelled += 1;
  input.id ||= `field-${labelled}`;
  label.htmlFor = input.id;
  return el('div', { class: 'field' }, label, input);
}

/** Shows or hides without taking anything out of the page, so that a change of language reaches it. */
export function show(element: HTMLElement, shown: boolean): void {
  element.hidden = !shown;
}
