/** The ends of the hot and the warm window: agents are told, and what has expired is forgotten. */
export { sweepContacts } from '../server/services/contacts.ts';
