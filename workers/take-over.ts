/**
 * How soon the jobs of a worker that was killed are taken over by another, at most the sum, in ms. BullMQ's own 30 s each
 * would hold a schedule up for up to a minute. A process too busy to renew its lock in time may find its job taken over
 * too: every job can be run twice.
 */
export const takeOver = { lockDuration: 5_000, stalledInterval: 2_000 } as const;
