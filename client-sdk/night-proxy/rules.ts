/** The file that a night proxy is set up with: its schema, and reading it with errors that name the place. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { identifier, MAX_TEXT_LENGTH, routes } from '../contract/index.ts';
import type { Text } from '../texts.ts';

/** What an answer may contain, and what is put in its place. */
export const marks = ['opensAt', 'number'] as const;
export type Mark = (typeof marks)[number];

// What is put in is never longer than its mark, so an answer that fits here can be sent.
const answerText = z
  .string()
  .trim()
  .min(1, 'must say something')
  .max(MAX_TEXT_LENGTH)
  .superRefine((text, context) => {
    for (const [mark, name] of text.matchAll(/\{(\w+)\}/g)) {
      if ((marks as readonly string[]).includes(name ?? '')) continue;
      context.addIssue({ code: 'custom', message: `${mark} is not known here; {opensAt} and {number} are` });
    }
  });

const answer = z.strictObject({ en: answerText, zh: answerText });
const keywords = z.array(z.string().trim().min(1, 'must not be empty').max(100)).max(1_000);

const rule = z.strictObject({
  keywords: z
    .strictObject({ en: keywords.default([]), zh: keywords.default([]) })
    .refine(({ en, zh }) => en.length + zh.length > 0, 'needs at least one keyword'),
  answer,
});

const { password } = routes.createSession.body.shape;
const ways = ['password', 'passwordFile', 'token'] as const;

/** The file as it is written. Fields that are not known are refused: most are misspelt ones. */
export const rulesFile = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: 'must be the address of the server, such as https://chat.example.com' }),
    shop: identifier,
    agent: identifier,
    password: password.optional(),
    passwordFile: z.string().min(1).optional(),
    token: z.string().min(1).optional(),
    rules: z.array(rule).max(1_000),
    otherwise: answer.optional(),
  })
  .refine((file) => ways.filter((way) => file[way] !== undefined).length === 1, {
    error: 'needs exactly one of password, passwordFile and token',
  });

/** To which messages an answer goes: those in which one of the keywords occurs. */
export type Rule = z.output<typeof rule>;

/** How to log in: a password serves for ever, a token until it expires. */
export type Credential = { readonly password: string } | { readonly token: string };

/** What a night proxy is to do, and as whom. */
export type Rules = {
  readonly url: string;
  readonly shop: string;
  readonly agent: string;
  readonly credential: Credential;
  readonly rules: readonly Rule[];
  readonly otherwise?: Text;
};

/** Something is wrong with the file; the message says what and where, and is fit to be shown. */
export class BadRulesFile extends Error {}

/** Each problem on a line of its own: the path, then what is wrong there. Never says what the file contains. */
function problems(error: z.ZodError): string {
  const lines = error.issues.flatMap((issue) => {
    const at = (path: readonly PropertyKey[]) => path.map(String).join('.') || 'the file';
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `  ${at([...issue.path, key])}: there is no such field`)
      : [`  ${at(issue.path)}: ${issue.message}`];
  });
  return lines.join('\n');
}

async function read(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    throw new BadRulesFile(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Where JSON broke off, if the engine says so. Its own message is not shown: it quotes the file, secrets and all. */
function placeIn(text: string, error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? '' : `, see line ${text.slice(0, Number(position)).split('\n').length}`;
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRulesFile(`${path} is not valid JSON${placeIn(text, error)}`);
  }
}

/**
 * The rules of a file, with the password that its `passwordFile` holds (a path beside the file; a line break at its end
 * does not count). Throws `BadRulesFile`.
 */
export async function readRules(path: string): Promise<Rules> {
  const checked = rulesFile.safeParse(parsed(path, await read(path)));
  if (!checked.success) throw new BadRulesFile(`${path} is not right:\n${problems(checked.error)}`);
  const { password: given, passwordFile, token, otherwise, ...rest } = checked.data;
  return { ...rest, ...(otherwise && { otherwise }), credential: await credential() };

  async function credential(): Promise<Credential> {
    if (token !== undefined) return { token };
    if (passwordFile === undefined) return { password: given ?? '' };
    const beside = resolve(dirname(path), passwordFile);
    const kept = password.safeParse((await read(beside)).replace(/\r?\n$/, ''));
    if (!kept.success) throw new BadRulesFile(`${beside} does not hold a password of 1 to 200 characters`);
    return { password: kept.data };
  }
}
