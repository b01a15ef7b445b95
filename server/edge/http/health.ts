/** What balancers and Prometheus ask: is the process alive, can it serve, and how is it doing. */
import { type Response, Router } from 'express';
import type { House } from '../../services/house.ts';
import { mustServe } from '../../services/readiness.ts';
import type { Metrics } from './metrics.ts';
import { within } from './time-limit.ts';

/** How long Redis may take before this node is not ready, in ms. */
const READY_TIME_MS = 2_000;

export type HealthParts = {
  readonly redis: House['redis'];
  readonly log: House['log'];
  readonly metrics: Metrics;
  /** Longest wait for Redis in ms; 2 s unless said. */
  readonly readyTimeMs?: number;
};

export function createHealth({ redis, log, metrics, readyTimeMs = READY_TIME_MS }: HealthParts): Router {
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
    try {
      await within(readyTimeMs, mustServe(redis));
      response.json({ ok: true });
    } catch (error) {
      log.warn({ err: error }, 'not ready: Redis cannot serve');
      const reason = error instanceof Error ? error.message : 'unknown';
      response.status(503).json({ ok: false, reason: `Redis cannot serve: ${reason}` });
    }
  });

  router.get('/metrics', async (_request, response) => {
    const text = await metrics.registry.metrics();
    named(response, '/metrics').type(metrics.registry.contentType).send(text);
  });
  return router;
}
