// Headers of security on every kind of answer, whichever edge gives it.
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Application, createApplication } from '../../server/application.ts';
import { createPages } from '../../server/edge/http/pages.ts';
import { createLog } from '../../server/log.ts';

let application: Application;
let url: string;
beforeAll(async () => {
  application = await createApplication({
    redis: { url: inject('redisUrl') },
    keys: { secret: 'signs the sessions of tests', adminKey: 'admin-key-of-the-tests' },
    log: createLog('silent', 'test'),
    pages: await createPages(),
  });
  url = `http://127.0.0.1:${await application.listen(0)}`;
});
afterAll(() => application.close());

const admin = { authorization: 'Bearer admin-key-of-the-tests' };

it.each<[string, string, RequestInit, number]>([
  ['a page', '/', {}, 200],
  ['a script', '/sdk/fenliu.js', {}, 200],
  ['a style', '/demo.css', {}, 200],
  ['what the API answers', '/api/v1/openapi.json', {}, 200],
  ['what it refuses', '/api/v1/shops/none/settings', {}, 401],
  ['what it cannot read', '/api/v1/shops/%ff/settings', {}, 400],
  ['what is not there', '/nothing', {}, 404],
  [
    'what is asked of another origin',
    '/api/v1/shops',
    { method: 'OPTIONS', headers: { origin: 'https://x.example' } },
    204,
  ],
  ['health', '/healthz', {}, 200],
  ['readiness', '/readyz', {}, 200],
  ['metrics', '/metrics', {}, 200],
  ['the board', '/admin/jobs', { headers: admin }, 200],
  ['the board, refused', '/admin/jobs', {}, 401],
  ['a poll', '/socket.io/?EIO=4&transport=polling', {}, 200],
  ['a poll that is refused', '/socket.io/?EIO=4&transport=polling&sid=none', {}, 400],
])('%s', async (_, path, init, status) => {
  const response = await fetch(url + path, init);
  const { headers } = response;
  expect(response.status).toBe(status);
  expect(headers.get('content-security-policy')).toMatch(/^default-src '(self|none)'/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toMatch(/^(SAMEORIGIN|DENY)$/);
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('set-cookie')).toBeNull();
  // Secrets and live state are kept by nobody on the way.
  if (/^\/(api|admin|socket\.io|healthz|readyz|metrics)/.test(path) && status === 200) {
    expect(headers.get('cache-control')).toBe('no-store');
  }
  await response.text();
});
