/** How a process of ours ends: asked politely it drains, and asked twice (a terminal and npm both pass on Ctrl-C) still once. */
import type { Log } from '../services/house.ts';

/** How long ending may take before the process ends anyway, in ms; handing sockets on is not counted. */
const PATIENCE_MS = 15_000;

/** Runs `close` at the first SIGINT or SIGTERM and exits; 1 if it fails or takes longer than `drainMs` and some seconds. */
export function closeOnSignal(log: Log, close: () => Promise<void>, drainMs = 0): void {
  const patienceMs = drainMs + PATIENCE_MS;
  let closing = false;
  const end = async (signal: string) => {
    if (closing) return;
    closing = true;
    log.info({ signal }, 'closing');
    const late = setTimeout(() => {
      log.error({ afterMs: patienceMs }, 'closing takes too long; ending anyway');
      process.exit(1);
    }, patienceMs);
    late.unref();
    try {
      await close();
      process.exit(0);
    } catch (error) {
      log.error({ err: error }, 'closing failed');
      process.exit(1);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(signal));
}
