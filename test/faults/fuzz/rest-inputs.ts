/** What is sent over HTTP: calls of the table that are nearly right, and requests that are broken. */
import { gzipSync } from 'node:zlib';
import { type Route, type RouteName, routes } from '../../../client-sdk/contract/index.ts';
import type { Luck } from './luck.ts';
import { anything, type Known, near } from './near.ts';

export type HttpInput = {
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

export type Callers = { readonly shop: string; readonly credentials: readonly string[]; readonly known: Known };

/** After these keys and tokens serve no more. */
export const upsetting: ReadonlySet<string> = new Set<RouteName>([
  'rotateApiKey',
  'rotateBuyerSecret',
  'endAgentSessions',
  'revokeBuyerTokens',
  'endSession',
]);

/** Each costs a slow hash, or a shop, or leaves less for the others to find: seldom. */
const seldom: ReadonlySet<string> = new Set<string>([
  ...upsetting,
  'createShop',
  'createSession',
  'deleteAgent',
  'deleteBuyer',
  'deleteGroup',
]);
const names = Object.keys(routes) as RouteName[];

const paths = [
  '/',
  '//',
  '/healthz',
  '/readyz',
  '/metrics',
  '/api',
  '/api/v1',
  '/api/v1/openapi.json',
  '/api/v1/shops',
  '/api/v1/shops/%ff/settings',
  '/api/v1/shops/../../etc/passwd',
  '/api/v1/shops/%2e%2e/settings',
  '/api/v1/shops/__proto__/settings',
  '/admin/jobs',
  '/admin/jobs/api/queues',
  '/sdk/fenliu.js',
  '/socket.io/',
  '/socket.io/?EIO=4&transport=polling',
  '/socket.io/?EIO=3&transport=polling',
  '/socket.io/?EIO=4&transport=polling&sid=none',
  '/socket.io/?EIO=4&transport=__proto__',
  '/socket.io/?EIO=4&transport=websocket',
  '/socket.io/?sid=toString&transport=polling&EIO=4',
  `/${'a'.repeat(4_000)}`,
];

/** Lone surrogates cannot be written in a URL. */
const text = (value: unknown) =>
  encodeURIComponent(Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toString());

function pathOf(route: Route, luck: Luck, { shop, known }: Callers): string {
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => {
    if (name === 'shop' && luck.chance(0.9)) return shop;
    return luck.chance(0.85) ? luck.pick(known.identifiers) : text(anything(luck));
  });
  const query = route.query ? near(route.query, luck, known) : luck.chance(0.05) ? anything(luck) : {};
  const pairs = typeof query === 'object' && query !== null ? Object.entries(query) : [['q', query]];
  const search = pairs.map(([key, value]) => `${text(key)}=${text(value)}`).join('&');
  return `/api/v1${path}${search ? `?${search}` : ''}`;
}

function bodyOf(name: RouteName, luck: Luck, { known }: Callers): Buffer | undefined {
  const { body }: Route = routes[name];
  if (!body && luck.chance(0.9)) return undefined;
  const value = body ? near(body, luck, known, 0.5) : anything(luck);
  // A password costs a slow hash each time.
  if (name === 'putAgent' && typeof value === 'object' && value !== null && luck.chance(0.99)) {
    Reflect.deleteProperty(value, 'password');
  }
  const json = JSON.stringify(value) ?? '';
  return luck.chance(0.9)
    ? Buffer.from(json)
    : Buffer.from(luck.pick([json.slice(0, -1), `${json}}`, '', '[', '\xff\xfe', `${json}\u0000`]), 'latin1');
}

function headersOf(luck: Luck, { credentials }: Callers, body: Buffer | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (luck.chance(0.93)) headers.authorization = `Bearer ${luck.pick(credentials)}`;
  else if (luck.chance(0.5))
    headers.authorization = luck.pick(['Bearer', 'Basic eDp5', 'Bearer a.b.c', 'x', `Bearer ${'y'.repeat(3_000)}`]);
  if (body)
    headers['content-type'] = luck.chance(0.95)
      ? 'application/json'
      : luck.pick(['text/plain', 'application/json; charset=utf-7', 'multipart/form-data', '']);
  if (luck.chance(0.03))
    headers['content-encoding'] = luck.pick(['gzip', 'br', 'deflate', 'gzip, gzip', 'identity', 'x']);
  if (luck.chance(0.05)) headers.origin = luck.pick(['https://shop.example', 'null', 'x', '']);
  if (luck.chance(0.05)) headers['accept-language'] = luck.pick(['zh', 'zh;q=2', '*', ',,,', 'x'.repeat(500)]);
  if (luck.chance(0.02)) headers.expect = luck.pick(['100-continue', 'nothing']);
  if (luck.chance(0.03)) headers['x-forwarded-for'] = luck.pick(['1.2.3.4', ',,,', '::1%x', 'x'.repeat(2_000)]);
  if (luck.chance(0.02)) headers.host = luck.pick(['evil.example', '', '[::1', 'a:b:c']);
  return headers;
}

export function httpInput(luck: Luck, callers: Callers): HttpInput {
  if (luck.chance(0.08)) {
    const method = luck.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND']);
    const body = ['POST', 'PUT', 'PATCH'].includes(method)
      ? Buffer.from(luck.pick(['', '{}', '40', '2probe', '[]']))
      : undefined;
    return { kind: 'path', method, path: luck.pick(paths), headers: headersOf(luck, callers, body), body };
  }
  let name = luck.pick(names);
  while (seldom.has(name) && luck.chance(0.98)) name = luck.pick(names);
  const { method }: Route = routes[name];
  const raw = bodyOf(name, luck, callers);
  const headers = headersOf(luck, callers, raw);
  const body = raw && headers['content-encoding'] === 'gzip' && luck.chance(0.5) ? gzipSync(raw) : raw;
  const used = luck.chance(0.95) ? method.toUpperCase() : luck.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
  return { kind: name, method: used, path: pathOf(routes[name], luck, callers), headers, body };
}

/** What is no HTTP, or hardly. */
export function brokenHttp(luck: Luck, callers: Callers): Buffer {
  const { method, path, body = Buffer.alloc(0) } = httpInput(luck, callers);
  const line = luck.pick([
    `${method} ${path} HTTP/1.1`,
    `${method} ${path}`,
    `${method} ${path} HTTP/9.9`,
    'GET',
    '\u0000',
    'x'.repeat(20_000),
    'PRI * HTTP/2.0',
  ]);
  const headers = luck.pick([
    ['Host: x', `Content-Length: ${body.length}`],
    ['Host: x', 'Content-Length: -1'],
    ['Host: x', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['Host: x', 'Transfer-Encoding: chunked, chunked'],
    ['Host: x', 'Transfer-Encoding: x'],
    ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: x'],
    ['Host: x', 'Connection: Upgrade', 'Upgrade: h2c'],
    [],
    ['Host: x', 'Host: y'],
    ['Host: x', 'A'.repeat(20_000)],
    ['Host: x', ...Array.from({ length: 500 }, (_, i) => `X-${i}: y`)],
    ['Host: x', ' folded: x', ':', 'a b: c', '\u0001: x'],
    ['Host: x', 'Expect: 100-continue', 'Content-Length: 10'],
  ]);
  return Buffer.concat([Buffer.from(`${[line, ...headers].join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
