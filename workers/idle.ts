/** Conversations in which nothing is said any more are closed. */
export { closeIdleConversations } from '../server/services/idle.ts';
