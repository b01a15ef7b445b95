/** Identifiers and secrets, handed in from outside so that nothing below draws luck of its own. */
import { createHash } from 'node:crypto';
import { customAlphabet } from 'nanoid';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const REQUEST_LENGTH = 12;

export type Ids = {
  conversation(): string;
  message(): string;
  visitor(): string;
  /** Of a session, or of a new epoch of an agent's sessions. */
  session(): string;
  /** A key or password that nobody can guess. */
  secret(): string;
  /** The last part of an assignment's id: the same for the same `requestId` of the same sender, else new. */
  request(sender: string, requestId?: string): string;
};

export function createIds(): Ids {
  const short = customAlphabet(alphabet, REQUEST_LENGTH);
  const long = customAlphabet(alphabet, 20);
  const secret = customAlphabet(alphabet, 40);
  return {
    conversation: () => long(),
    message: () => long(),
    visitor: () => `visitor-${long()}`,
    session: () => long(),
    secret: () => secret(),
    request: (sender, requestId) =>
      requestId === undefined
        ? short()
        : createHash('sha256').update(`${sender}\n${requestId}`).digest('hex').slice(0, REQUEST_LENGTH),
  };
}
