// Moves a slot without keys to another node and back: <URL of its node> <URL of the other> <slot>
import { Redis } from 'ioredis';

const [from = '', to = '', slot = ''] = process.argv.slice(2);
const [here, there] = [new Redis(from), new Redis(to)];
const setSlot = (redis: Redis, ...how: string[]) => redis.call('CLUSTER', 'SETSLOT', slot, ...how);
for (const [source, destination] of [
  [here, there],
  [there, here],
] as const) {
  const ids = [source, destination].map(async (redis) => String(await redis.call('CLUSTER', 'MYID')));
  const [sourceId = '', destinationId = ''] = await Promise.all(ids);
  await setSlot(destination, 'IMPORTING', sourceId);
  await setSlot(source, 'MIGRATING', destinationId);
  for (const redis of [destination, source]) await setSlot(redis, 'NODE', destinationId);
}
for (const redis of [here, there]) redis.disconnect();
