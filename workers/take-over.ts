/**
 * How soon the jobs of a worker that was killed are taken over by another, in ms. BullMQ's own 30 s each would leave a shop
 * unswept for up to a minute. A worker that is only slow may find its job taken over too: every job can be run twice.
 */
export const takeOver = { lockDuration: 10_000, stalledInterval: 5_000 } as const;
