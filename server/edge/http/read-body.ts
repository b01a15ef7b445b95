/** Reads a JSON body. Only after its sender is known: nobody without a credential makes us parse anything large. */
import { json, type Request, type Response } from 'express';
import { Refusal, type RouteName } from '../../../client-sdk/contract/index.ts';

const KB = 1024;
/** The largest body, in bytes. */
const LIMIT = 256 * KB;
/** A group names up to 20,000 members. To log in takes little, and whoever does so is nobody yet. */
const others: Partial<Record<RouteName, number>> = {
  putGroup: 2 * KB * KB,
  createSession: 8 * KB,
  refreshSession: 8 * KB,
};

const jsonTypes = ['application/json', 'application/*+json'];
type Parser = ReturnType<typeof json>;

const bodyError = (problem: string) => new Refusal('invalid', `The body ${problem}`, [{ path: '', problem }]);

/** The refusal for what the body parser has to complain of. */
function refusalFor(error: unknown, limit: number): Refusal {
  const { status, type, message } = error as { status?: number; type?: string; message?: string };
  if (status === 413) return new Refusal('too-large', `The body is larger than ${limit / KB} kB; send less.`);
  if (type === 'entity.parse.failed') return bodyError(`is not valid JSON: ${String(message).slice(0, 200)}`);
  if (status === 415) return bodyError('must be JSON in UTF-8, as it is or compressed with gzip, deflate or br.');
  return bodyError('cannot be read; send it again.');
}

/** A reader of the bodies of one route, `undefined` for an empty one. It throws `invalid` and `too-large`. */
export function bodyReader(name: RouteName): (request: Request, response: Response) => Promise<unknown> {
  const limit = others[name] ?? LIMIT;
  // Not strict: that a body is no object is for the schema to say.
  const parse: Parser = json({ limit, strict: false, type: jsonTypes });
  return (request, response) =>
    new Promise((resolve, reject) => {
      // `null` where there is no body at all.
      if (request.is(jsonTypes) === false) {
        reject(bodyError('must be JSON: send it with Content-Type application/json.'));
        return;
      }
      parse(request, response, (error?: unknown) => {
        if (error) reject(refusalFor(error, limit));
        else resolve(request.body);
      });
    });
}
