/** Whoever waits in the queue hears how it goes on. */
export { tellPlaces } from '../server/services/queue.ts';
