/**
 * Every REST call: who may make it, what it takes, what it answers. The server's router, its OpenAPI document and
 * the tests are all made from this table.
 */
import { z } from 'zod';
import { type AuditAction, auditAction, auditEntry } from './audit.ts';
import {
  agent,
  agentPut,
  assignment,
  buyer,
  buyerPut,
  conversation,
  group,
  groupPut,
  liveAgent,
  message,
  shift,
  unheld,
} from './entities.ts';
import { settings, settingsPatch } from './settings.ts';
import { deadLetter } from './webhooks.ts';
import { conversationState, identifier, presence, timestamp } from './words.ts';

/** Who calls: the holder of the admin key, of the shop's API key, an agent's session by role, a buyer, or nobody in particular. */
export const callers = ['admin', 'api-key', 'owner', 'supervisor', 'agent', 'buyer', 'nobody'] as const;
export type CallerKind = (typeof callers)[number];

const programs = ['admin', 'api-key'] as const;
const owners = [...programs, 'owner'] as const;
const supervisors = [...owners, 'supervisor'] as const;
/** All agents of the shop; what an agent without a higher role sees is narrowed to their own. */
const staff = [...supervisors, 'agent'] as const;
/** Whoever has logged in. */
const people = ['owner', 'supervisor', 'agent'] as const;
const everyone = [...staff, 'buyer', 'nobody'] as const;

export type Route = {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** Below /api/v1; `:name` marks a path parameter, always an identifier. */
  readonly path: string;
  readonly summary: string;
  readonly who: readonly CallerKind[];
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  /** A buyer's token that we signed serves here after it has expired, too. */
  readonly late?: true;
  /** HTTP status of success; 200 unless said. */
  readonly status?: 201;
  /** What of it the audit log says; where nothing, the reason. Every call that is no GET says one of both. */
  readonly audited?: readonly AuditAction[] | { readonly not: string };
};

const token = z.object({ token: z.string() });
/** Of an agent who has logged in. Log-ins and refreshes answer the same. */
const session = z.object({
  /** The bearer credential, and the token of a socket's handshake. */
  token: z.string(),
  agent,
  /** Serves once, for the next token; the answer to that has another. */
  refreshToken: z.string(),
  /** When the token expires. */
  expiresAt: timestamp,
  /** When the session ends unless it is refreshed. */
  sessionExpiresAt: timestamp,
});
const visitor = z.object({ buyer: identifier, token: z.string() });
const done = z.object({ ok: z.literal(true) });
/** Pass it as `cursor` for the next page; absent on the last. */
const next = z.string().optional();

/** Query strings arrive as text; `limit` is read as a number here and nowhere else. */
const limit = z.coerce.number().int().min(1).max(200).default(50);
const cursor = z.string().max(200).optional();
/** From `from` (inclusive) until `until` (exclusive), in ms since the epoch. */
const timeQuery = z.coerce.number().int().min(0).max(9_999_999_999_999).optional();
const seqQuery = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

export const routes = {
  createShop: {
    method: 'post',
    path: '/shops',
    summary: 'Open a shop; answers its secrets once',
    who: ['admin'],
    audited: ['shop:created'],
    body: z.strictObject({ id: identifier, name: z.string().trim().min(1).max(200) }),
    answer: z.object({
      shop: z.object({ id: identifier, name: z.string() }),
      owner: z.object({ id: identifier, password: z.string() }),
      apiKey: z.string(),
      buyerSecret: z.string(),
    }),
    status: 201,
  },
  rotateApiKey: {
    method: 'post',
    path: '/shops/:shop/api-key',
    summary: 'A new API key; the old one, and the tokens that programs got with it, serve no more',
    who: ['admin', 'owner'],
    audited: ['secret:replaced'],
    answer: z.object({ apiKey: z.string() }),
  },
  rotateBuyerSecret: {
    method: 'post',
    path: '/shops/:shop/buyer-secret',
    summary: "A new secret that signs buyers' tokens; all tokens signed with the old one serve no more",
    who: ['admin', 'owner'],
    audited: ['secret:replaced'],
    answer: z.object({ buyerSecret: z.string() }),
  },
  getSettings: {
    method: 'get',
    path: '/shops/:shop/settings',
    summary: "The shop's settings",
    who: staff,
    answer: settings,
  },
  patchSettings: {
    method: 'patch',
    path: '/shops/:shop/settings',
    summary: 'Change settings; merged, then validated whole',
    who: owners,
    audited: ['settings:changed'],
    body: settingsPatch,
    answer: settings,
  },
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
  listGroups: {
    method: 'get',
    path: '/shops/:shop/groups',
    summary: 'All groups',
    who: staff,
    answer: z.object({ groups: z.array(group) }),
  },
  getGroup: { method: 'get', path: '/shops/:shop/groups/:group', summary: 'One group', who: staff, answer: group },
  putGroup: {
    method: 'put',
    path: '/shops/:shop/groups/:group',
    summary: 'Create or replace a group',
    who: owners,
    audited: ['group:created', 'group:changed'],
    body: groupPut,
    answer: group,
  },
  deleteGroup: {
    method: 'delete',
    path: '/shops/:shop/groups/:group',
    summary: 'Remove a group; its members stay',
    who: owners,
    audited: ['group:removed'],
    answer: done,
  },
  getBuyer: {
    method: 'get',
    path: '/shops/:shop/buyers/:buyer',
    summary: 'One buyer',
    who: supervisors,
    answer: buyer,
  },
  putBuyer: {
    method: 'put',
    path: '/shops/:shop/buyers/:buyer',
    summary: 'Create or replace what the shop knows of a buyer',
    who: supervisors,
    audited: ['buyer:changed'],
    body: buyerPut,
    answer: buyer,
  },
  deleteBuyer: {
    method: 'delete',
    path: '/shops/:shop/buyers/:buyer',
    summary: 'Erase a buyer and every trace of them',
    who: owners,
    audited: ['buyer:erased'],
    /** What was said is gone by the answer; `underWay` where workers are still taking traces out of logs. */
    answer: done.extend({ underWay: z.literal(true).optional() }),
  },
  buyerToken: {
    method: 'post',
    path: '/shops/:shop/buyers/:buyer/token',
    summary: 'A token with which this buyer connects',
    who: programs,
    audited: { not: 'a page asks for one at every visit: they would drown everything else, and change nothing' },
    answer: token,
  },
  revokeBuyerTokens: {
    method: 'delete',
    path: '/shops/:shop/buyers/:buyer/tokens',
    summary: 'Refuse every token this buyer was given up to now, and end their connections',
    who: supervisors,
    audited: ['tokens:revoked'],
    answer: done,
  },
  recordConversion: {
    method: 'post',
    path: '/shops/:shop/conversions',
    summary: 'A buyer has bought: counts for the agent they spoke with last; conversion-first groups go by it',
    who: programs,
    audited: { not: 'programs report what a buyer did; the agents and their sales show it' },
    body: z.strictObject({ buyer: identifier, order: identifier }),
    answer: z.object({ counted: z.boolean(), agent: identifier.optional() }),
  },
  createVisitor: {
    method: 'post',
    path: '/shops/:shop/visitors',
    summary: 'An anonymous buyer with a token; rate-limited',
    who: everyone,
    audited: { not: 'nobody of the shop does it' },
    answer: visitor,
  },
  refreshVisitor: {
    method: 'post',
    path: '/shops/:shop/visitors/refresh',
    summary: 'A new token for a buyer whose token was made here, expired or not; for 30 days from the first',
    who: ['buyer'],
    late: true,
    audited: { not: 'nobody of the shop does it' },
    answer: visitor,
  },
  createSession: {
    method: 'post',
    path: '/sessions',
    summary: 'Log in as an agent',
    who: everyone,
    audited: { not: 'people log in as themselves, and change nothing' },
    body: z.strictObject({ shop: identifier, agent: identifier, password: z.string().min(1).max(200) }),
    answer: session,
  },
  refreshSession: {
    method: 'post',
    path: '/sessions/refresh',
    summary: 'Go on with a session: a new token, and a new refresh token in place of the one sent',
    who: everyone,
    body: z.strictObject({ shop: identifier, refreshToken: z.string().min(1).max(4_096) }),
    audited: { not: 'people go on as themselves, and change nothing' },
    answer: session,
  },
  endSession: {
    method: 'delete',
    path: '/sessions',
    summary: 'Log out: the session of the token that calls ends, and its connections',
    who: people,
    audited: { not: 'people log out themselves, and change nothing' },
    answer: done,
  },
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
  listAudit: {
    method: 'get',
    path: '/shops/:shop/audit',
    summary: 'Who has changed what, latest first; the last 100,000 entries of the last 400 days',
    who: owners,
    query: z.strictObject({
      from: timeQuery,
      until: timeQuery,
      /** An agent; `api-key` or `admin` for a program. */
      by: identifier.optional(),
      action: auditAction.optional(),
      limit,
      cursor,
    }),
    answer: z.object({ entries: z.array(auditEntry), next }),
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

export type RouteName = keyof typeof routes;
