/** The demo page in a real browser: a buyer and an agent side by side, from the first click to the rating. */
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { demoAccounts, demoBuyers, demoPassword, demoShop } from '../../client-sdk/demo/demo-shop.ts';
import { AgentClient, BuyerClient } from '../../client-sdk/index.ts';
import { findChromium } from '../support/chromium.ts';
import { agentOf, buyerOf, createStage, logIn, messages, openChat, PHONE, type Stage, write } from './stage.ts';

const found = await findChromium(console.log);
if (found.missing) console.log(`The browser tests are skipped: ${found.missing}.`);

const MARKUP = '<img src=x onerror="document.title=\'broken in\'"> {name}';

/** Whether the message of this text can be seen without scrolling. */
const inSight = (side: Locator, text: string) =>
  side.locator('.message .text', { hasText: new RegExp(`^${text}$`) }).evaluate((message) => {
    const [it, box] = [message.getBoundingClientRect(), message.closest('.scroll')?.getBoundingClientRect()];
    return box !== undefined && it.bottom > box.top && it.top < box.bottom;
  });

describe.skipIf(found.missing)('the demo page', () => {
  let stage: Stage;
  let page: Page;
  let buyer: Locator;
  let agent: Locator;
  let ben: Locator;

  beforeAll(async () => {
    stage = await createStage(inject('redisUrl'), found.path ?? '');
    page = await stage.page();
    buyer = buyerOf(page);
    agent = agentOf(page);
  });
  afterAll(() => stage?.close());
  afterEach(() => expect(stage?.errors.splice(0)).toEqual([]));

  it('a buyer who opens the chat is with the agent who is online', async () => {
    await logIn(page, 'anna', 'online');
    await openChat(page, 'Lily');
    await buyer.getByText('You are talking to Anna').waitFor();
    await agent.getByText('lily is with you now').waitFor();
    await agent.getByText('Active 1').waitFor();
  });

  it('markup in a message is shown as text, and waits for a reply', async () => {
    await write(buyer, MARKUP);
    await agent.getByText('Pending 1').waitFor();
    await agent.getByText(/^waiting /).waitFor();
    await agent.getByRole('button', { name: /^lily/ }).click();
    await expect.poll(() => messages(agent)).toEqual([MARKUP]);
    expect(await messages(buyer)).toEqual([MARKUP]);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Fenliu');
    await buyer.getByText('Seen').waitFor();
  });

  it('who types is seen typing, and a reply ends the wait', async () => {
    await agent.getByRole('textbox', { name: 'Type a message' }).pressSequentially('Hello', { delay: 5 });
    await buyer.getByText('Anna is typing').waitFor();
    await write(agent, 'Hello Lily');
    await expect.poll(() => messages(buyer)).toEqual([MARKUP, 'Hello Lily']);
    await agent.getByText('Pending 0').waitFor();
    await agent.getByText('no reply due').waitFor();
    expect(await buyer.getByText('Anna is typing').count()).toBe(0);
  });

  it('the agent reads why this buyer came', async () => {
    await agent.getByRole('button', { name: 'Why did this buyer come to me?' }).click();
    const steps = agent.locator('.trace > li');
    expect(await steps.count()).toBe(5);
    const last = steps.last();
    expect(await last.locator('strong').textContent()).toBe('Exclusive agent');
    expect(await last.textContent()).toContain('decided');
    expect(await last.locator('dl').textContent()).toBe('agentanna');
    expect(await steps.nth(2).locator('dl').textContent()).toBe('agents online1');
  });

  it('turns Chinese in place, with all that is said', async () => {
    await page.getByRole('button', { name: '中文' }).click();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
    await buyer.getByText('Anna 正在为您服务').waitFor();
    expect(await agent.locator('.trace > li').last().locator('strong').textContent()).toBe('专属客服');
    expect(await page.title()).toBe('分流');
    // Names, what people wrote and the id of the assignment stay; nothing else is English.
    const body = (await page.locator('body').innerText()).replaceAll(MARKUP, '').replace(/\w+\.[0-9a-f]{12}/, '');
    expect(body.replace(/English|Lily|Anna|Hello/gi, '')).not.toMatch(/[a-z]{2,}/i);
  });

  it('remembers over a reload the language, who is here, what was said and why they came', async () => {
    await page.reload();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
    await page.getByRole('button', { name: 'English' }).click();
    await expect.poll(() => messages(buyer)).toEqual([MARKUP, 'Hello Lily']);
    expect(await agent.getByRole('radio', { name: 'online' }).isChecked()).toBe(true);
    await agent.getByRole('button', { name: /^lily/ }).click();
    await agent.getByRole('button', { name: 'Why did this buyer come to me?' }).click();
    expect(await agent.locator('.trace > li').count()).toBe(5);
  });

  it('a conversation goes to a colleague in another tab, with a note', async () => {
    ben = await logIn(await stage.page('/?side=agent', PHONE), 'ben', 'online');
    await agent.getByRole('button', { name: 'Transfer' }).click();
    await agent.getByLabel('Transfer to').selectOption('Ben');
    await agent.getByLabel('Note for the colleague').fill('wants a gift box');
    await agent.locator('form').getByRole('button', { name: 'Transfer' }).click();
    await agent.getByText('lily is now with Ben').waitFor();
    await buyer.getByText('You are talking to Ben').waitFor();
    await ben.getByRole('button', { name: /^lily/ }).click();
    await ben.getByText('wants a gift box').waitFor();
    await expect.poll(() => messages(ben)).toEqual([MARKUP, 'Hello Lily']);
    await ben.getByRole('button', { name: 'Why did this buyer come to me?' }).click();
    await ben.getByText('A person decided that: transferred.').waitFor();
  });

  it('a connection that is lost says so, and what was written meanwhile arrives', async () => {
    await stage.stopServer();
    await buyer.getByText('Connection lost').waitFor();
    await agent.getByText('Connection lost').waitFor();
    await write(buyer, 'Still there?');
    await buyer.getByText('Sending').waitFor();
    await stage.startServer();
    await expect.poll(() => messages(ben), { timeout: 30_000 }).toEqual([MARKUP, 'Hello Lily', 'Still there?']);
    expect(await messages(buyer)).toEqual([MARKUP, 'Hello Lily', 'Still there?']);
    for (const side of [buyer, agent, ben]) await side.getByText('Connection lost').waitFor({ state: 'hidden' });
    await expect.poll(() => agent.getByRole('radio', { name: 'online' }).isEnabled()).toBe(true);
    // The browser itself complains of each attempt while nobody answered, and of nothing else.
    expect(stage.errors.splice(0).filter((error) => !error.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
  });

  it('closed, it is rated, and can be opened again', async () => {
    await ben.getByRole('button', { name: 'Close' }).click();
    await buyer.getByText('This conversation has ended').waitFor();
    await buyer.getByRole('button', { name: '4 of 5' }).click();
    await buyer.getByText('Thank you!').waitFor();
    await ben.getByText('No conversations yet').waitFor();
    await buyer.getByRole('button', { name: 'Open the chat' }).click();
    await buyer.getByText('You are talking to Ben').waitFor();
    expect(await messages(buyer)).toEqual([]);
    await buyer.getByRole('button', { name: 'Close' }).click();
    await buyer.getByText('This conversation has ended').waitFor();
  });

  it('while nobody is online a message is left, and claimed by hand', async () => {
    await ben.getByRole('radio', { name: 'offline' }).check();
    await agent.getByRole('radio', { name: 'hung up' }).check();
    const visitor = await openChat(await stage.page('/?side=buyer', PHONE), 'Visitor');
    await visitor.getByText('Leave your message here').waitFor();
    await agent.getByRole('button', { name: /^Claim/ }).click();
    await visitor.getByText('You are talking to Anna').waitFor();
    await visitor.getByRole('button', { name: 'Close' }).click();
  });

  it('while everybody is full a buyer waits in the queue', async () => {
    await stage.call('PUT', 'agents/ben', { name: 'Ben', capacity: 1 });
    await ben.getByRole('radio', { name: 'online' }).check();
    const [first, second] = [await stage.page('/?side=buyer'), await stage.page('/?side=buyer')];
    await openChat(first, 'Tom');
    const waiting = await openChat(second, 'Visitor');
    await waiting.getByText('Waiting in the queue – you are number 1').waitFor();
    const third = await openChat(await stage.page('/?side=buyer'), 'Visitor');
    await third.getByText('Waiting in the queue – you are number 2').waitFor();
    await third.getByRole('button', { name: 'Leave a message instead' }).click();
    await third.getByText('Leave your message here').waitFor();
    expect(await third.getByRole('button', { name: 'Leave a message instead' }).isVisible()).toBe(false);
    await third.getByRole('button', { name: 'Close' }).click();
    await buyerOf(first).getByRole('button', { name: 'Close' }).click();
    await waiting.getByText('You are talking to Ben').waitFor();
    await waiting.getByRole('button', { name: 'Close' }).click();
  });

  it('from a robot a buyer gets to a human', async () => {
    await stage.call('PUT', 'agents/robi', { name: 'Robi', kind: 'robot' });
    await stage.call('PATCH', 'settings', { robotFirst: { enabled: true, robot: 'robi' } });
    const { token } = (await stage.call('POST', 'agents/robi/token')) as { token: string };
    const robot = new AgentClient({ url: stage.url, token });
    try {
      await robot.connect();
      await robot.setPresence('online');
      const visitor = await openChat(await stage.page('/?side=buyer'), 'Visitor');
      await visitor.getByText('The robot Robi is answering').waitFor();
      await visitor.getByRole('button', { name: 'Talk to a human' }).click();
      await visitor.getByText('You are talking to Ben').waitFor();
      expect(await visitor.getByRole('button', { name: 'Talk to a human' }).isVisible()).toBe(false);
    } finally {
      robot.disconnect();
      await stage.call('PATCH', 'settings', { robotFirst: { enabled: false } });
    }
  });

  it('what is wrong is said where it is wrong', async () => {
    const other = await stage.page();
    await agentOf(other).getByRole('textbox', { name: 'Password' }).fill('not this one');
    await agentOf(other).getByRole('button', { name: 'Log in' }).click();
    await agentOf(other).getByRole('alert').getByText('Shop, account or password is not right').waitFor();
    await buyerOf(other).getByRole('button', { name: 'Tom' }).click();
    await buyerOf(other).getByRole('combobox', { name: 'Product' }).fill('绿茶');
    await buyerOf(other).getByRole('button', { name: /^Open/ }).click();
    await buyerOf(other).getByRole('alert').getByText('A product is named by').waitFor();
    expect(stage.errors.splice(0)).toEqual([expect.stringContaining('401')]);
  });

  it('fits a telephone in both languages', async () => {
    const phone = await stage.page('/', PHONE);
    await logIn(phone, 'ben', 'online'); // whom Lily spoke with last
    await openChat(phone, 'Lily');
    await agentOf(phone).getByRole('button', { name: /^lily/ }).click();
    await agentOf(phone).getByRole('button', { name: 'Why did this buyer come to me?' }).click();
    const width = () => phone.evaluate(() => document.documentElement.scrollWidth);
    expect(await width()).toBe(PHONE.width);
    await phone.getByRole('button', { name: '中文' }).click();
    expect(await width()).toBe(PHONE.width);
  });

  it('who logs out is offline at once, and somebody else can be the buyer', async () => {
    await ben.getByRole('button', { name: 'Log out' }).click();
    await ben.getByRole('button', { name: 'Log in' }).waitFor();
    const { agents } = (await stage.call('GET', 'live')) as { agents: { id: string; presence: string }[] };
    expect(agents.find(({ id }) => id === 'ben')).toMatchObject({ presence: 'offline' });
    await buyer.getByRole('button', { name: 'Be somebody else' }).click();
    await buyer.getByRole('button', { name: '小美' }).click();
    await buyer.getByText('You are 小美').waitFor();
  });

  it('a long talk is there again from its end, and page by page from before', async () => {
    const response = await fetch(`${stage.url}/demo/buyers/mei/token`, { method: 'POST' });
    const { token } = (await response.json()) as { token: string };
    const mei = new BuyerClient({ url: stage.url, token });
    const texts = Array.from({ length: 60 }, (_, i) => `${i + 1}`);
    try {
      await mei.connect();
      const { conversation } = await mei.open();
      await Promise.all(texts.map((text) => mei.send(conversation.id, text)));
    } finally {
      mei.disconnect();
    }
    await expect.poll(() => messages(buyer)).toEqual(texts);
    await page.reload();
    await expect.poll(() => messages(buyer)).toEqual(texts.slice(10));
    await buyer.getByText('60', { exact: true }).waitFor();
    expect(await inSight(buyer, '60')).toBe(true);
    await buyer.getByRole('button', { name: 'Earlier messages' }).click();
    await expect.poll(() => messages(buyer)).toEqual(texts);
    expect(await buyer.getByRole('button', { name: 'Earlier messages' }).isVisible()).toBe(false);
    expect([await inSight(buyer, '11'), await inSight(buyer, '1')]).toEqual([true, false]);
  });

  it('offers the accounts and buyers that the demo shop has, and gives out no token of anybody else', async () => {
    for (const { id, role } of demoAccounts) {
      const response = await fetch(`${stage.url}/api/v1/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ shop: demoShop, agent: id, password: demoPassword }),
      });
      expect(await response.json()).toMatchObject({ agent: { id, role } });
    }
    const token = (id: string) => fetch(`${stage.url}/demo/buyers/${id}/token`, { method: 'POST' });
    for (const { id } of demoBuyers) expect((await token(id)).status).toBe(200);
    for (const id of ['visitor-1', '__proto__', 'toString', 'x'.repeat(99)]) expect((await token(id)).status).toBe(404);
  });
});
