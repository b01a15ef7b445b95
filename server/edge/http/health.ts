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
  /** Longest wait for Redis in ms; 2 s unless said. */
  readonly readyTimeMs?: number;
};

export function createHealth({ house, metrics, leaving, readyTimeMs = READY_TIME_MS }: HealthParts): Router {
  const { redis, log } = house;
  const router = Router();
  const named = (response: Response, route: string) => {
    response.locals.route = route;
    return response.set('Cache-Control', 'no-store');
  };

  router.get('/healthz', (_request, response) => {
    named(response, '/healthz').json({ ok: true });
  });

  router.get('/readyz', async (_request, response) => {
    named(response, '/readyz');
    const refuse = (reason: string) => response.status(503).json({ ok: false, reason });
    if (leaving?.()) {
      refuse('This node is ending; it takes nobody new.');
      return;
    }
    // Asking it again each time would be one more command that waits for it.
    if (house.away()) {
      refuse('Redis is away.');
      return;
    }
    try {
      await within(readyTimeMs, mustServe(redis));
      response.json({ ok: true });
    } catch (error) {
      log.warn({ err: error }, 'not ready: Redis cannot serve');
      const reason = error instanceof Error ? error.message : 'unknown';
      refuse(`Redis cannot serve: ${reason}`);
    }
  });

  router.get('/metrics', async (_request, response) => {
    const text = await metrics.registry.metrics();
    named(response, '/metrics').type(metrics.registry.contentType).send(text);
  });
  return router;
}
