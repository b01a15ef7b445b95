/** What `npm run cases` says of stories that do not hold, and of files that are no stories. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { keysOf } from '../support/shop.ts';
import { play } from './play.ts';
import { readStoryFile } from './story.ts';

const at = '2026-03-02T10:00:00+08:00';
const storyOf = (steps: object[], shop: object = { agents: { A: {}, B: {} } }) => ({ name: 'a story', shop, steps });
const come = { at, presence: { A: 'online' } };

describe('a file that is malformed', () => {
  const problems = (value: unknown) => readStoryFile('f.json', JSON.stringify(value)).problems;

  it.each<[string, unknown, string]>([
    [
      'a misspelt step',
      [storyOf([{ at, opne: { buyer: 'x' } }])],
      'f.json: "a story": steps.0: Unrecognized key: "opne"',
    ],
    [
      'a misspelt field of a step',
      [storyOf([{ at, open: { buyer: 'x', prodct: 'p' } }])],
      'f.json: "a story": steps.0.open: Unrecognized key: "prodct"',
    ],
    [
      'a misspelt expectation',
      [storyOf([{ at, open: { buyer: 'x' }, expect: { agnt: 'A' } }])],
      'f.json: "a story": steps.0.expect: Unrecognized key: "agnt"',
    ],
    [
      'a misspelt setting',
      [storyOf([come], { agents: {}, settings: { busyTreshold: 1 } })],
      'f.json: "a story": shop.settings: Unrecognized key: "busyTreshold"',
    ],
    ['a misspelt word of a state', [storyOf([{ at, state: { pnding: {} } }])], 'f.json: "a story": steps.0.state:'],
    ['a presence there is not', [storyOf([{ at, presence: { A: 'away' } }])], 'f.json: "a story": steps.0.presence.A:'],
    [
      'two things in one step',
      [storyOf([{ at, tick: true, close: { buyer: 'x' } }])],
      'steps.0: must do exactly one of',
    ],
    ['a step that does nothing', [storyOf([{ at }])], 'steps.0: must do exactly one of'],
    ['an expectation of a message', [storyOf([{ ...come, expect: { agent: 'A' } }])], 'steps.0.expect: goes with open'],
    ['counts without opens', [storyOf([{ at, tick: true, counts: {} }])], 'steps.0.counts: goes with opens'],
    ['a time without an offset', [storyOf([{ at: '2026-03-02T10:00:00', tick: true }])], 'steps.0.at:'],
    ['a first step at no time', [storyOf([{ at: '+1s', tick: true }])], 'steps.0.at: the first step needs an ISO time'],
    ['no steps', [storyOf([])], 'f.json: "a story": steps:'],
    ['a story without a name', [{ shop: { agents: {} }, steps: [come] }], 'f.json: story 0: name:'],
    ['no story', [], 'f.json: has no story'],
    ['no list', {}, 'f.json: Invalid input'],
  ])('says so of %s', (_, value, problem) => {
    expect(problems(value).join('\n')).toContain(problem);
  });

  it('says so of what is no JSON', () => {
    expect(readStoryFile('f.json', '[{]').problems[0]).toMatch(/^f\.json: is not JSON: /);
  });
});

describe('a story that does not hold', () => {
  let test: TestHouse;
  beforeAll(() => {
    test = createTestHouse(inject('redisUrl'));
  });
  afterAll(() => test.close());

  const problem = (...steps: object[]) => {
    const { stories, problems } = readStoryFile('f.json', JSON.stringify([storyOf(steps)]));
    expect(problems).toEqual([]);
    const [story] = stories;
    if (!story) throw new Error('there is a story');
    return play(test.house, story);
  };
  const open = { at: '+1s', open: { buyer: 'x' } };

  it.each<[string, object[], string]>([
    [
      'an outcome',
      [come, { ...open, expect: { agent: 'B', step: 'group' } }],
      'step 2: expected {"agent":"B","step":"group"}, got {"outcome":"agent","agent":"A","step":"group"}',
    ],
    ['one of several', [come, { ...open, expect: { agentIn: ['B'] } }], 'step 2: expected {"agentIn":["B"]}, got'],
    ['nobody of several', [{ ...open, at, expect: { agentIn: ['A'] } }], 'step 1: expected {"agentIn":["A"]}, got'],
    [
      'counts',
      [come, { at: '+1s', opens: { count: 3, prefix: 'n' }, counts: { A: [0, 2], B: [0, 0] } }],
      'step 2: expected counts {"A":[0,2],"B":[0,0]}, got {"A":3,"B":0}',
    ],
    [
      'pending',
      [come, open, { at: '+1s', state: { pending: { A: 1 } } }],
      'step 3: expected pending {"A":1}, got {"A":0}',
    ],
    [
      'active',
      [come, open, { at: '+1s', state: { active: { B: 1 } } }],
      'step 3: expected active {"B":1}, got {"B":0}',
    ],
    ['a load of nobody', [come, { at: '+1s', state: { active: { C: 0 } } }], 'step 2: expected active {"C":0}, got {}'],
    [
      'a holder',
      [come, open, { at: '+1s', state: { holder: { x: null } } }],
      'expected holder {"x":null}, got {"x":"A"}',
    ],
    ['a queue', [come, { at: '+1s', state: { queue: ['x'] } }], 'step 2: expected queue ["x"], got []'],
    [
      'the order of a pool',
      [
        { at, opens: { count: 2, prefix: 'n' } },
        { at: '+1s', state: { pool: ['n-2', 'n-1'] } },
      ],
      'step 2: expected pool ["n-2","n-1"], got ["n-1","n-2"]',
    ],
    [
      'a buyer who never came',
      [come, { at: '+1s', close: { buyer: 'x' } }],
      'step 2: expected a conversation of x, got none',
    ],
    [
      'a holder where there is none',
      [
        { ...open, at },
        { at: '+1s', say: { from: 'agent', buyer: 'x' } },
      ],
      'step 2: expected somebody to hold the conversation of x, got nobody',
    ],
    [
      'what is refused',
      [come, open, { at: '+1s', transfer: { buyer: 'x', to: { agent: 'B' } } }],
      'step 3: That agent is away',
    ],
    ['time that goes back', [come, { at: '2026-03-02T09:59:59+08:00', tick: true }], 'step 2: expected time to go on'],
  ])('says so: %s', async (_, steps, says) => {
    expect(await problem(...steps)).toContain(says);
  });

  it('leaves no key behind, whether it holds or not', async () => {
    expect(await problem(come, { ...open, expect: { agent: 'A' } })).toBeUndefined();
    expect(await problem(come, { ...open, expect: { agent: 'B' } })).toContain('step 2');
    const left = await test.house.redis.keys('fenliu:{case-*');
    const shops = new Set(left.map((key) => /\{(.*)\}/.exec(key)?.[1] ?? ''));
    // Other files play stories in the same Redis; whose keys are still there is under way, and will be gone.
    await expect
      .poll(async () => (await Promise.all([...shops].map((shop) => keysOf(test.house.redis, shop)))).flat(), {
        timeout: 30_000,
      })
      .toEqual([]);
  });
});

describe('npm run cases', () => {
  const root = join(import.meta.dirname, '../..');
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'fenliu-run-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function run(files: Record<string, unknown>, env: Record<string, string> = { REDIS_URL: inject('redisUrl') }) {
    for (const [name, value] of Object.entries(files)) await writeFile(join(dir, name), JSON.stringify(value));
    // biome-ignore lint/style/noProcessEnv: the command gets the environment of this run, as it would in a terminal
    const options = { cwd: root, env: { ...process.env, ...env, CASES_DIR: dir } };
    return new Promise<{ code: unknown; lines: string[] }>((resolve) => {
      execFile(process.execPath, ['--import', 'tsx', 'test/cases/run.ts'], options, (error, stdout) =>
        resolve({ code: error ? error.code : 0, lines: stdout.trim().split('\n') }),
      );
    });
  }
  const good = storyOf([come, { at: '+1s', open: { buyer: 'x' }, expect: { agent: 'A' } }]);
  const bad = { ...storyOf([come, { at: '+1s', open: { buyer: 'x' }, expect: { agent: 'B' } }]), name: 'another' };

  it('prints a line a story and ends with 0 when all hold, in a Redis of its own', async () => {
    expect(await run({ 'a.json': [good], 'b.json': [good], 'c.txt': 'no story' }, { REDIS_URL: '' })).toEqual({
      code: 0,
      lines: ['ok a story', 'ok a story', '2 ok, 0 failed'],
    });
  });

  it('ends with 1 when one does not hold, after all have been played', async () => {
    const { code, lines } = await run({ 'a.json': [bad, good] });
    expect(lines).toEqual([
      expect.stringMatching(/^FAIL another: step 2: expected .*, got /),
      'ok a story',
      '1 ok, 1 failed',
    ]);
    expect(code).toBe(1);
  });

  it('ends with 1 when a file is malformed, after all others have been played', async () => {
    const { code, lines } = await run({ 'a.json': [{ ...good, stps: [] }], 'b.json': [good] });
    expect(lines).toEqual(['FAIL a.json: "a story": Unrecognized key: "stps"', 'ok a story', '1 ok, 1 failed']);
    expect(code).toBe(1);
  });

  it('ends with 1 when there is no file, or no folder', async () => {
    expect(await run({})).toEqual({ code: 1, lines: [expect.stringContaining('got none'), '0 ok, 1 failed'] });
    await rm(dir, { recursive: true });
    expect(await run({})).toEqual({ code: 1, lines: [expect.stringContaining('ENOENT')] });
  });
});
