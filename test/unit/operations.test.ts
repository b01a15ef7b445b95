/** What operators are given stands for what there is: metrics, board, alerts, compose file, balancer. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../server/config.ts';
import { createMetrics } from '../../server/edge/http/metrics.ts';
import { registerReadings } from '../../server/edge/http/metrics-readings.ts';
import { countWorkload } from '../../server/edge/http/workload-metrics.ts';
import { createWorkload } from '../../server/edge/workload.ts';
import { testLog } from '../support/house.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const never = () => Promise.reject(new Error('nobody scrapes here'));

const { registry } = createMetrics();
registerReadings(registry, { jobs: never, shops: never }, { away: () => false, log: testLog });
countWorkload(registry, createWorkload({ away: () => false }));
const metrics = registry.getMetricsAsArray() as unknown as { name: string; labelNames?: string[] }[];
const ours = metrics.filter(({ name }) => name.startsWith('fenliu_'));

/** The metric that a name in a query is of: histograms are asked for by what they are made of. */
const metricOf = (name: string) =>
  metrics.find((metric) => metric.name === name) ??
  metrics.find((metric) => [`${metric.name}_bucket`, `${metric.name}_sum`, `${metric.name}_count`].includes(name));
/** Every metric that a query names. */
const named = (query: string) => query.match(/\b(?:fenliu|process|nodejs)_\w+/g) ?? [];

/** What is wrong with a query: metrics that are not there, and labels that they do not have. */
function problemsOf(query: string): string[] {
  const unknown = named(query).filter((name) => !metricOf(name));
  const labels = [...query.matchAll(/\b((?:fenliu|process|nodejs)_\w+)\{([^}]*)\}/g)].flatMap(
    ([, name = '', matchers = '']) =>
      [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)]
        .map(([, label = '']) => label)
        .filter((label) => !['job', 'instance', ...(metricOf(name)?.labelNames ?? [])].includes(label))
        .map((label) => `${name} has no label ${label}`),
  );
  const known = new Set(['job', 'instance', 'le', ...named(query).flatMap((name) => metricOf(name)?.labelNames ?? [])]);
  const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((l) => l.trim()),
  );
  return [...unknown, ...labels, ...grouped.filter((label) => !known.has(label)).map((label) => `by (${label})`)];
}

describe('metrics', () => {
  it('are all in docs/operations/metrics.md, with their labels', () => {
    const rows = read('docs/operations/metrics.md')
      .split('\n')
      .flatMap((line) => {
        const [, name, labels = ''] = /^\| `(fenliu_\w+)` \|([^|]*)\|/.exec(line) ?? [];
        return name
          ? [
              [
                name,
                labels
                  .split(',')
                  .flatMap((label) => label.trim() || [])
                  .sort(),
              ],
            ]
          : [];
      });
    const own = ours.map(({ name, labelNames = [] }) => [name, [...labelNames].sort()]);
    expect(rows.sort()).toEqual(own.sort());
  });
  it('end in their unit, and take no label that Prometheus has itself', () => {
    for (const { name, labelNames = [] } of ours) {
      expect(name).toMatch(/_(total|seconds|conversations|agents|shops|sockets|under_way|connected|failed|waiting)$/);
      for (const label of labelNames) expect(['job', 'instance', 'shop', 'buyer', 'agent']).not.toContain(label);
    }
  });
});

type Panel = { type: string; title: string; targets?: { expr: string }[] };
type Rule = { alert: string; expr: string; labels: Record<string, string>; annotations: Record<string, string> };

describe('docs/operations/grafana.json', () => {
  const board = JSON.parse(read('docs/operations/grafana.json')) as { panels: Panel[] };
  const queries = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  it('asks for what there is', () => {
    expect(queries.length).toBeGreaterThan(0);
    expect(queries.flatMap(problemsOf)).toEqual([]);
  });
  it('shows every metric of ours', () => {
    const shown = new Set(queries.flatMap(named).map((name) => metricOf(name)?.name));
    expect(ours.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe('docs/operations/alerts.yml', () => {
  const { groups } = parse(read('docs/operations/alerts.yml')) as { groups: { rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  it('asks for what there is', () => {
    expect(rules.length).toBeGreaterThan(0);
    expect(rules.flatMap(({ expr }) => problemsOf(expr))).toEqual([]);
  });
  it('says of each what to do, and how urgent it is', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(page|ticket)$/)]);
      expect([alert, annotations.summary, annotations.do]).toEqual([alert, expect.any(String), expect.any(String)]);
    }
  });
  it('is explained: watching.md names every alert', () => {
    const page = read('docs/operations/watching.md');
    expect(rules.map(({ alert }) => alert).filter((alert) => !page.includes(`\`${alert}\``))).toEqual([]);
  });
});

type Service = {
  image?: string;
  build?: string;
  user?: string;
  restart?: string;
  environment?: Record<string, string | number>;
  healthcheck?: { test?: unknown };
  depends_on?: Record<string, { condition: string }>;
  logging?: { options?: Record<string, string> };
  [key: string]: unknown;
};

describe('docker-compose.yml', () => {
  const text = read('docker-compose.yml');
  const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
  const ownImage = Object.entries(services).filter(([, { build }]) => build !== undefined);

  it.each(Object.entries(services))('%s is pinned, watched, bounded and sealed', (_name, service) => {
    if (service.build === undefined) expect(service.image).toMatch(/^[\w/]+:\d+\.\d+\.\d+-/);
    expect(service.healthcheck?.test).toBeDefined();
    expect(service.restart).toBe('unless-stopped');
    for (const limit of ['cpus', 'mem_limit', 'pids_limit', 'ulimits', 'stop_grace_period']) {
      expect([limit, service[limit]]).toEqual([limit, expect.anything()]);
    }
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.logging?.options).toMatchObject({ 'max-size': expect.any(String), 'max-file': expect.any(String) });
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(services[other]?.healthcheck).toBeDefined();
      expect(condition).toBe('service_healthy');
    }
  });

  it('sets what the configuration reads, and nothing else', () => {
    const source = read('server/config.ts');
    expect(ownImage.length).toBe(3);
    for (const [name, { environment = {} }] of ownImage) {
      for (const variable of Object.keys(environment))
        expect([name, variable, source]).toEqual([name, variable, expect.stringContaining(`  ${variable}: `)]);
    }
  });

  it('has a configuration that is right once the secrets are there, and none of them in it', () => {
    const given: Record<string, string> = {
      SECRET: 'a-secret-of-the-tests',
      ADMIN_KEY: 'a-key-for-the-tests',
      REDIS_PASSWORD: 'abc123',
    };
    for (const name of Object.keys(given)) expect(text).toContain(`\${${name}:?`);
    const filled = (value: string | number) =>
      String(value).replace(
        /\$\{(\w+)(?::[?-]([^}]*))?\}/g,
        (_, name: string, otherwise = '') => given[name] ?? otherwise,
      );
    for (const [name, { environment = {} }] of ownImage) {
      const config = readConfig(
        Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, filled(value)])),
      );
      expect([name, config.redisUrl]).toEqual([name, 'redis://:abc123@redis:6379']);
    }
  });

  it('asks every process where it answers', () => {
    for (const [name, { environment = {}, healthcheck }] of ownImage) {
      const port = environment.METRICS_PORT ?? 3000;
      expect([name, String(healthcheck?.test)]).toEqual([name, expect.stringContaining(`127.0.0.1:${port}/readyz`)]);
    }
  });

  it('gives a node time to end, and Redis twice the memory it may use', () => {
    const seconds = (service?: Service) => Number(/^(\d+)s$/.exec(String(service?.stop_grace_period))?.[1]);
    expect(seconds(services['server-1'])).toBeGreaterThan(25);
    expect(text).toContain('REDIS_MAXMEMORY:-1gb');
    expect(text).toContain('REDIS_MEM_LIMIT:-2g');
  });

  it('is scraped whole', () => {
    const scraper = read('docs/operations/prometheus.yml');
    for (const [name, { environment = {} }] of ownImage) {
      const place = environment.METRICS_PORT ? `[${name}]` : `${name}:3000`;
      expect(scraper).toContain(place);
      if (environment.METRICS_PORT) expect(scraper).toContain(`port: ${environment.METRICS_PORT}`);
    }
    for (const job of read('docs/operations/alerts.yml').matchAll(/job="([^"]+)"/g))
      expect(scraper).toContain(`job_name: ${job[1]}`);
  });
});

describe('docs/operations/haproxy.cfg', () => {
  const text = read('docs/operations/haproxy.cfg');
  const { services } = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };
  const seconds = (what: string) => Number(new RegExp(`^\\s*timeout ${what} (\\d+)s$`, 'm').exec(text)?.[1]);
  it('balances over every server node, for both transports', () => {
    const nodes = Object.keys(services).filter((name) => name.startsWith('server-'));
    for (const backend of ['nodes', 'polling']) {
      const section = text.split(`\nbackend ${backend}\n`)[1]?.split('\nbackend')[0] ?? '';
      expect([...section.matchAll(/^ {2}server (\S+) \1:3000\b/gm)].map(([, name]) => name)).toEqual(nodes);
    }
  });
  it('waits longer than a connection may be silent: a ping every 25 s, answered within 20', () => {
    for (const what of ['client', 'server', 'tunnel']) expect([what, seconds(what) > 45]).toEqual([what, true]);
  });
  it("keeps operators' pages from the public", () => {
    const denied = /deny_status 404 if \{ path,url_dec -i -m reg (\S+) \}/.exec(text)?.[1] ?? '';
    const hidden = new RegExp(denied, 'i');
    for (const path of ['/metrics', '/Metrics', '//metrics', '/admin', '/admin/jobs', '/readyz'])
      expect(hidden.test(path)).toBe(true);
    for (const path of ['/', '/healthz', '/socket.io/', '/api/v1/shops/admin/agents', '/administration'])
      expect(hidden.test(path)).toBe(false);
  });
});

describe('Dockerfile', () => {
  const text = read('Dockerfile');
  it('is pinned, of two stages, and runs as somebody who owns nothing in it', () => {
    expect(text).toMatch(/^ARG NODE=node:20\.\d+\.\d+-bookworm-slim$/m);
    expect(text.match(/^FROM \$\{NODE\}/gm)).toHaveLength(2);
    expect(text).toMatch(/^USER node$/m);
    expect(text).not.toContain('--chown');
    expect(text).toMatch(/^HEALTHCHECK /m);
  });
  it('brings along what .dockerignore lets in', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...text.matchAll(/^COPY ([^-].*)$/gm)].flatMap(([, line = '']) => line.split(' ').slice(0, -1));
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
  });
});
