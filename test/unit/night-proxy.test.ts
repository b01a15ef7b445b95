// What the night proxy answers to what, when it says something again, and what it says of a file that is not right.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Conversation, Message } from '../../client-sdk/contract/index.ts';
import {
  answeredThrough,
  answerId,
  answerTo,
  createScript,
  languageOf,
  placeOf,
  type Situation,
} from '../../client-sdk/night-proxy/answer.ts';
import { createHours, type Hours, REREAD_MS, stretchAt } from '../../client-sdk/night-proxy/hours.ts';
import { type Rule, readRules, rulesFile } from '../../client-sdk/night-proxy/rules.ts';
import { inLanguage, nightTexts } from '../../client-sdk/texts.ts';

const at = (clock: string) => Date.parse(`${clock}+08:00`);
const NIGHT = at('2026-03-02T23:00');

const hoursOf = (from: string, until: string, timezone = 'Asia/Shanghai'): Hours => ({
  timezone,
  nightShift: { enabled: true, proxy: 'proxy', from, until },
});
const hours = hoursOf('22:00', '08:00');

function ruleOf(keywords: { en?: string[]; zh?: string[] }, en = 'yes', zh = '是'): Rule {
  return { keywords: { en: [], zh: [], ...keywords }, answer: { en, zh } };
}

let lastSeq = 0;
function message(kind: Message['from']['kind'], text: string, more: Partial<Message> = {}): Message {
  const seq = more.seq ?? ++lastSeq;
  const from = { kind, id: kind === 'buyer' ? 'bob' : 'proxy' };
  return { id: `m${seq}`, conversation: 'c', seq, from, body: { type: 'text', text }, at: NIGHT, ...more };
}
const ours = (text: string, more: Partial<Message> = {}) => message('robot', text, more);

function situation(messages: readonly Message[] = [], more: Partial<Situation> = {}): Situation {
  return { agent: 'proxy', hours, now: NIGHT, place: 3, messages, ...more };
}

describe('a keyword', () => {
  const en = (keyword: string) => createScript([ruleOf({ en: [keyword] })]).rules[0];
  const zh = (keyword: string) => createScript([ruleOf({ zh: [keyword] })]).rules[0];

  test.each([
    ['ship', 'Do you SHIP abroad?', true],
    ['ship', 'shipping?', false],
    ['ship', 'worship', false],
    ['ship', 'ship', true],
    ['Ship', 'ＳＨＩＰ', true],
    ['refund', '退款refund怎么办', true],
    ['size m', 'Is size  M left?', true],
    ['size m', 'size medium', false],
    ['c++', 'the c++ book', true],
    ['a.b', 'axb', false],
    ['café', 'un cafés', false],
    ['vip', 'vip2', false],
  ])('in English, %s in "%s": %s', (keyword, text, matches) => expect(en(keyword)?.matches(text)).toBe(matches));

  test.each([
    ['发货', '请问什么时候发货呀', true],
    ['发货', '发什么货', false],
    ['VIP退货', '我是vip退货', true],
    ['包邮', 'free shipping', false],
  ])('in Chinese, %s in "%s": %s', (keyword, text, matches) => expect(zh(keyword)?.matches(text)).toBe(matches));
});

test.each([
  ['hello', 'en'],
  ['你好', 'zh'],
  ['M码 please', 'zh'],
  ['???', 'en'],
  ['𠮷', 'zh'],
])('the language of "%s" is %s', (text, language) => expect(languageOf(text)).toBe(language));

describe('an answer', () => {
  const script = createScript([
    ruleOf({ en: ['ship'], zh: ['发货'] }, 'We ship daily.', '每天发货。'),
    ruleOf({ en: ['ship', 'open'] }, 'We open at {opensAt}.', '{opensAt} 开门。'),
    ruleOf({ en: ['queue'] }, 'You are {number}.', '第 {number} 位。'),
  ]);
  const by = (text: string, more: Partial<Situation> = {}, said: Message[] = []) =>
    answerTo(script, message('buyer', text), situation(said, more));
  const night = (language: 'en' | 'zh', opensAt = '8:00', number = 3) =>
    inLanguage(nightTexts.night, language, { opensAt, number });

  it('is the first rule that matches, in the language of the message, its marks filled in', () => {
    expect(by('ship?')).toEqual({ text: 'We ship daily.', by: 0 });
    expect(by('发货?')).toEqual({ text: '每天发货。', by: 0 });
    expect(by('open?')).toEqual({ text: 'We open at 8:00.', by: 1 });
    expect(by('我 open?')).toEqual({ text: '8:00 开门。', by: 1 });
    expect(by('queue')).toEqual({ text: 'You are 3.', by: 2 });
  });

  it('is what stands for all, where no rule matches', () => {
    expect(by('hello')).toEqual({ text: night('en'), by: 'night' });
    expect(by('你好')).toEqual({ text: night('zh'), by: 'night' });
    expect(night('en')).toContain('We open at 8:00; you are number 3 ');
    const own = createScript([], { en: '{number}, until {opensAt}', zh: '{number}' });
    expect(answerTo(own, message('buyer', 'hello'), situation())?.text).toBe('3, until 8:00');
  });

  it('by day comes from a rule only, and none has a hole in it', () => {
    const day = { place: undefined };
    expect(by('ship', day)?.by).toBe(0);
    expect(by('queue', day)).toBeUndefined();
    expect(by('hello', day)).toBeUndefined();
  });

  it('no longer says when we open once we are open, or where the night shift is switched off', () => {
    const morning = { now: at('2026-03-03T08:00') };
    const said = ours(night('en'));
    expect(by('hello', morning, [said])).toEqual({
      text: inLanguage(nightTexts.morning, 'en', { number: 3 }),
      by: 'morning',
    });
    const again = ours(inLanguage(nightTexts.morning, 'en', { number: 4 }), { at: morning.now });
    expect(by('anybody?', morning, [said, again])).toBeUndefined();
    const off = { ...hours, nightShift: { ...hours.nightShift, enabled: false } };
    expect(by('hello', { hours: off })).toBeUndefined();
  });

  test.each<[string, string, Message[], Partial<Situation>, boolean]>([
    ['once a night', 'hello', [ours(night('en'))], {}, false],
    ['not for a better place', 'hello', [ours(night('en', '8:00', 7))], {}, false],
    ['not after a rule has answered meanwhile', 'hello', [ours(night('en')), ours('We ship daily.')], {}, false],
    ['again the next night', 'hello', [ours(night('en'), { at: NIGHT - 24 * 3_600_000 })], {}, true],
    ['once over midnight', 'hello', [ours(night('en'))], { now: at('2026-03-03T07:59') }, false],
    ['again when the shop opens at another time', 'hello', [ours(night('en', '7:00'))], {}, true],
    ['once for the other time', 'hello', [ours(night('en', '7:00')), ours(night('en'))], {}, false],
    ['again in Chinese', '你好', [ours(night('en'))], {}, true],
    ['not again in English', 'ok', [ours(night('zh'))], {}, false],
    ['not again in Chinese', '你好', [ours(night('zh')), ours(night('en'))], {}, false],
    [
      'also where a colleague spoke',
      'hello',
      [message('agent', night('en'), { from: { kind: 'agent', id: 'anna' } })],
      {},
      true,
    ],
    ['also where the buyer quotes it', 'hello', [message('buyer', night('en'))], {}, true],
  ])('for all is said %s', (_, text, said, more, expected) => {
    expect(by(text, more, said) !== undefined).toBe(expected);
  });

  it('is never given twice in a row, but again after something else, or another night', () => {
    const shipped = ours('We ship daily.');
    expect(by('ship', {}, [shipped])).toBeUndefined();
    expect(by('ship', {}, [shipped, message('buyer', 'hm')])).toBeUndefined();
    expect(by('ship', {}, [shipped, ours('You are 3.')])?.by).toBe(0);
    expect(by('ship', {}, [shipped, message('agent', 'hm', { from: { kind: 'agent', id: 'anna' } })])?.by).toBe(0);
    expect(by('ship', {}, [{ ...shipped, at: NIGHT - 24 * 3_600_000 }])?.by).toBe(0);
    expect(by('queue', { place: 2 }, [ours('You are 3.')])?.text).toBe('You are 2.');
  });
});

describe('up to where a buyer is answered', () => {
  const answers = (seq: number, to: number) => ours('x', { seq, clientId: answerId(to) });
  const anna = { kind: 'agent', id: 'anna' } as const;
  test.each<[string, Message[], number]>([
    ['nothing', [message('buyer', 'x', { seq: 1 })], 0],
    ['an answer that others overtook', [message('buyer', 'x', { seq: 2 }), answers(3, 1)], 1],
    ['answers in any order', [answers(4, 2), answers(5, 1)], 2],
    ['a person at our account', [ours('x', { seq: 4, clientId: 'abc' })], 4],
    ['a colleague, whatever they call it', [ours('x', { seq: 4, from: anna, clientId: answerId(1) })], 4],
    ['the system', [message('system', 'welcome', { seq: 1 })], 0],
  ])('%s', (_, messages, through) => expect(answeredThrough(messages, 'proxy')).toBe(through));
});

test('the place of a buyer goes by the longest wait overnight', () => {
  const held = (id: string, openedAt: number, more: Partial<Conversation> = {}): Conversation => ({
    ...{ id, shop: 's', buyer: id, state: 'robot', overnight: true, lastSeq: 0, openedAt },
    ...more,
  });
  const all = [
    held('old', 1, { overnightSince: 50 }),
    held('day', 2, { overnight: false }),
    held('b', 10),
    held('a', 10),
    held('new', 60),
  ];
  const places = ['a', 'b', 'old', 'new', 'day', 'gone'].map((id) => placeOf(all, id));
  expect(places).toEqual([1, 2, 3, 4, undefined, undefined]);
});

describe('hours', () => {
  test.each([
    ['2026-03-02T21:59', '22:00', '08:00', false, '2026-03-03'],
    ['2026-03-02T22:00', '22:00', '08:00', true, '2026-03-03'],
    ['2026-03-03T07:59', '22:00', '08:00', true, '2026-03-03'],
    ['2026-03-03T08:00', '22:00', '08:00', false, '2026-03-04'],
    ['2026-03-03T00:00', '00:00', '08:00', true, '2026-03-03'],
    ['2026-03-03T08:00', '08:00', '08:00', true, '2026-03-04'],
    ['2026-12-31T23:00', '22:00', '08:00', true, '2027-01-01'],
  ])('%s, window %s to %s: night %s before %s', (clock, from, until, night, morning) => {
    expect(stretchAt(hoursOf(from, until), at(clock))).toEqual({ night, morning });
  });

  it('go by the wall of the shop', () => {
    expect(stretchAt(hoursOf('22:00', '08:00', 'America/New_York'), NIGHT)).toEqual({
      night: false,
      morning: '2026-03-03',
    });
  });

  it('are read again after five minutes, and believed while the server cannot say', async () => {
    let now = 0;
    let failures = 0;
    const answers: (Hours | Error)[] = [new Error('away'), hours, hoursOf('22:00', '09:00'), new Error('away')];
    const read = async () => {
      const answer = answers.shift() ?? hours;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const ask = createHours(
      read,
      () => now,
      () => failures++,
    );
    await expect(ask()).rejects.toThrow('away');
    expect(await Promise.all([ask(), ask()])).toEqual([hours, hours]);
    now = REREAD_MS - 1;
    expect((await ask()).nightShift.until).toBe('08:00');
    now = REREAD_MS;
    expect((await ask()).nightShift.until).toBe('09:00');
    now = 2 * REREAD_MS;
    expect((await ask()).nightShift.until).toBe('09:00');
    expect((await ask()).nightShift.until).toBe('09:00');
    expect([failures, answers.length]).toEqual([1, 0]);
  });
});

describe('a rules file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'night-proxy-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const good = { url: 'http://127.0.0.1:1', shop: 's', agent: 'a', token: 't', rules: [] as unknown[] };
  const rule = { keywords: { en: ['x'] }, answer: { en: 'x', zh: 'x' } };
  async function read(content: unknown) {
    const path = join(folder, 'rules.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return readRules(path);
  }

  it('is read, with the password kept beside it', async () => {
    await writeFile(join(folder, 'secret'), 'open sesame\n');
    const { token: _, ...rest } = good;
    const found = await read({ ...rest, passwordFile: 'secret', rules: [rule] });
    expect(found).toEqual({
      ...rest,
      credential: { password: 'open sesame' },
      rules: [{ keywords: { en: ['x'], zh: [] }, answer: { en: 'x', zh: 'x' } }],
    });
    expect((await read(`\uFEFF${JSON.stringify(good)}`)).credential).toEqual({ token: 't' });
    await expect(read({ ...rest, passwordFile: 'nowhere' })).rejects.toThrow(/nowhere cannot be read: ENOENT$/);
    await writeFile(join(folder, 'empty'), '\n');
    await expect(read({ ...rest, passwordFile: 'empty' })).rejects.toThrow('does not hold a password');
  });

  test.each<[string, object, string]>([
    ['an unknown field', { rulez: [] }, 'rulez: there is no such field'],
    ['an unknown field of a rule', { rules: [{ ...rule, keyword: [] }] }, 'rules.0.keyword: there is no such field'],
    ['a missing language', { rules: [{ ...rule, answer: { en: 'x' } }] }, 'rules.0.answer.zh: '],
    ['no keyword', { rules: [{ ...rule, keywords: {} }] }, 'rules.0.keywords: needs at least one keyword'],
    ['an empty keyword', { rules: [{ ...rule, keywords: { zh: [' '] } }] }, 'rules.0.keywords.zh.0: must not be empty'],
    ['a mark nobody knows', { otherwise: { en: '{name}', zh: 'x' } }, 'otherwise.en: {name} is not known here'],
    ['no address', { url: 'chat.example.com' }, 'url: must be the address'],
    ['two ways to log in', { password: 'x' }, 'the file: needs exactly one of password'],
    ['no way to log in', { token: undefined }, 'the file: needs exactly one of password'],
    ['a name that is none', { shop: 'my shop' }, 'shop: must be 1 to 64'],
  ])('with %s is refused, and the place named', async (_, change, says) => {
    await expect(read({ ...good, ...change })).rejects.toThrow(`rules.json is not right:\n  ${says}`);
  });

  it('that is no JSON is refused without quoting it', async () => {
    await expect(read('{\n"password": "hidden" oops}')).rejects.toThrow(/rules.json is not valid JSON(, see line 2)?$/);
    await expect(readRules(join(folder, 'none.json'))).rejects.toThrow('none.json cannot be read: ENOENT');
  });

  it('comes as an example that fits, and answers', async () => {
    const path = join(import.meta.dirname, '../../client-sdk/night-proxy/example.json');
    const { default: example } = await import(path, { with: { type: 'json' } });
    const { rules } = rulesFile.parse(example);
    const script = createScript(rules);
    const asked = ['什么时候发货？', 'Can I get a refund?', '我的快递还没到', 'When do you open?', '人工', 'hello'];
    const index = (text: string) => script.rules.findIndex((known) => known.matches(text));
    expect(asked.map(index)).toEqual([3, 1, 2, 0, 0, -1]);
  });
});
