/** A server with the demo page and a Chromium to look at it: what the browser tests play on. */
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { demoShop } from '../../client-sdk/demo/demo-shop.ts';
import { type Application, createApplication } from '../../server/application.ts';
import { createPages } from '../../server/edge/http/pages.ts';
import { demoBuyerToken, seedDemo } from '../../server/launch/demo.ts';
import { createLog } from '../../server/log.ts';
import { CHROMIUM_ARGS } from '../support/chromium.ts';
import { removeShop } from '../support/shop.ts';

const keys = { secret: 'signs-the-sessions-of-tests', adminKey: 'admin-key-of-the-tests' };

export type Stage = {
  readonly url: string;
  /** What browsers wrote to their consoles as errors, and exceptions nobody caught. */
  readonly errors: string[];
  /** A browser of its own, with its own memory; `path` as of the address, such as `/?side=agent`. */
  page(path?: string, size?: { width: number; height: number }): Promise<Page>;
  /** The server goes, and one comes back at the same address with the same Redis. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** REST with the admin key, below the demo shop. Throws what is not 2xx. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  close(): Promise<void>;
};

export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** The two halves of the page. */
export const buyerOf = (page: Page): Locator => page.locator('section.buyer');
export const agentOf = (page: Page): Locator => page.locator('section.agent');

export async function createStage(redisUrl: string, executablePath: string): Promise<Stage> {
  const pages = await createPages({
    demoBuyerToken: (buyer) => demoBuyerToken(application.house, buyer, Date.now()),
  });
  const createServer = (): Promise<Application> =>
    createApplication({ redis: { url: redisUrl }, keys, log: createLog('silent', 'test'), pages });
  let application = await createServer();
  // Of an earlier run on the same Redis.
  await removeShop(application.house.redis, demoShop);
  await seedDemo(application.house, Date.now());
  const port = await application.listen(0);
  const url = `http://127.0.0.1:${port}`;
  const browser: Browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
  const contexts: BrowserContext[] = [];
  const errors: string[] = [];

  return {
    url,
    errors,
    async page(path = '/', size = DESK) {
      const context = await browser.newContext({ viewport: size, locale: 'en-GB' });
      contexts.push(context);
      context.setDefaultTimeout(10_000);
      const page = await context.newPage();
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('console', (said) => {
        if (said.type() === 'error') errors.push(said.text());
      });
      await page.goto(url + path);
      return page;
    },
    stopServer: () => application.close(),
    async startServer() {
      application = await createServer();
      await application.listen(port);
    },
    async call(method, path, body) {
      const response = await fetch(`${url}/api/v1/shops/${demoShop}/${path}`, {
        method,
        headers: { authorization: `Bearer ${keys.adminKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
      return answer;
    },
    async close() {
      for (const context of contexts) await context.close();
      await browser.close();
      await application.close();
    },
  };
}

/** Logs an agent of the demo shop in, by the keyboard alone, and lets them choose a presence. */
export async function logIn(page: Page, account: string, presence: 'online' | 'hung up'): Promise<Locator> {
  const agent = agentOf(page);
  await agent.getByRole('textbox', { name: 'Account' }).fill(account);
  await agent.getByRole('textbox', { name: 'Password' }).press('Enter');
  const choice = agent.getByRole('radio', { name: presence });
  await choice.focus();
  await choice.press('Space');
  return agent;
}

/** Becomes a buyer and opens the chat. */
export async function openChat(page: Page, buyer: string): Promise<Locator> {
  const side = buyerOf(page);
  await side.getByRole('button', { name: buyer }).click();
  await side.getByRole('button', { name: 'Open the chat' }).click();
  await side.getByRole('log').waitFor();
  return side;
}

/** Writes a message with the keyboard. */
export async function write(side: Locator, text: string): Promise<void> {
  const field = side.getByRole('textbox', { name: 'Type a message' });
  await field.fill(text);
  await field.press('Enter');
}

/** The texts of the messages, in order, as they stand there. */
export const messages = (side: Locator): Promise<string[]> => side.locator('.message .text').allTextContents();
