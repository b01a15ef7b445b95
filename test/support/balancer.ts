/** A balancer as it stands in front of nodes: round robin over those that say that they are ready. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Between two looks at a node, in ms. */
const LOOK_MS = 50;

export type Balancer = {
  readonly url: string;
  close(): Promise<void>;
};

export async function startBalancer(nodes: readonly string[]): Promise<Balancer> {
  let ready: readonly string[] = nodes;
  let turn = 0;
  const open = new Set<Socket>();

  const looking = setInterval(async () => {
    const looks = nodes.map(async (node) => {
      const answer = await fetch(`${node}/readyz`).catch(() => undefined);
      await answer?.text();
      return answer?.ok ? [node] : [];
    });
    ready = (await Promise.all(looks)).flat();
  }, LOOK_MS);

  const server = createServer((near) => {
    const node = ready[turn++ % ready.length];
    near.on('error', () => undefined);
    if (node === undefined) {
      near.destroy();
      return;
    }
    const { hostname, port } = new URL(node);
    const far = connect(Number(port), hostname);
    far.on('error', () => undefined);
    open.add(near);
    near.once('close', () => {
      open.delete(near);
      far.destroy();
    });
    far.once('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      clearInterval(looking);
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
