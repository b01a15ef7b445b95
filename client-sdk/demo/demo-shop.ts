/** What the page offers of the demo shop: the same accounts and buyers that the server makes on its first run. */
import type { Role } from '../contract/index.ts';
import { inLanguage, pageTexts, type Text } from '../texts.ts';

export const demoShop = 'demo';
export const demoPassword = 'demo-demo';

/** Who can log in. */
export const demoAccounts: readonly { readonly id: string; readonly role: Role }[] = [
  { id: 'anna', role: 'agent' },
  { id: 'ben', role: 'agent' },
  { id: 'chen', role: 'agent' },
  { id: 'sam', role: 'supervisor' },
  { id: 'owner', role: 'owner' },
];

/** Buyers whom the demo shop knows. */
export const demoBuyers: readonly { readonly id: string; readonly name: string; readonly about: Text }[] = [
  { id: 'lily', name: 'Lily', about: pageTexts.vipBuyer },
  { id: 'tom', name: 'Tom', about: pageTexts.knownBuyer },
  { id: 'mei', name: '小美', about: pageTexts.knownBuyer },
];

/** Offered for the product, which can be any identifier. */
export const demoProducts = ['green-tea', 'black-tea', 'teapot'];

const VISITOR = 'visitor-';

/** How a buyer is called at the desk: agents know them by their id, of which a visitor's is long. */
export function buyerName(id: string): Text | string {
  if (!id.startsWith(VISITOR)) return id;
  const short = id.slice(VISITOR.length, VISITOR.length + 5);
  return {
    en: inLanguage(pageTexts.visitorCalled, 'en', { id: short }),
    zh: inLanguage(pageTexts.visitorCalled, 'zh', { id: short }),
  };
}
