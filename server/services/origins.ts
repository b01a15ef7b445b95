/** Which pages may use a shop: the setting `origins`. Programs send no origin, and are not concerned. */
import { defaultSettings, Refusal } from '../../client-sdk/contract/index.ts';
import type { House } from './house.ts';

/** The page that a browser says a request is made by. */
export type Page = {
  /** As browsers write it: `https://shop.example`, or `null` for a page that has none. */
  readonly origin: string;
  /** It was served by us: the demo, or a page behind the same name. */
  readonly own: boolean;
};

/** Throws `forbidden` for a page that the shop does not serve. A shop that is not there serves any: what follows says so. */
export async function mustServePage(house: House, shop: string, page: Page | undefined): Promise<void> {
  if (!page || page.own) return;
  const { origins } = await house.configs.fresh(shop).then(
    ({ config }) => config.settings,
    (error: unknown) => {
      if (error instanceof Refusal && error.code === 'not-found') return defaultSettings;
      throw error;
    },
  );
  if (origins.length === 0 || origins.includes(page.origin)) return;
  const origin = page.origin.slice(0, 200);
  throw new Refusal(
    'forbidden',
    `Pages of ${origin} may not use this shop; its owner can add them to the setting "origins".`,
    { setting: 'origins', origin },
  );
}
