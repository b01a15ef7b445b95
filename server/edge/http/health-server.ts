/** Health and metrics of a process that serves nobody: a worker. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createHealth, type HealthParts } from './health.ts';

export type HealthServer = {
  /** Listens on a port, 0 for any, and answers which. Throws if it is taken. */
  listen(port: number): Promise<number>;
  close(): Promise<void>;
};

export function createHealthServer(parts: HealthParts): HealthServer {
  const app = express();
  app.disable('x-powered-by');
  app.use(parts.metrics.countRequests, createHealth(parts));
  const http = createServer(app);
  return {
    listen: (port) =>
      new Promise((resolve, reject) => {
        http.once('error', reject);
        http.listen(port, () => resolve((http.address() as AddressInfo).port));
      }),
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}
