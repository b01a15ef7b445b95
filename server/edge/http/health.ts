/** What balancers and Prometheus ask: is the process alive, can it serve, and how is it doing. */
import { type Response, Router } from 'express';
import type { House } from '../../services/house.ts';
import { mustServe } from '../../services/readiness.ts';
import { within } from '../time-limit.ts';
import type { Metrics } from './metrics.ts';

/** How long Redis may take before this node is not ready, in ms. */
const READY_TIME_MS = 2_000;

export type HealthParts = {
  readonly house: Pick<House, 'redis' | 'away' | 'log'>;
  readonly metrics: Metrics;
  /** Whether this node is about to end: whoever asks sends nobody new. */
  readonly leaving?: () => boolean;
  /** What has to hold besides a Redis that serves; throws where it does not. */
  readonly working?: () => Promise<void>;
  /** Longest wait for Redis in ms; 2 s unless said. */
  readonly readyTimeMs?: number;
};

export function createHealth(parts: HealthParts): Router {
  const { house, metrics, leaving, working, readyTimeMs = READY_TIME_MS } = parts;
  const { redis, log } = house;
  const router = Router();
  const named = (response: Response, route: string) => {
    response.locals.route = route;
    return response.set('Cache-Control', 'no-store');
  };

  const refuse = (response: Response, reason: string) => response.status(503).json({ ok: false, reason });
  function notReady(response: Response, what: string, error: unknown): void {
    log.warn({ err: error }, `not ready: ${what}`);
    refuse(response, `${what}: ${error instanceof Error ? error.message : 'unknown'}`);
  }

  router.get('/healthz', (_request, response) => {
    named(response, '/healthz').json({ ok: true });
  });

  router.get('/readyz', async (_request, response) => {
    named(response, '/readyz');
    if (leaving?.()) {
      refuse(response, 'This node is ending; it takes nobody new.');
      return;
    }
    // Asking it again each time would be one more command that waits for it.
    if (house.away()) {
      refuse(response, 'Redis is away.');
      return;
    }
    try {
      await within(readyTimeMs, mustServe(redis));
    } catch (error) {
      notReady(response, 'Redis cannot serve', error);
      return;
    }
    try {
      if (working) await within(readyTimeMs, working());
    } catch (error) {
      notReady(response, 'this process does not work', error);
      return;
    }
    response.json({ ok: true });
  });

  router.get('/metrics', async (_request, response) => {
    const text = await metrics.registry.metrics();
    named(response, '/metrics').type(metrics.registry.contentType).send(text);
  });
  return router;
}
