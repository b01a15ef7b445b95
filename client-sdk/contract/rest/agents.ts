/** Agents: accounts, presence, tokens and webhooks. */
import { z } from 'zod';
import { agent, agentPut, shift } from '../entities.ts';
import { deadLetter } from '../webhooks.ts';
import { presence, timestamp } from '../words.ts';
import { cursor, done, limit, next, timeQuery, token } from './parts.ts';
import { owners, programs, type Route, staff, supervisors } from './route.ts';

export const agents = {
  listAgents: {
    method: 'get',
    path: '/shops/:shop/agents',
    summary: 'All agents',
    who: staff,
    answer: z.object({ agents: z.array(agent) }),
  },
  getAgent: { method: 'get', path: '/shops/:shop/agents/:agent', summary: 'One agent', who: staff, answer: agent },
  putAgent: {
    method: 'put',
    path: '/shops/:shop/agents/:agent',
    summary: 'Create or replace an agent; password and webhook stay if none is sent',
    who: owners,
    audited: ['agent:created', 'agent:changed'],
    body: agentPut,
    /** The secret that signs deliveries is answered once: when the webhook is set, or set to another URL. */
    answer: agent.extend({ webhookSecret: z.string().optional() }),
  },
  deleteAgent: {
    method: 'delete',
    path: '/shops/:shop/agents/:agent',
    summary: 'Remove an agent; their conversations are dispatched again',
    who: owners,
    audited: ['agent:removed'],
    answer: done,
  },
  setPresence: {
    method: 'put',
    path: '/shops/:shop/agents/:agent/presence',
    summary: "Set somebody's presence",
    who: supervisors,
    audited: ['presence:set'],
    body: z.strictObject({ presence }),
    answer: z.object({ presence }),
  },
  listShifts: {
    method: 'get',
    path: '/shops/:shop/agents/:agent/presence-log',
    summary: 'Every change of presence with its cause, latest first, for 400 days; an agent sees their own',
    who: staff,
    query: z.strictObject({ from: timeQuery, until: timeQuery, limit, cursor }),
    answer: z.object({ entries: z.array(shift), next }),
  },
  agentToken: {
    method: 'post',
    path: '/shops/:shop/agents/:agent/token',
    summary: 'A token for a program that acts as this agent; lasts an hour, and is then asked for again',
    who: programs,
    audited: ['token:issued'],
    answer: token.extend({ expiresAt: timestamp }),
  },
  endAgentSessions: {
    method: 'delete',
    path: '/shops/:shop/agents/:agent/sessions',
    summary: 'End all sessions of an agent, and their connections; supervisors: of agents, and their own',
    who: supervisors,
    audited: ['sessions:ended'],
    answer: done,
  },
  rotateWebhookSecret: {
    method: 'post',
    path: '/shops/:shop/agents/:agent/webhook-secret',
    summary: 'A new secret for the webhook of a robot; the old one signs nothing any more',
    who: owners,
    audited: ['secret:replaced'],
    answer: z.object({ webhookSecret: z.string() }),
  },
  listDeadLetters: {
    method: 'get',
    path: '/shops/:shop/dead-letters',
    summary: 'Deliveries to webhooks that failed at every attempt, latest first',
    who: supervisors,
    query: z.strictObject({ limit, cursor }),
    answer: z.object({ deadLetters: z.array(deadLetter), next }),
  },
  retryDeadLetter: {
    method: 'post',
    path: '/shops/:shop/dead-letters/:delivery/retry',
    summary: 'Deliver it again, with all attempts anew',
    who: supervisors,
    audited: ['dead-letter:retried'],
    answer: done,
  },
} as const satisfies Record<string, Route>;
