/** A delivery on the wire: signatures, answers, waits, and where it may go. */
import { createHmac } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { agentPut, type WebhookEvent } from '../../client-sdk/contract/index.ts';
import { verifyWebhook } from '../../client-sdk/index.ts';
import { isPublicAddress } from '../../server/services/public-address.ts';
import { answerFrom, sealed, signatureOf } from '../../server/services/webhook-message.ts';
import { waitAfter } from '../../workers/deliveries.ts';

const NOW = 1_750_000_000_000;
const secret = 'the secret of the tests';
const body = '{"text":"你好"}';

describe('a signature', () => {
  const check = { secret, timestamp: String(NOW), signature: signatureOf(secret, NOW, body), body, now: NOW };

  it('is HMAC-SHA256 of the timestamp and the body', () => {
    const hex = createHmac('sha256', secret).update(`${NOW}.${body}`).digest('hex');
    expect(check.signature).toBe(`v1=${hex}`);
  });

  it.each([
    ['as it is', {}],
    ['with the timestamp as a number', { timestamp: NOW }],
    ['with the body as bytes', { body: new TextEncoder().encode(body) }],
    ['five minutes later', { now: NOW + 300_000 }],
    ['by a clock that is behind', { now: NOW - 300_000 }],
    ['late, where that is tolerated', { now: NOW + 900_000, toleranceMs: 900_000 }],
  ])('is accepted %s', async (_, changed) => expect(await verifyWebhook({ ...check, ...changed })).toBe(true));

  it.each([
    ['another body', { body: '{"text":"再见"}' }],
    ['another secret', { secret: 'another' }],
    ['another timestamp', { timestamp: NOW + 1 }],
    ['an old timestamp', { now: NOW + 300_001 }],
    ['a timestamp of the future', { now: NOW - 300_001 }],
    ['no timestamp', { timestamp: undefined }],
    ['a timestamp that is none', { timestamp: 'NaN' }],
    ['no signature', { signature: null }],
    ['half a signature', { signature: check.signature.slice(0, 35) }],
    ['another version', { signature: check.signature.replace('v1', 'v2') }],
  ])('is refused with %s', async (_, changed) => expect(await verifyWebhook({ ...check, ...changed })).toBe(false));

  it('goes with the delivery', () => {
    const event = { id: 'd1', at: NOW } as WebhookEvent;
    const made = sealed(event, secret, NOW);
    expect(JSON.parse(made.body)).toEqual(event);
    expect(made.headers).toEqual({
      'Content-Type': 'application/json',
      'Fenliu-Delivery': 'd1',
      'Fenliu-Timestamp': String(NOW),
      'Fenliu-Signature': signatureOf(secret, NOW, made.body),
    });
  });
});

describe('an answer', () => {
  test.each([
    ['', { messages: [] }],
    [' \n', { messages: [] }],
    ['{}', { messages: [] }],
    ['{"messages":[{"text":"a"}]}', { messages: [{ text: 'a' }] }],
    ['{"handover":{}}', { messages: [], handover: {} }],
    ['{"handover":{"reason":"r"}}', { messages: [], handover: { reason: 'r' } }],
  ])('may be %j', (text, answer) => expect(answerFrom(text)).toEqual(answer));

  test.each([
    ['secret words', 'the answer is not JSON'],
    ['null', 'the whole: invalid_type'],
    ['{"mesages":[]}', 'the whole: unrecognized_keys'],
    ['{"messages":[{"text":""}]}', 'messages.0.text: too_small'],
    [`{"messages":[{"text":"${'secret'.repeat(2_000)}"}]}`, 'messages.0.text: too_big'],
    [JSON.stringify({ messages: Array(11).fill({ text: 'secret' }) }), 'messages: too_big'],
    ['{"handover":"secret"}', 'handover: invalid_type'],
  ])('may not be %.40s, and what it says is not repeated', (text, why) => {
    expect(() => answerFrom(text)).toThrow(why);
    expect(() => answerFrom(text)).not.toThrow('secret');
  });
});

test('the waits double, and are never longer than that', () => {
  expect([1, 2, 3, 7].map((attempts) => waitAfter(attempts, 1_000, 0))).toEqual([1_000, 2_000, 4_000, 64_000]);
  expect(waitAfter(1, 1_000, 1)).toBe(750);
});

describe('an address', () => {
  it.each(['8.8.8.8', '1.1.1.1', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '2001:db8::1',
    'no address',
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('the URL of a webhook', () => {
  const parse = (url: string) => agentPut.safeParse({ name: 'Robo', kind: 'robot', webhook: { url } }).success;
  it.each(['https://a.example/x?y=z', 'http://127.0.0.1:9000/', 'https://a.example/@me', 'https://[::1]/?a=b@c'])(
    '%s is one',
    (url) => expect(parse(url)).toBe(true),
  );
  it.each([
    '',
    'a.example',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://a@b.example/',
    'https:a:b@c.example',
  ])('%s is none', (url) => expect(parse(url)).toBe(false));
});
