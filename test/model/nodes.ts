/** Several nodes of a house: each knows of a shop what it has read. */
import { afterAll, inject } from 'vitest';
import { createTestHouse } from '../support/house.ts';
import { NODES } from './story.ts';

/** For the tests of a file: one to look through, and those through which things are done. */
export function useNodes() {
  const newHouse = () => createTestHouse(inject('redisUrl'));
  const { house, close } = newHouse();
  const nodes = Array.from({ length: NODES }, newHouse);
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await close();
  });
  return { house, nodes: nodes.map((node) => node.house) };
}
