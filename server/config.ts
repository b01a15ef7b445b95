/** The one file that reads the environment. */
import { z } from 'zod';
import { type LimitChanges, limitChanges } from './services/allowances.ts';
import { readClusterNodes } from './store/cluster-nodes.ts';

const key = z.string().regex(/^[!-~]{16,}$/, 'must be at least 16 characters, without spaces');

const clusterNodes = z
  .string()
  .transform((nodes) => nodes.split(',').map((node) => node.trim()))
  .superRefine((nodes, context) => {
    try {
      readClusterNodes(nodes);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue('must be JSON, such as {"visitors": {"count": 20, "seconds": 60}}');
    return z.NEVER;
  }
});

const variables = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  REDIS_CLUSTER: clusterNodes.optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  SECRET: key.optional(),
  ADMIN_KEY: key.optional(),
  DEMO: z.enum(['0', '1']).default('1'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
  LIMITS: json.pipe(limitChanges).default({}),
  WEBHOOK_PRIVATE: z.enum(['0', '1']).default('0'),
  DRAIN_SECONDS: z.coerce.number().min(0).max(600).default(10),
  CASES_DIR: z.string().min(1).optional(),
});

const environment = variables.refine((e) => e.REDIS_URL === undefined || e.REDIS_CLUSTER === undefined, {
  path: ['REDIS_CLUSTER'],
  message: 'is set beside REDIS_URL; set the one that is meant',
});

export type Config = {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Where a worker answers for its health and metrics; nowhere unless set. Server nodes do so at `port`. */
  readonly metricsPort: number | undefined;
  readonly redisUrl: string | undefined;
  /** Nodes of a cluster, as `readClusterNodes` reads them; empty for none. */
  readonly redisCluster: readonly string[];
  readonly dataDir: string;
  /** Signs session tokens. */
  readonly secret: string | undefined;
  readonly adminKey: string | undefined;
  readonly demo: boolean;
  readonly logLevel: string;
  /** Proxies in front of us that are believed about the client's address; 0 for none. */
  readonly trustProxy: number;
  /** What differs from the limits that are usual. */
  readonly limits: LimitChanges;
  /** Webhooks may be at addresses of our own network too. */
  readonly webhookPrivate: boolean;
  /** Over how long a server node that is told to end hands its sockets on, in ms. */
  readonly drainMs: number;
  /** Where `npm run cases` reads its stories. */
  readonly casesDir: string | undefined;
};

/** Reads and checks the environment. Throws an error that names every variable that is wrong, and how. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  // An empty variable is one that is not set: so docker compose passes them on.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The environment is not right:\n${lines.join('\n')}`);
  }
  const e = parsed.data;
  return {
    port: e.PORT,
    metricsPort: e.METRICS_PORT,
    redisUrl: e.REDIS_URL,
    redisCluster: e.REDIS_CLUSTER ?? [],
    dataDir: e.DATA_DIR,
    secret: e.SECRET,
    adminKey: e.ADMIN_KEY,
    demo: e.DEMO === '1',
    logLevel: e.LOG_LEVEL,
    trustProxy: e.TRUST_PROXY,
    limits: e.LIMITS,
    webhookPrivate: e.WEBHOOK_PRIVATE === '1',
    drainMs: e.DRAIN_SECONDS * 1_000,
    casesDir: e.CASES_DIR,
  };
}
