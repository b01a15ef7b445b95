/** Slow replies: reminders, automatic hang-up, and reassignment. */
export { sweepReplies } from '../server/services/replies.ts';
