/** The demo page: a buyer's chat beside an agent's desk, or one of them with `?side=buyer` or `?side=agent`. */
import { pageTexts, type Text } from '../texts.ts';
import { createAgentPanel } from './agent-panel.ts';
import { createBuyerPanel } from './buyer-panel.ts';
import { el } from './dom.ts';
import { language, markPage, onLanguage, say, sayAttribute, setLanguage } from './language.ts';

type Side = 'both' | 'buyer' | 'agent';

const asked = new URLSearchParams(location.search).get('side');
const side: Side = asked === 'buyer' || asked === 'agent' ? asked : 'both';

function languageButton(): HTMLElement {
  const button = say(el('button', { type: 'button', class: 'quiet language' }), pageTexts.language);
  // The button speaks the other language.
  const mark = () => {
    button.lang = language() === 'en' ? 'zh-CN' : 'en';
  };
  mark();
  onLanguage(mark);
  button.addEventListener('click', () => setLanguage(language() === 'en' ? 'zh' : 'en'));
  return button;
}

function sideLinks(): HTMLElement {
  const link = (to: Side, text: Text) =>
    say(el('a', { href: to === 'both' ? '/' : `?side=${to}`, 'aria-current': to === side && 'page' }), text);
  const nav = el(
    'nav',
    {},
    link('both', pageTexts.bothSides),
    link('buyer', pageTexts.buyerChat),
    link('agent', pageTexts.agentDesk),
  );
  return sayAttribute(nav, 'aria-label', pageTexts.sides);
}

const header = el(
  'header',
  { class: 'top' },
  say(el('h1'), pageTexts.title),
  say(el('p', { class: 'tagline' }), pageTexts.tagline),
  sideLinks(),
  languageButton(),
);
const main = el('main', { class: side });
if (side !== 'agent') main.append(createBuyerPanel());
if (side !== 'buyer') main.append(createAgentPanel());
document.body.append(header, main);
const title = document.querySelector('title');
if (title) say(title, pageTexts.title);
markPage();
