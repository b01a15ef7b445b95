/**
 * A balancer as it stands in front of nodes: round robin over those that say that they are ready; where one is not to be
 * reached all the same, the next.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks at a node, and how long one may take, in ms: on a busy machine a node that is well answers late. */
const LOOK_MS = 100;
const LOOK_PATIENCE_MS = 10_000;

export type Balancer = {
  /** Where clients find it. */
  readonly url: string;
  /** A node that is ready takes part from now on. */
  add(node: string): void;
  /** A node takes part no more; connections to it are not touched. */
  remove(node: string): void;
  close(): Promise<void>;
};

const isReady = async (node: string) => {
  const looked = fetch(`${node}/readyz`, { signal: AbortSignal.timeout(LOOK_PATIENCE_MS) });
  const answer = await looked.catch(() => undefined);
  await answer?.text().catch(() => undefined);
  return answer?.ok === true;
};

/** Resolves when the connection stands, to nothing if it is refused. */
function reach(node: string): Promise<Socket | undefined> {
  const { hostname, port } = new URL(node);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

export async function startBalancer(nodes: readonly string[] = []): Promise<Balancer> {
  /** Each node, and whether it was ready when it was looked at last. */
  const known = new Map<string, boolean>();
  let turn = 0;
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => undefined); // told by the close
    socket.once('close', () => open.delete(socket));
  };

  /** Looks at a node until it is removed. */
  async function watch(node: string): Promise<void> {
    while (known.has(node)) {
      const ready = await isReady(node);
      if (known.has(node)) known.set(node, ready);
      await sleep(LOOK_MS);
    }
  }
  function add(node: string): void {
    known.set(node, true);
    void watch(node);
  }
  for (const node of nodes) add(node);

  async function next(): Promise<Socket | undefined> {
    const ready = [...known].filter(([, is]) => is).map(([node]) => node);
    turn += 1;
    for (const node of ready.map((_, i) => ready[(turn + i) % ready.length] ?? '')) {
      const socket = await reach(node);
      if (socket) return socket;
    }
    return undefined;
  }

  const server = createServer({ pauseOnConnect: true }, async (near) => {
    keep(near);
    const far = await next();
    if (!far || near.destroyed) {
      far?.destroy();
      near.destroy();
      return;
    }
    keep(far);
    // Whoever goes takes the other along: a client must notice at once that its node is dead.
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    near.pipe(far).pipe(near);
    near.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add,
    remove(node) {
      known.delete(node);
    },
    async close() {
      known.clear();
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
