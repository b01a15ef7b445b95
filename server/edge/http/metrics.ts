/** What Prometheus reads: a registry of each application's own, so that two in one process do not add up. */
import type { RequestHandler } from 'express';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { Meter } from '../../services/meter.ts';
import { createMeter } from './metrics-meter.ts';

export type Metrics = {
  /** Whoever has something to count registers it here; a name ends in its unit. */
  readonly registry: Registry;
  /** What the services and the sockets count with. */
  readonly meter: Meter;
  /** Counts and times the requests that pass through it. */
  readonly countRequests: RequestHandler;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const labelNames = ['method', 'route', 'status'] as const;
  const total = new Counter({
    name: 'fenliu_http_requests_total',
    help: 'HTTP requests answered; status "aborted" where the client went away first',
    labelNames,
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'fenliu_http_request_duration_seconds',
    help: 'From the arrival of a request until its answer was handed over',
    labelNames,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });

  return {
    registry,
    meter: createMeter(registry),
    countRequests(request, response, next) {
      const stop = duration.startTimer();
      response.once('close', () => {
        // The template of the route, never the path: that would be a series for each buyer.
        const route: unknown = response.locals.route;
        const labels = {
          method: request.method,
          route: typeof route === 'string' ? route : 'other',
          status: response.writableFinished ? String(response.statusCode) : 'aborted',
        };
        total.inc(labels);
        stop(labels);
      });
      next();
    },
  };
}
