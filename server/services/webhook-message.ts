/** A delivery on the wire: how it is signed, and how an answer is read. */
import { createHmac } from 'node:crypto';
import { type WebhookAnswer, type WebhookEvent, webhookAnswer } from '../../client-sdk/contract/index.ts';
import { DeliveryFailed } from './webhook-post.ts';

/** The value of `Fenliu-Signature`. `timestamp` in ms since the epoch; `verifyWebhook` of the SDK is the other side. */
export const signatureOf = (secret: string, timestamp: number, body: string) =>
  `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;

/** Body and headers of one attempt. */
export function sealed(event: WebhookEvent, secret: string, timestamp: number) {
  const body = JSON.stringify(event);
  const headers = {
    'Content-Type': 'application/json',
    'Fenliu-Delivery': event.id,
    'Fenliu-Timestamp': String(timestamp),
    'Fenliu-Signature': signatureOf(secret, timestamp, body),
  };
  return { body, headers };
}

/** What the receiver wants done. Throws `DeliveryFailed` for what the schema does not take, naming the places only. */
export function answerFrom(text: string): WebhookAnswer {
  if (text.trim() === '') return { messages: [] };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new DeliveryFailed('the answer is not JSON');
  }
  const parsed = webhookAnswer.safeParse(json);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, code }) => `${path.map(String).join('.') || 'the whole'}: ${code}`);
  throw new DeliveryFailed(
    `the answer is not what a webhook may answer (${places.slice(0, 5).join('; ').slice(0, 300)})`,
  );
}
