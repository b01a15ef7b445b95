/** The HTTP edge put together: security headers, the API, health, and the pages. It does not listen. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import { Refusal } from '../../../client-sdk/contract/index.ts';
import type { QueueHandles } from '../../services/job-queues.ts';
import { createShopCounts } from '../../services/shop-counts.ts';
import { securityHeaders } from '../security-headers.ts';
import { createWorkload, type Workload } from '../workload.ts';
import { answerTo, sendRefusal } from './failures.ts';
import { createHealth } from './health.ts';
import { BOARD_PATH, createJobsBoard } from './jobs-board.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { registerReadings } from './metrics-readings.ts';
import { createRouter, type RouterParts } from './router.ts';
import { countWorkload } from './workload-metrics.ts';

export type HttpParts = Omit<RouterParts, 'workload'> & {
  readonly metrics?: Metrics;
  /** The queues that the operator's board shows; without them there is no board, and no metrics are read from Redis. */
  readonly queues?: QueueHandles;
  /** Pages served beside the API, such as a demo. */
  readonly pages?: Router;
  /** Longest wait of `/readyz` for Redis, in ms. */
  readonly readyTimeMs?: number;
  /** What sockets and calls have under way together; one of its own unless given. */
  readonly workload?: Workload;
  /** Whether this node is about to end. */
  readonly leaving?: () => boolean;
};

/** The chat widget lives in pages of other origins. No cookies are used, so no origin can borrow somebody's session. */
const allowOrigins: RequestHandler = (request, response, next) => {
  response.set('Access-Control-Allow-Origin', '*');
  response.set('Access-Control-Expose-Headers', 'Retry-After');
  if (request.method !== 'OPTIONS') {
    next();
    return;
  }
  response.set({
    'Access-Control-Allow-Methods': 'GET, HEAD, PUT, POST, PATCH, DELETE',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, Accept-Language',
    'Access-Control-Max-Age': '86400',
  });
  response.status(204).end();
};

/** The path for the log, not as far as it could name a buyer: `/api/v1/shops`. */
const pathFact = (path: string) => path.split('/').slice(0, 4).join('/').slice(0, 200);

/** The application; hand it to an http server. `house`, `keys`, `clock` and the rest are given, nothing is read from the environment. */
export function createHttpApp(parts: HttpParts): Express {
  const { house, keys, limits, queues, pages, trustProxy, readyTimeMs, leaving } = parts;
  const { metrics = createMetrics() } = parts;
  const { workload = createWorkload({ away: house.away }) } = parts;
  countWorkload(metrics.registry, workload);
  if (queues) {
    const jobs = () => queues.count(parts.clock());
    registerReadings(metrics.registry, { jobs, shops: createShopCounts(house, parts.clock) }, house);
  }
  const app = express();
  app.disable('etag');
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy);

  app.use(metrics.countRequests, securityHeaders);
  app.use(
    createHealth({
      house,
      metrics,
      ...(leaving ? { leaving } : {}),
      ...(readyTimeMs === undefined ? {} : { readyTimeMs }),
    }),
  );
  app.use('/api', allowOrigins);
  app.use('/api/v1', createRouter({ ...parts, workload }));
  if (queues) app.use(BOARD_PATH, createJobsBoard({ house, keys, limits, queues }));
  if (pages) app.use(pages);

  app.use((request, response) => {
    sendRefusal(
      request,
      response,
      new Refusal('not-found', `There is no ${request.method} here; the calls are listed in /api/v1/openapi.json.`),
    );
  });
  const onError: ErrorRequestHandler = (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    sendRefusal(request, response, answerTo(error, house.log, { path: pathFact(request.path) }));
  };
  app.use(onError);
  return app;
}
