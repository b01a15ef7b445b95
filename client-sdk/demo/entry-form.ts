/** What the buyer brings along when they click the chat icon, and the icon itself. */
import type { Entry, OrderState } from '../contract/index.ts';
import { orderStateTexts, pageTexts } from '../texts.ts';
import { demoProducts } from './demo-shop.ts';
import { el, field } from './dom.ts';
import { say, sayAttribute } from './language.ts';
import { attempt, createNotice } from './notice.ts';

export type EntryForm = {
  readonly element: HTMLElement;
  /** After the first click the dispatcher can be run again: the button then says so. */
  again(again: boolean): void;
  focus(): void;
};

/** What names a product, as every identifier of the contract. */
const PRODUCT = /^[A-Za-z0-9_.-]{1,64}$/;

export function createEntryForm(onOpen: (entry: Entry) => Promise<void>): EntryForm {
  const products = el('datalist', { id: 'products' }, ...demoProducts.map((value) => el('option', { value })));
  const product = el('input', { name: 'product', list: products.id, autocomplete: 'off', spellcheck: 'false' });
  sayAttribute(product, 'placeholder', pageTexts.noProduct);
  const order = el('select', { name: 'orderState' }, say(el('option', { value: '' }), pageTexts.notSaid));
  for (const [value, text] of Object.entries(orderStateTexts)) order.append(say(el('option', { value }), text));
  const button = say(el('button', { type: 'submit', class: 'primary open' }), pageTexts.openChat);
  const notice = createNotice('alert');

  const element = el(
    'form',
    { class: 'entry' },
    field(say(el('label'), pageTexts.product), product),
    field(say(el('label'), pageTexts.orderState), order),
    button,
    notice.element,
    products,
  );
  product.addEventListener('input', () => product.removeAttribute('aria-invalid'));
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    const named = product.value.trim();
    if (named !== '' && !PRODUCT.test(named)) {
      product.setAttribute('aria-invalid', 'true');
      notice.say(pageTexts.productRule);
      product.focus();
      return;
    }
    void attempt(button, notice, () =>
      onOpen({
        ...(named === '' ? {} : { product: named }),
        ...(order.value === '' ? {} : { orderState: order.value as OrderState }),
      }),
    );
  });
  return {
    element,
    again: (again) => void say(button, again ? pageTexts.openAgain : pageTexts.openChat),
    focus: () => button.focus(),
  };
}
