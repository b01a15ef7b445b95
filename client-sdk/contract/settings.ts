/** A shop's settings, their defaults, and the patch that changes them. */
import { z } from 'zod';
import { duration, identifier } from './words.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, HH:MM');

const timezone = z.string().refine((zone) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}, 'must be an IANA time zone, such as Asia/Shanghai');

/** As browsers write the origin of a page: scheme and name, and a port only where it is not the usual one. */
const origin = z
  .string()
  .max(300)
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, origin } = new URL(text);
    return (protocol === 'https:' || protocol === 'http:') && origin === text;
  }, 'must be the origin of a page, such as https://shop.example: no path, and no port that goes without saying');

/** The highest priority in the queue; 0 is everybody's. */
export const MAX_PRIORITY = 9;

const count = z.int().min(1).max(100_000);

/** The fields of the settings as sent in a patch: all optional, objects merged one level deep. */
const fields = {
  timezone,
  contactWindows: z.strictObject({ hotMs: duration, warmMs: duration }),
  busyThreshold: z.int().min(0).max(100_000),
  exclusiveAgents: z.boolean(),
  robotFirst: z.strictObject({ enabled: z.boolean(), robot: identifier.nullable() }),
  leaveMessage: z.strictObject({ to: z.enum(['pool', 'owner', 'proxy']), autoAssign: z.boolean() }),
  nightShift: z.strictObject({ enabled: z.boolean(), proxy: identifier.nullable(), from: clock, until: clock }),
  handoverLimit: count.nullable(),
  whenFull: z.enum(['queue', 'leave-message']),
  /** Short enough for a timer. */
  presenceGraceMs: z
    .int()
    .min(0)
    .max(24 * HOUR, 'must be at most 86400000, which is 24 hours'),
  slowReplyMs: duration,
  reassignAfterMs: duration.nullable(),
  autoHangUp: z.strictObject({ atActive: count.nullable(), afterNoReplyMs: duration.nullable() }),
  idleCloseMs: duration,
  welcome: z.strictObject({ text: z.string().min(1).max(2_000).nullable() }),
  /** Pages that may use the shop, besides those this server serves itself; empty for any. Programs are not concerned. */
  origins: z.array(origin).max(100),
  /** `priorities`: crowds whose buyers are served before others. `leaveAfterMs`: the longest wait; then the leave-message rule. */
  queue: z.strictObject({
    priorities: z
      .record(identifier, z.int().min(0).max(MAX_PRIORITY))
      .refine((crowds) => Object.keys(crowds).length <= 1_000, 'names more than 1000 crowds'),
    leaveAfterMs: duration.nullable(),
  }),
};

export const settings = z
  .strictObject(fields)
  .refine((s) => s.contactWindows.hotMs <= s.contactWindows.warmMs, {
    path: ['contactWindows', 'warmMs'],
    message: 'must not be shorter than hotMs',
  })
  .refine((s) => !s.robotFirst.enabled || s.robotFirst.robot !== null, {
    path: ['robotFirst', 'robot'],
    message: 'robot-first needs a robot',
  });

export const settingsPatch = z
  .strictObject({
    ...fields,
    contactWindows: fields.contactWindows.partial(),
    robotFirst: fields.robotFirst.partial(),
    leaveMessage: fields.leaveMessage.partial(),
    nightShift: fields.nightShift.partial(),
    autoHangUp: fields.autoHangUp.partial(),
    welcome: fields.welcome.partial(),
    queue: fields.queue.partial(),
  })
  .partial();

export type Settings = z.infer<typeof settings>;
export type SettingsPatch = z.infer<typeof settingsPatch>;

export const defaultSettings: Settings = {
  timezone: 'Asia/Shanghai',
  contactWindows: { hotMs: 24 * HOUR, warmMs: 72 * HOUR },
  busyThreshold: 4,
  exclusiveAgents: false,
  robotFirst: { enabled: false, robot: null },
  leaveMessage: { to: 'pool', autoAssign: true },
  nightShift: { enabled: false, proxy: null, from: '00:00', until: '08:00' },
  handoverLimit: null,
  whenFull: 'queue',
  presenceGraceMs: 20 * SECOND,
  slowReplyMs: 100 * SECOND,
  reassignAfterMs: null,
  autoHangUp: { atActive: null, afterNoReplyMs: null },
  idleCloseMs: 24 * HOUR,
  welcome: { text: null },
  origins: [],
  queue: { priorities: {}, leaveAfterMs: null },
};

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The settings after a patch: objects are merged, everything else replaced. Validate the result with `settings`. */
export function mergeSettings(before: Settings, patch: SettingsPatch): unknown {
  const merged: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    const old = merged[key];
    const nested = isObject(value) && isObject(old);
    merged[key] = nested ? { ...old, ...value } : value;
  }
  return merged;
}
