/** The audit log: who has changed what in a shop. */
import { z } from 'zod';
import { identifier, timestamp } from './words.ts';

/** Who acts: somebody with a session, by their role then, or a program by its key. */
export const by = z.object({
  kind: z.enum(['owner', 'supervisor', 'agent', 'api-key', 'admin']),
  /** The agent's; absent for a program. */
  id: identifier.optional(),
});

/** Every action there is, and what its target is the id of. Erasing a buyer goes by it. */
export const auditTargets = {
  'shop:created': 'shop',
  'settings:changed': 'nothing',
  'agent:created': 'agent',
  'agent:changed': 'agent',
  'agent:removed': 'agent',
  'group:created': 'group',
  'group:changed': 'group',
  'group:removed': 'group',
  /** A key, a secret or a password was replaced, and nothing else; `changes` says which. No target where it is the shop's. */
  'secret:replaced': 'agent',
  /** A session token was made for somebody else. */
  'token:issued': 'agent',
  /** All sessions of an agent. */
  'sessions:ended': 'agent',
  /** Every token that a buyer had been given. */
  'tokens:revoked': 'buyer',
  'presence:set': 'agent',
  'conversation:transferred': 'conversation',
  'conversation:claimed': 'conversation',
  'conversation:handed-over': 'conversation',
  'conversation:closed': 'conversation',
  'buyer:changed': 'buyer',
  /** The target is the fingerprint that docs/erasing.md explains: it names nobody. */
  'buyer:erased': 'fingerprint',
  'dead-letter:retried': 'delivery',
} as const;

export type AuditAction = keyof typeof auditTargets;
export const auditActions = Object.keys(auditTargets) as AuditAction[];
export const auditAction = z.enum(auditActions as [AuditAction, ...AuditAction[]]);

/**
 * `before` is absent for what was not there, `after` for what is gone. Of secrets it is said only that they were set, of a
 * buyer's name only that it is another.
 */
export const auditChange = z.object({
  /** Where in the target, such as `nightShift.from`. */
  path: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});

export const auditEntry = z.object({
  id: z.string(),
  /** Never before the entry before it, whatever the clocks of the nodes say. */
  at: timestamp,
  by,
  action: auditAction,
  target: z.string().optional(),
  changes: z.array(auditChange).optional(),
  /** How many changes more there were. */
  omitted: z.int().min(1).optional(),
});

export type By = z.infer<typeof by>;
export type AuditChange = z.infer<typeof auditChange>;
export type AuditEntry = z.infer<typeof auditEntry>;
