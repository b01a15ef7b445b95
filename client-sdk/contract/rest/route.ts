/** What a REST call is, and who may make which. */
import type { z } from 'zod';
import type { AuditAction } from '../audit.ts';

/** Who calls: the holder of the admin key, of the shop's API key, an agent's session by role, a buyer, or nobody in particular. */
export const callers = ['admin', 'api-key', 'owner', 'supervisor', 'agent', 'buyer', 'nobody'] as const;
export type CallerKind = (typeof callers)[number];

export const programs = ['admin', 'api-key'] as const;
export const owners = [...programs, 'owner'] as const;
export const supervisors = [...owners, 'supervisor'] as const;
/** All agents of the shop; what an agent without a higher role sees is narrowed to their own. */
export const staff = [...supervisors, 'agent'] as const;
/** Whoever has logged in. */
export const people = ['owner', 'supervisor', 'agent'] as const;
export const everyone = [...staff, 'buyer', 'nobody'] as const;

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
