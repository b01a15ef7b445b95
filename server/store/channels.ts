/**
 * Sharded channels, listened to for as long as somebody wants to, whatever becomes of Redis.
 *
 * A channel lies in a slot, and so at one node of a cluster, which alone hears what is published in it; the slot may move,
 * and the node may die and be replaced. ioredis has subscribers of its own for this, but they go by the map of the cluster:
 * where a slot has gone and come back before the map was read, nothing has moved, and the channels that the node took off
 * its list are silent from then on. And with the adapter alone on top, what is asked for when a connection ends is a rejection
 * that nobody waits for, which ends the process. So here there is one connection a node, and a channel goes where the
 * nodes themselves send it:
 *
 * - where it is asked for, a node that does not have the slot says who has (MOVED);
 * - a node that gives a slot away takes our channels off its list, and those are asked for again;
 * - a connection that is back asks for all of its channels again;
 * - while a node does not answer, its channels follow the map of the cluster, should it name another node.
 *
 * What is said in a channel meanwhile is lost, as it is on the way to a client: clients notice, and ask for it.
 */
import { Cluster, Command, type Redis } from 'ioredis';
import { connectNode, type NodeName, type RedisTarget } from './connect.ts';
import type { Connection } from './script.ts';

export type Listener = (message: Buffer, channel: Buffer) => void;

/** Named as in the package `redis`, which the adapter of socket.io can work with too; nothing here is ever thrown. */
export type Channels = {
  /** From soon on, `listener` hears what is published in the channel. */
  sSubscribe(channel: string, listener: Listener): void;
  sUnsubscribe(channel: string | readonly string[]): void;
  /** Ends every connection. */
  close(): void;
};

/** Until a channel is asked for where a node has sent it, in ms: it may be told of the move a moment later than we. */
const MOVE_MS = 50;
/** Until it is asked for again after any other refusal, in ms: there may be thousands. */
const RETRY_MS = 1_000;
/** The one Redis there is, where there is no cluster. */
const ONLY: NodeName = 'only';

type Subscription = { readonly listener: Listener; at: NodeName };
type Place = { readonly redis: Redis; readonly channels: Set<string> };

/** Which node has the slot of a channel, as far as a connection of the same cluster knows. */
function nodeOf(channel: string, redis: Connection): NodeName | undefined {
  if (!(redis instanceof Cluster)) return ONLY;
  return redis.slots[new Command('ssubscribe', [channel]).getSlot()]?.[0];
}

/** `map` is another connection to the target; what it knows of a cluster is where channels are looked for first. */
export function createChannels(target: RedisTarget, map: Connection, onError: (error: Error) => void): Channels {
  const wanted = new Map<string, Subscription>();
  const places = new Map<NodeName, Place>();
  const waiting = new Set<NodeJS.Timeout>();
  let closed = false;

  function later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      waiting.delete(timer);
      if (!closed) work();
    }, ms);
    waiting.add(timer);
  }

  function openPlace(node: NodeName): Place {
    const redis = connectNode(target, node, onError);
    const place: Place = { redis, channels: new Set() };
    places.set(node, place);
    redis.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      wanted.get(channel.toString())?.listener(message, channel);
    });
    let before = false;
    redis.on('ready', () => {
      // The first time they are on their way already.
      if (before) askAgain(node, place.channels);
      before = true;
    });
    redis.on('close', () => askElsewhere(node, place));
    let looking = false;
    // A slot has left the node, and some of the channels with it.
    redis.on('moved', () => {
      if (looking) return;
      looking = true;
      later(MOVE_MS, () => {
        looking = false;
        const kept = new Set(redis.condition?.subscriber ? redis.condition.subscriber.channels('ssubscribe') : []);
        askAgain(
          node,
          [...place.channels].filter((channel) => !kept.has(channel)),
        );
      });
    });
    return place;
  }

  function leavePlace(channel: string, node: NodeName): void {
    const place = places.get(node);
    if (!place?.channels.delete(channel)) return;
    place.redis.sunsubscribe(channel).catch(() => undefined);
    if (place.channels.size > 0 || node === ONLY) return;
    places.delete(node);
    place.redis.disconnect();
  }

  function ask(channel: string, node: NodeName): void {
    const subscription = wanted.get(channel);
    if (!subscription) return;
    if (subscription.at !== node) leavePlace(channel, subscription.at);
    subscription.at = node;
    const place = places.get(node) ?? openPlace(node);
    place.channels.add(channel);
    place.redis.ssubscribe(channel).catch((error: Error) => {
      // Whatever it is, another try will tell; whoever has been given up or sent elsewhere meanwhile is left alone.
      const [, host, port] = /^MOVED \d+ (.*):(\d+)$/.exec(error.message) ?? [];
      later(port ? MOVE_MS : RETRY_MS, () => {
        const now = wanted.get(channel);
        if (now !== subscription || now.at !== node || places.get(node) !== place) return;
        ask(channel, port ? `${host || hostOf(node)}:${port}` : (nodeOf(channel, map) ?? node));
      });
    });
  }

  function askAgain(node: NodeName, channels: Iterable<string>): void {
    for (const channel of [...channels]) if (wanted.get(channel)?.at === node) ask(channel, node);
  }

  function askElsewhere(node: NodeName, place: Place): void {
    if (closed) return;
    for (const channel of [...place.channels]) {
      const other = nodeOf(channel, map);
      if (other !== undefined && other !== node) ask(channel, other);
    }
  }

  /** Before the map is known nobody can be asked. */
  function askFirst(channel: string, subscription: Subscription): void {
    if (wanted.get(channel) !== subscription) return;
    const node = nodeOf(channel, map);
    if (node === undefined) later(MOVE_MS, () => askFirst(channel, subscription));
    else ask(channel, node);
  }

  return {
    sSubscribe(channel, listener) {
      if (closed) return;
      const subscription = { listener, at: wanted.get(channel)?.at ?? '' };
      wanted.set(channel, subscription);
      askFirst(channel, subscription);
    },
    sUnsubscribe(channels) {
      for (const channel of [channels].flat()) {
        const subscription = wanted.get(channel);
        wanted.delete(channel);
        if (subscription) leavePlace(channel, subscription.at);
      }
    },
    close() {
      closed = true;
      for (const timer of waiting) clearTimeout(timer);
      for (const { redis } of places.values()) redis.disconnect();
      wanted.clear();
      places.clear();
    },
  };
}

/** A node that names no host in MOVED means its own. */
const hostOf = (node: NodeName) => node.slice(0, node.lastIndexOf(':'));
