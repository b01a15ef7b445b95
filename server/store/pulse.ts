/**
 * Asks every connection something now and then, and ends one that does not answer anything any more; it is then made anew.
 * A network that swallows packets says nothing: TCP gives up after a quarter of an hour, and who only listens never.
 *
 * Not ioredis's `socketTimeout`: BullMQ copies the options of a connection for one on which Redis is silent on purpose, and a
 * process that was asleep would find all its connections too old. Turns in which nothing came are counted instead.
 */
import { Cluster, type Redis } from 'ioredis';
import type { Connection } from './script.ts';

const PULSE_MS = 1_500;
/** After so many pulses without a word from Redis the connection is dead: 4.5 to 6 s. */
const SILENT_PULSES = 3;

type Heard = { readonly stream: Redis['stream']; readonly bytes: number; readonly pulses: number };

/** Until the connection is ended. */
export function keepPulse(redis: Connection): void {
  const heard = new WeakMap<Redis, Heard>();

  function pulse(node: Redis): void {
    // While it is connecting, ioredis has a limit of its own.
    if (node.status !== 'ready' && node.status !== 'connect') return;
    const { stream } = node;
    const before = heard.get(node);
    const silent = before?.stream === stream && before.bytes === stream.bytesRead;
    const pulses = silent ? before.pulses + 1 : 0;
    heard.set(node, { stream, bytes: stream.bytesRead, pulses });
    if (pulses >= SILENT_PULSES) stream.destroy(new Error('Redis has not answered anything for too long'));
    else if (node.status === 'ready') node.ping().catch(() => undefined);
  }

  const timer = setInterval(() => {
    for (const node of redis instanceof Cluster ? redis.nodes() : [redis]) pulse(node);
  }, PULSE_MS).unref();
  redis.once('end', () => clearInterval(timer));
}
