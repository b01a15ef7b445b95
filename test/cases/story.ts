/** Stories: what a file of cases may say. Strict, so that a misspelt word is an error and not a step that proves nothing. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  groupMode,
  identifier,
  kind,
  level,
  orderState,
  outcome,
  presence,
  role,
  settingsPatch,
  step as stepName,
} from '../../client-sdk/contract/index.ts';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `+2h`, `+90m`, `+10s` after the step before, or an ISO time with its offset. */
const at = z.union([
  z
    .string()
    .regex(/^\+\d+[smh]$/)
    .transform((text) => ({ afterMs: Number(text.slice(1, -1)) * UNITS[text.at(-1) as keyof typeof UNITS] })),
  z.iso.datetime({ offset: true }).transform((text) => ({ ms: Date.parse(text) })),
]);

const entry = {
  product: identifier.optional(),
  orderState: orderState.optional(),
  intent: identifier.optional(),
};

const buyer = z.strictObject({
  name: z.string().optional(),
  crowds: z.array(identifier).optional(),
  exclusiveAgent: identifier.nullable().optional(),
});

const expectation = z
  .strictObject({ outcome, agent: identifier, group: identifier, step: stepName, agentIn: z.array(identifier).min(1) })
  .partial();

const amounts = z.record(identifier, z.int().min(0));

/** What a step can do; each step does one of these. */
const actions = {
  presence: z.record(identifier, presence),
  open: z.strictObject({ buyer: identifier, ...entry }),
  opens: z.strictObject({ count: z.int().min(1), prefix: identifier, ...entry }),
  say: z.strictObject({ from: z.enum(['buyer', 'agent']), buyer: identifier }),
  human: z.strictObject({ buyer: identifier }),
  close: z.strictObject({ buyer: identifier }),
  leave: z.strictObject({ buyer: identifier }),
  transfer: z.strictObject({
    buyer: identifier,
    to: z.union([z.strictObject({ agent: identifier }), z.strictObject({ group: identifier })]),
  }),
  settings: settingsPatch,
  buyer: buyer.extend({ id: identifier }),
  tick: z.literal(true),
  state: z
    .strictObject({
      pending: amounts,
      active: amounts,
      presence: z.record(identifier, presence),
      holder: z.record(identifier, identifier.nullable()),
      queue: z.array(identifier),
      pool: z.array(identifier),
    })
    .partial(),
};

const step = z
  .strictObject({
    at,
    ...z.strictObject(actions).partial().shape,
    expect: expectation.optional(),
    counts: z.record(identifier, z.tuple([z.int().min(0), z.int().min(0)])).optional(),
  })
  .refine((s) => Object.keys(actions).filter((key) => s[key as keyof typeof actions] !== undefined).length === 1, {
    message: `must do exactly one of ${Object.keys(actions).join(', ')}`,
  })
  .refine((s) => !s.expect || s.open || s.human, { path: ['expect'], message: 'goes with open or human' })
  .refine((s) => !s.counts || s.opens, { path: ['counts'], message: 'goes with opens' });

const story = z
  .strictObject({
    name: z.string().min(1),
    source: z.string().optional(),
    shop: z.strictObject({
      settings: settingsPatch.optional(),
      agents: z.record(identifier, z.strictObject({ role, kind, capacity: z.int().min(1) }).partial()),
      groups: z
        .record(
          identifier,
          z.strictObject({
            name: z.string().optional(),
            binds: z
              .strictObject({
                crowds: z.array(identifier),
                products: z.array(identifier),
                intents: z.array(identifier),
                orderStates: z.array(orderState),
              })
              .partial()
              .optional(),
            members: z.record(identifier, level),
            mode: groupMode.optional(),
            robot: identifier.nullable().optional(),
          }),
        )
        .optional(),
    }),
    buyers: z.record(identifier, buyer).optional(),
    steps: z.array(step).min(1),
  })
  .refine((s) => s.steps[0] === undefined || 'ms' in s.steps[0].at, {
    path: ['steps', 0, 'at'],
    message: 'the first step needs an ISO time',
  });

export type Story = z.output<typeof story>;
export type StoryStep = Story['steps'][number];

export type StoryFile = {
  readonly file: string;
  readonly stories: readonly Story[];
  /** What is wrong with the file: its name, the story, the path, and how. Empty for a good one. */
  readonly problems: readonly string[];
};

function problemsIn(file: string, value: unknown, error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const [index, ...path] = issue.path;
    const named = Array.isArray(value) && typeof index === 'number' ? (value[index] as { name?: unknown })?.name : '';
    const where = [named ? `"${named}"` : index === undefined ? '' : `story ${String(index)}`, path.join('.')];
    return [file, ...where.filter(Boolean), issue.message].join(': ');
  });
}

/** Reads the text of a file of stories. */
export function readStoryFile(file: string, text: string): StoryFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { file, stories: [], problems: [`${file}: is not JSON: ${(error as Error).message}`] };
  }
  const parsed = z.array(story).min(1, 'has no story').safeParse(value);
  return parsed.success
    ? { file, stories: parsed.data, problems: [] }
    : { file, stories: [], problems: problemsIn(file, value, parsed.error) };
}

/** Every `*.json` of a folder, by name. Throws for a folder that cannot be read. */
export async function readStories(folder: string): Promise<StoryFile[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(files.map(async (file) => readStoryFile(file, await readFile(join(folder, file), 'utf8'))));
}
