/** How things stand, and what went where and why. */
import { z } from 'zod';
import { assignment, conversation, liveAgent, message, unheld } from '../entities.ts';
import { conversationState, identifier } from '../words.ts';
import { cursor, limit, next, seqQuery } from './parts.ts';
import { type Route, staff } from './route.ts';

export const conversations = {
  getLive: {
    method: 'get',
    path: '/shops/:shop/live',
    summary: 'Who is here, how busy, and who waits; an agent sees themselves and the pool',
    who: staff,
    answer: z.object({ agents: z.array(liveAgent), queue: z.array(unheld), pool: z.array(unheld) }),
  },
  listConversations: {
    method: 'get',
    path: '/shops/:shop/conversations',
    summary: 'Conversations, open ones first, then closed ones by closing time, latest first; an agent sees their own',
    who: staff,
    query: z.strictObject({ state: conversationState.optional(), agent: identifier.optional(), limit, cursor }),
    answer: z.object({ conversations: z.array(conversation), next }),
  },
  getConversation: {
    method: 'get',
    path: '/shops/:shop/conversations/:conversation',
    summary: 'One conversation',
    who: staff,
    answer: conversation,
  },
  listMessages: {
    method: 'get',
    path: '/shops/:shop/conversations/:conversation/messages',
    summary: 'Its messages, in order',
    who: staff,
    query: z.strictObject({ afterSeq: seqQuery, limit, cursor }),
    answer: z.object({ messages: z.array(message), next }),
  },
  getAssignment: {
    method: 'get',
    path: '/shops/:shop/assignments/:assignment',
    summary: 'One assignment with its trace: why the buyer went where they went',
    who: staff,
    answer: assignment,
  },
} as const satisfies Record<string, Route>;
