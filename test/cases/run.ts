/**
 * `npm run cases`: plays every story of the folder CASES_DIR, a line each. Ends with 1 if one does not hold, a file is
 * malformed, or there is none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../server/config.ts';
import { startEmbeddedRedis } from '../../server/launch/embedded-redis.ts';
import { createTestHouse } from '../support/house.ts';
import { play } from './play.ts';
import { readStories } from './story.ts';

const print = (line: string) => console.log(line);

/** Plays all stories of a folder. Answers whether all hold. */
async function playAll(folder: string, redisUrl: string): Promise<boolean> {
  const { house, close } = createTestHouse(redisUrl);
  let [held, failed] = [0, 0];
  const fail = (says: string) => {
    failed++;
    print(`FAIL ${says}`);
  };
  try {
    const files = await readStories(folder);
    if (files.length === 0) fail(`${folder}: expected a *.json with stories, got none`);
    for (const { stories, problems } of files) {
      problems.forEach(fail);
      for (const story of stories) {
        const problem = await play(house, story);
        if (problem) fail(`${story.name}: ${problem}`);
        else {
          held++;
          print(`ok ${story.name}`);
        }
      }
    }
  } finally {
    await close();
  }
  print(`${held} ok, ${failed} failed`);
  return failed === 0;
}

/** Runs with a Redis of its own that keeps nothing. */
async function withRedis<T>(use: (url: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fenliu-cases-'));
  try {
    const cacheDir = join(import.meta.dirname, '../../.data/redis');
    const redis = await startEmbeddedRedis({ dataDir, cacheDir, persist: 'none', log: console.error });
    try {
      return await use(redis.url);
    } finally {
      await redis.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

try {
  const { casesDir = import.meta.dirname, redisUrl } = readConfig();
  const playOn = (url: string) => playAll(casesDir, url);
  process.exitCode = (await (redisUrl ? playOn(redisUrl) : withRedis(playOn))) ? 0 : 1;
} catch (error) {
  print(`FAIL ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
