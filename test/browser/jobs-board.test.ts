/** The operator's board of jobs in a real browser: it asks for the key, shows the queues, and keeps to its own policy. */
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Application, createApplication } from '../../server/application.ts';
import { createLog } from '../../server/log.ts';
import { CHROMIUM_ARGS, findChromium } from '../support/chromium.ts';
import { startWorkers } from '../support/jobs.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { until } from '../support/until.ts';

const found = await findChromium(console.log);
if (found.missing) console.log(`The browser tests are skipped: ${found.missing}.`);

const keys = { secret: 'signs-the-sessions-of-tests', adminKey: 'admin-key-of-the-tests' };

describe.skipIf(found.missing)('the board of jobs in a browser', () => {
  let redis: OwnRedis;
  let application: Application;
  let browser: Browser;
  let workers: { close(): Promise<void> };
  let url: string;
  let runs = 0;

  beforeAll(async () => {
    redis = await startOwnRedis();
    application = await createApplication({ redis: { url: redis.url }, keys, log: createLog('silent', 'test') });
    url = `http://127.0.0.1:${await application.listen(0)}/admin/jobs`;
    workers = await startWorkers(redis.url, {
      fragile: {
        everyMs: 3_600_000,
        async run() {
          runs++;
          throw new Error('the cup is broken');
        },
      },
    });
    browser = await chromium.launch({ executablePath: found.path ?? '', args: CHROMIUM_ARGS });
  });
  afterAll(async () => {
    await browser?.close();
    await workers?.close();
    await application?.close();
    await redis?.stop();
  });

  it('shows the queue and why a job failed, and retries it, without an error and without asking anybody else', async () => {
    const context = await browser.newContext({
      httpCredentials: { username: 'operator', password: keys.adminKey },
      locale: 'en-GB',
    });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const errors: string[] = [];
    const hosts = new Set<string>();
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (said) => {
      if (said.type() === 'error') errors.push(said.text());
    });
    page.on('request', (request) => hosts.add(new URL(request.url()).host));

    await page.goto(url);
    await page.getByRole('link', { name: /time/ }).first().waitFor();
    await page.goto(`${url}/queue/time?status=failed`);
    await page.getByText('fragile').first().waitFor();
    await page.getByText('the cup is broken').first().waitFor();
    expect(runs).toBe(1);
    const retried = page.waitForResponse((response) => response.url().includes('/retry'));
    await page.getByRole('button', { name: 'Retry all' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    expect((await retried).status()).toBeLessThan(300);
    await until(() => runs === 2);
    expect(errors).toEqual([]);
    expect([...hosts]).toEqual([new URL(url).host]);
    await context.close();
  });

  it('shows nothing without the key', async () => {
    const page = await browser.newPage();
    // Chromium shows an error page of its own in place of an answer it has no password for.
    await page.goto(url).catch(() => undefined);
    expect(await page.locator('#root').count()).toBe(0);
    await page.close();
  });
});
