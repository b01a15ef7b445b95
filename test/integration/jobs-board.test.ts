/** The operator's board of jobs over HTTP: who is let in, what it shows, and that a failed job can be done again there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Application, createApplication } from '../../server/application.ts';
import { createLog } from '../../server/log.ts';
import { startWorkers } from '../support/jobs.ts';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { until } from '../support/until.ts';

const keys = { secret: 'signs-the-sessions-of-tests', adminKey: 'admin-key-of-the-tests' };
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const RIGHT = basic('operator', keys.adminKey);

let redis: OwnRedis;
let application: Application;
let url: string;

beforeAll(async () => {
  redis = await startOwnRedis();
  // The address is believed from a header, so that each test can come from one of its own.
  application = await createApplication({
    redis: { url: redis.url },
    keys,
    log: createLog('silent', 'test'),
    trustProxy: 1,
  });
  url = `http://127.0.0.1:${await application.listen(0)}`;
});
afterAll(async () => {
  await application?.close();
  await redis?.stop();
});

let addresses = 0;
const newAddress = () => `10.0.0.${++addresses}`;

type Asking = { readonly as?: string; readonly from?: string; readonly headers?: Record<string, string> };

const ask = (path = '', { as, from = newAddress(), headers }: Asking = {}, method = 'GET') =>
  fetch(`${url}/admin/jobs${path}`, {
    method,
    headers: { ...(as === undefined ? {} : { authorization: as }), 'x-forwarded-for': from, ...headers },
  });

type Board = { queues: { name: string; counts: Record<string, number>; jobs: { id: string; name: string }[] }[] };

/** The queue of repeated jobs as the board's own API shows it. */
async function failedJobs() {
  const answer = await ask('/api/queues?activeQueue=time&status=failed&page=1&jobsPerPage=50', { as: RIGHT });
  const { queues } = (await answer.json()) as Board;
  return queues.find(({ name }) => name === 'time');
}

describe('the board of jobs', () => {
  it('lets nobody in without the admin key, neither to the page nor to what it is made of', async () => {
    for (const path of ['', '/', '/queue/time', '/api/queues', '/static/images/logo.svg', '/nothing']) {
      for (const as of [undefined, basic('operator', 'a wrong key'), 'Bearer a-wrong-key', 'Basic ?', basic('', '')]) {
        const answer = await ask(path, as === undefined ? {} : { as });
        expect([path, as, answer.status]).toEqual([path, as, 401]);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
        expect(await answer.json()).toMatchObject({ error: { code: 'unauthorized' } });
      }
    }
  });

  it('lets in who has the admin key: as a password whatever the name, or as a bearer', async () => {
    for (const as of [RIGHT, basic('', keys.adminKey), basic('anybody', keys.adminKey), `Bearer ${keys.adminKey}`]) {
      const answer = await ask('', { as });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('Fenliu jobs');
    }
  });

  it('after many wrong keys it lets nobody in from that address, not even with the right one', async () => {
    const from = newAddress();
    const wrong = () => ask('', { as: basic('x', 'wrong'), from });
    const answers = await Promise.all(Array.from({ length: 30 }, wrong));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
    const late = await ask('', { as: RIGHT, from });
    expect(late.status).toBe(429);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('', { as: RIGHT })).status).toBe(200);
    // To ask without any key is what every browser does first: it is not counted.
    const another = newAddress();
    for (let i = 0; i < 30; i++) await ask('', { from: another });
    expect((await ask('', { as: RIGHT, from: another })).status).toBe(200);
  });

  it('asks nothing of another host, and is shown in no page of another', async () => {
    const answer = await ask('', { as: RIGHT });
    expect(await answer.text()).not.toMatch(/(href|src)="https?:/);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(answer.headers.get('x-powered-by')).toBeNull();
    const elsewhere = (await fetch(`${url}/healthz`)).headers.get('content-security-policy');
    expect(elsewhere).not.toBe(policy);
  });

  it('what changes something has to come from its own page', async () => {
    const pause = (headers: Record<string, string>) => ask('/api/queues/pause', { as: RIGHT, headers }, 'PUT');
    for (const headers of [
      { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' },
      { 'sec-fetch-site': 'same-site', origin: url },
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
    ]) {
      expect((await pause(headers as Record<string, string>)).status).toBe(403);
    }
    expect((await failedJobs())?.counts.paused ?? 0).toBe(0);
    for (const headers of [{ 'sec-fetch-site': 'same-origin', origin: url }, { origin: url }, {}]) {
      expect((await pause(headers as Record<string, string>)).status).toBeLessThan(300);
    }
    expect((await ask('/api/queues/resume', { as: RIGHT }, 'PUT')).status).toBeLessThan(300);
  });

  it('shows a job that failed, counts it in the metrics, and does it again on demand', async () => {
    let runs = 0;
    let broken = true;
    const workers = await startWorkers(redis.url, {
      // Its next turn is far away: what runs again, runs because somebody asked for it.
      fragile: {
        everyMs: 3_600_000,
        async run() {
          runs++;
          if (broken) throw new Error('the cup is broken');
        },
      },
    });
    try {
      await until(async () => (await failedJobs())?.counts.failed === 1);
      expect(runs).toBe(1);
      const [job] = (await failedJobs())?.jobs ?? [];
      expect(job).toMatchObject({ name: 'fragile', failedReason: 'the cup is broken' });
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toContain('fenliu_jobs_failed{queue="time"} 1');
      expect(metrics).toContain('fenliu_jobs_waiting{queue="time"} 0');
      broken = false;
      const retry = await ask(`/api/queues/time/${encodeURIComponent(job?.id ?? '')}/retry`, { as: RIGHT }, 'PUT');
      expect(retry.status).toBeLessThan(300);
      // It has not failed any more as soon as it waits to be taken.
      await until(() => runs === 2);
      expect((await failedJobs())?.counts.failed).toBe(0);
      expect((await failedJobs())?.counts.delayed).toBe(1);
    } finally {
      await workers.close();
    }
  });
});
