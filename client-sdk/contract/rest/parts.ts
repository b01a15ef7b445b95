/** What several calls take or answer. */
import { z } from 'zod';

export const token = z.object({ token: z.string() });

export const done = z.object({ ok: z.literal(true) });

/** Pass it as `cursor` for the next page; absent on the last. */
export const next = z.string().optional();

/** Query strings arrive as text; `limit` is read as a number here and nowhere else. */
export const limit = z.coerce.number().int().min(1).max(200).default(50);

export const cursor = z.string().max(200).optional();

/** From `from` (inclusive) until `until` (exclusive), in ms since the epoch. */
export const timeQuery = z.coerce.number().int().min(0).max(9_999_999_999_999).optional();

export const seqQuery = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
