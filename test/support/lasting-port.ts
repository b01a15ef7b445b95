/** Ports for what is ended and started again at the same one. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems give to whoever connects somewhere: a port of these could be taken while nobody listens. */
const [FIRST, COUNT] = [15_000, 15_000];

/** A port of 127.0.0.1 that is free now, and that nobody is given who did not ask for it. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
