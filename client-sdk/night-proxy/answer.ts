/** Which answer a night proxy gives to which message. Pure: all it goes by is what was said, the hours and the rules. */
import type { Conversation, Language, Message } from '../contract/index.ts';
import { inLanguage, nightTexts, type Text } from '../texts.ts';
import { type Hours, opensAt, stretchAt } from './hours.ts';
import type { Mark, Rule } from './rules.ts';

/** What the proxy knows to say. */
export type Script = {
  readonly rules: readonly { readonly matches: (text: string) => boolean; readonly answer: Text }[];
  /** What is said at night where no rule matches. */
  readonly otherwise: Text;
};

/** An answer and where it comes from: a rule by its place in the file from 0, or what is said where none matches. */
export type Answer = { readonly text: string; readonly by: number | 'night' | 'morning' };

/** How things stand as a message is answered. */
export type Situation = {
  /** The account of the proxy. */
  readonly agent: string;
  readonly hours: Hours;
  /** In ms since the epoch. */
  readonly now: number;
  /** The place of the conversation among those held overnight, 1 first; undefined for one that is not. */
  readonly place: number | undefined;
  /** What was said in the conversation, in order. */
  readonly messages: readonly Message[];
};

const literally = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Wide and narrow letters are the same to a reader, and so are capitals. */
const plain = (text: string) => text.normalize('NFKC').toLowerCase();

/** A word goes on where a Latin letter or a digit follows: not at a Han character, which has no spaces around it. */
const inWord = '[\\p{Script=Latin}\\p{M}\\p{N}_]';

function wordPattern(keyword: string): RegExp {
  const words = plain(keyword).split(/\s+/).map(literally).join('\\s+');
  return new RegExp(`(?<!${inWord})${words}(?!${inWord})`, 'u');
}

/** The rules made ready for use; `otherwise` in place of what is said by default. */
export function createScript(rules: readonly Rule[], otherwise: Text = nightTexts.night): Script {
  return {
    otherwise,
    rules: rules.map(({ keywords, answer }) => {
      const words = keywords.en.map(wordPattern);
      const parts = keywords.zh.map(plain);
      return {
        answer,
        matches(text) {
          const said = plain(text);
          return words.some((word) => word.test(said)) || parts.some((part) => said.includes(part));
        },
      };
    }),
  };
}

/** The language to answer in: Chinese where there are Han characters. */
export function languageOf(text: string): Language {
  return /\p{Script=Han}/u.test(text) ? 'zh' : 'en';
}

/** The place of a conversation among those held overnight, longest wait first, 1 first; undefined if it is not one. */
export function placeOf(held: Iterable<Conversation>, id: string): number | undefined {
  const since = (conversation: Conversation) => conversation.overnightSince ?? conversation.openedAt;
  const line = [...held].filter(({ overnight }) => overnight);
  line.sort((a, b) => since(a) - since(b) || (a.id < b.id ? -1 : 1));
  return line.findIndex((conversation) => conversation.id === id) + 1 || undefined;
}

/** The `clientId` of the answer to a message: the same message is answered once, whoever asks again. */
export const answerId = (seq: number) => `night.${seq}`;

/**
 * Up to which `seq` the buyer has been answered: a program's answer names the message that it answers, since others may
 * have come while it was on its way; a person answers all that is there.
 */
export function answeredThrough(messages: readonly Message[], agent: string): number {
  let through = 0;
  for (const { from, clientId, seq } of messages) {
    if (from.kind !== 'agent' && from.kind !== 'robot') continue;
    const answers = from.id === agent ? /^night\.(\d+)$/.exec(clientId ?? '')?.[1] : undefined;
    through = Math.max(through, answers === undefined ? seq : Number(answers));
  }
  return through;
}

type Values = Partial<Record<Mark, string>>;

/** What stands for each mark in `text`, if `text` is `template` filled in. */
function readBack(template: string, text: string): Values | undefined {
  const names: Mark[] = [];
  const parts = template.split(/\{(opensAt|number)\}/).map((part, i) => {
    if (i % 2 === 0) return literally(part);
    names.push(part as Mark);
    return part === 'number' ? '(\\d+)' : '(\\d{1,2}:\\d{2})';
  });
  const found = new RegExp(`^${parts.join('')}$`).exec(text);
  return found ? Object.fromEntries(names.map((name, i) => [name, found[i + 1]])) : undefined;
}

/**
 * Whether a text for everybody has to be said to this buyer. Once a night is enough, and the history of the conversation
 * is the memory of it, so that a restart forgets nothing. It is said again where a person would want to know: the shop
 * opens at another time than was said, or the buyer writes Chinese and was told in English only. (Not the other way
 * round: a Chinese buyer's "ok" does not ask for English. Nor for a better place in the line, which would be chatter.)
 */
function isNews(text: Text, language: Language, opens: string, said: readonly Message[]): boolean {
  const told = (as: Language) => said.flatMap(({ body }) => readBack(text[as], body.text) ?? []);
  const inChinese = told('zh');
  const last = said.findLast(({ body }) => readBack(text.zh, body.text) ?? readBack(text.en, body.text));
  if (!last || (language === 'zh' && inChinese.length === 0)) return true;
  const before = (readBack(text.zh, last.body.text) ?? readBack(text.en, last.body.text))?.opensAt;
  return before !== undefined && before !== opens;
}

/** The answer to a message of the buyer; undefined where it is better to say nothing. */
export function answerTo(script: Script, message: Message, situation: Situation): Answer | undefined {
  const { agent, hours, now, place, messages } = situation;
  const language = languageOf(message.body.text);
  const present = stretchAt(hours, now);
  const opens = opensAt(hours);

  /** What we said tonight, or today; what was said another night has to be said again. */
  const lately = messages.filter(({ from, at }) => {
    const { night, morning } = stretchAt(hours, at);
    const ours = from.id === agent && (from.kind === 'agent' || from.kind === 'robot');
    return ours && night === present.night && morning === present.morning;
  });
  const last = messages.findLast(({ from }) => from.kind === 'agent' || from.kind === 'robot');

  function filled(text: Text, by: Answer['by']): Answer | undefined {
    // By day there is no place to tell, and an answer with a hole in it is none.
    if (place === undefined && text[language].includes('{number}')) return undefined;
    const says = inLanguage(text, language, { opensAt: opens, ...(place !== undefined && { number: place }) });
    const again = last !== undefined && lately.includes(last) && last.body.text === says;
    return again ? undefined : { text: says, by };
  }

  const index = script.rules.findIndex((rule) => rule.matches(message.body.text));
  const rule = script.rules[index];
  if (rule) return filled(rule.answer, index);
  if (place === undefined || !hours.nightShift.enabled) return undefined;
  // The window has ended, but nobody has taken the conversation over yet: "we open at 8:00" would be wrong now.
  const by = present.night ? 'night' : 'morning';
  const text = present.night ? script.otherwise : nightTexts.morning;
  return isNews(text, language, opens, lately) ? filled(text, by) : undefined;
}
