/** Every story of the project, one test each. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestHouse, type TestHouse } from '../support/house.ts';
import { play } from './play.ts';
import { readStories } from './story.ts';

let test: TestHouse;
beforeAll(() => {
  test = createTestHouse(inject('redisUrl'));
});
afterAll(() => test.close());

describe.each(await readStories(import.meta.dirname))('$file', ({ problems, stories }) => {
  it('is well-formed', () => expect(problems).toEqual([]));

  it.each(stories)('$name', async (story) => {
    expect(await play(test.house, story)).toBeUndefined();
  });
});
