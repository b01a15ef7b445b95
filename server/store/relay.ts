/** How one process tells the clients of another: the adapter of socket.io, through sharded channels of Redis. */
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { createChannels } from './channels.ts';
import { connect, type RedisTarget } from './connect.ts';

export type Relay = {
  /** For the server of socket.io. */
  readonly adapter: ReturnType<typeof createShardedAdapter>;
  /** Ends its connections, after the server of socket.io is closed. */
  close(): void;
};

/** Rooms are few and long-lived, so each has a channel of its own: only nodes that have somebody in it hear what is said. */
export function createRelay(target: RedisTarget, onError: (error: Error) => void): Relay {
  // What is told while Redis is away nobody hears: it is not kept until then. Clients see by the numbers what they lack.
  const publisher = connect(target, onError, { neverWaits: true });
  const channels = createChannels(target, publisher, onError);
  return {
    adapter: createShardedAdapter(publisher, channels, { subscriptionMode: 'dynamic' }),
    close() {
      channels.close();
      publisher.disconnect();
    },
  };
}
