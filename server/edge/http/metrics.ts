/** What Prometheus reads: a registry of each application's own, so that two in one process do not add up. */
import type { RequestHandler } from 'express';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JobCounts } from '../../services/job-queues.ts';

export type Metrics = {
  /** Whoever has something to count registers it here; a name ends in its unit. */
  readonly registry: Registry;
  /** Counts and times the requests that pass through it. */
  readonly countRequests: RequestHandler;
};

/** `count` is asked at every scrape; it must not throw. */
export function createMetrics(count: () => Promise<JobCounts[]> = async () => []): Metrics {
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

  for (const [name, what, help] of [
    ['fenliu_jobs_failed', 'failed', 'Jobs that failed and are kept to be looked at'],
    ['fenliu_jobs_waiting', 'waiting', 'Jobs that no worker has taken yet'],
    ['fenliu_jobs_late_seconds', 'lateSeconds', 'How long the job that is due the longest has not been taken'],
  ] as const) {
    const gauge: Gauge<'queue'> = new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers: [registry],
      async collect() {
        const counts = await count();
        gauge.reset();
        for (const { queue, [what]: jobs } of counts) gauge.set({ queue }, jobs);
      },
    });
  }

  return {
    registry,
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
