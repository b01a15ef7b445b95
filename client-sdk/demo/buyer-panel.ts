/** The buyer's side: who they are, and then their chat. */

import { CommandError } from '../command-error.ts';
import { pageTexts, type Text } from '../texts.ts';
import { type KeptVisitor, type Visitor, visitor } from '../visitor.ts';
import { createBuyerChat } from './buyer-chat.ts';
import { buyerName, demoBuyers, demoShop } from './demo-shop.ts';
import { el } from './dom.ts';
import { inPageLanguage, say } from './language.ts';
import { attempt, createNotice } from './notice.ts';
import { call, callDemo } from './rest.ts';
import { recall, remember } from './tab-memory.ts';

const MEMORY = 'buyer';

/** Goes on as this buyer, or as a new visitor; the tab remembers who. */
const become = (kept?: KeptVisitor): Promise<Visitor> =>
  visitor({
    url: location.origin,
    shop: demoShop,
    kept,
    onChange: (now) => remember(MEMORY, now),
    rest: call,
  });

async function enterAs(buyer: string | undefined): Promise<Visitor> {
  if (buyer === undefined) return become();
  const { token } = await callDemo<{ token: string }>(`/buyers/${buyer}/token`, { method: 'POST' });
  return become({ buyer, token });
}

const noDemoShop = () => new CommandError('not-found', inPageLanguage(pageTexts.noDemoShop));

function nameOf(buyer: string): Text | string {
  const known = demoBuyers.find(({ id }) => id === buyer);
  return known?.name ?? buyerName(buyer);
}

/** The panel; it goes on as whoever this tab was before. */
export function createBuyerPanel(): HTMLElement {
  const heading = say(el('h2', { id: 'buyer-heading' }), pageTexts.buyerChat);
  const body = el('div', { class: 'panel-body' });
  const panel = el('section', { class: 'panel buyer', 'aria-labelledby': heading.id }, heading, body);

  function choose(why?: Text): void {
    remember(MEMORY, undefined);
    const notice = createNotice('alert');
    const option = (name: Text | string, about: Text, buyer: string | undefined) => {
      const button = el('button', { type: 'button', class: 'choice' });
      button.append(say(el('strong'), name), say(el('span'), about));
      button.addEventListener('click', () => {
        void attempt(button, notice, async () => {
          const entered = await enterAs(buyer).catch((error: unknown) => {
            throw error instanceof CommandError && error.code === 'not-found' ? noDemoShop() : error;
          });
          begin(entered);
        });
      });
      return el('li', {}, button);
    };
    body.replaceChildren(
      say(el('h3'), pageTexts.startChatAs),
      el(
        'ul',
        { class: 'choices' },
        option(pageTexts.visitor, pageTexts.newVisitor, undefined),
        ...demoBuyers.map(({ id, name, about }) => option(name, about, id)),
      ),
      notice.element,
    );
    if (why) notice.say(why);
  }

  function begin(entered: Visitor): void {
    const change = say(el('button', { type: 'button', class: 'quiet' }), pageTexts.changeBuyer);
    const who = say(el('p', { class: 'who-am-i' }), pageTexts.youAre, { name: nameOf(entered.buyer) });
    const chat = createBuyerChat(entered, () => {
      entered.stop();
      choose(pageTexts.buyerSessionEnded);
    });
    change.addEventListener('click', () => {
      chat.end();
      entered.stop();
      choose();
      body.querySelector('button')?.focus();
    });
    body.replaceChildren(el('div', { class: 'bar' }, who, change), chat.element);
    chat.focus();
  }

  const before = recall<KeptVisitor>(MEMORY);
  // Who is remembered needs no answer of the server.
  if (before) void become(before).then(begin);
  else choose();
  return panel;
}
