/** Sessions of agents: log-in, refresh, log-out. */
import { z } from 'zod';
import { agent } from '../entities.ts';
import { identifier, timestamp } from '../words.ts';
import { done } from './parts.ts';
import { everyone, people, type Route } from './route.ts';

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

export const sessions = {
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
} as const satisfies Record<string, Route>;
