/** For whoever receives webhooks: whether a delivery is from us, and of now. */

/** How old a delivery may be, or how far ahead its clock, in ms. */
const TOLERANCE_MS = 5 * 60_000;

export type WebhookCheck = {
  /** The secret that was answered when the webhook was set, or rotated. */
  readonly secret: string;
  /** The header `Fenliu-Timestamp`. */
  readonly timestamp: string | number | null | undefined;
  /** The header `Fenliu-Signature`. */
  readonly signature: string | null | undefined;
  /** The body as it came, byte for byte: parse it afterwards. */
  readonly body: string | Uint8Array;
  /** The present in ms since the epoch. */
  readonly now: number;
  /** Five minutes unless said, in ms. */
  readonly toleranceMs?: number;
};

/** The 32 bytes of `v1=<hex>`. */
function bytesOf(signature: string): Uint8Array<ArrayBuffer> | undefined {
  const hex = /^v1=([0-9a-f]{64})$/.exec(signature)?.[1];
  if (hex === undefined) return undefined;
  const bytes = new Uint8Array(32);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * True for a delivery that was signed with this secret, with nothing changed since, at a time within the tolerance.
 * Compares in constant time. In Node and in browsers (there only in secure contexts, as WebCrypto is).
 */
export async function verifyWebhook(check: WebhookCheck): Promise<boolean> {
  const { secret, signature, body, now, toleranceMs = TOLERANCE_MS } = check;
  const timestamp = String(check.timestamp ?? '');
  const bytes = bytesOf(signature ?? '');
  if (!bytes || !/^\d{1,15}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > toleranceMs) return false;
  const encoder = new TextEncoder();
  const head = encoder.encode(`${timestamp}.`);
  const rest = typeof body === 'string' ? encoder.encode(body) : body;
  const signed = new Uint8Array(head.length + rest.length);
  signed.set(head);
  signed.set(rest, head.length);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['verify']);
  return subtle.verify('HMAC', key, bytes, signed);
}
