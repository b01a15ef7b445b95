/** Metrics that are read from Redis when Prometheus asks; every node says the same. Missing while Redis cannot be asked. */
import { Gauge, type Registry } from 'prom-client';
import type { House } from '../../services/house.ts';
import type { JobCounts } from '../../services/job-queues.ts';
import type { AllShops } from '../../services/shop-counts.ts';
import { bareError } from '../../services/trouble.ts';
import { within } from '../time-limit.ts';

/** How long Redis may take before a scrape goes without, in ms. */
const READING_TIME_MS = 2_000;

export type Readings = {
  readonly jobs: () => Promise<readonly JobCounts[]>;
  readonly shops: () => Promise<AllShops>;
};

/** A Redis that is known to be away is not asked: that would be one more command that waits for it. */
export type Asked = Pick<House, 'away' | 'log'>;

/**
 * What `read` answers in time, else `undefined`, so that the other metrics are answered in any case. The gauges of a scrape
 * ask at once, and share one reading.
 */
function reading<T>(read: () => Promise<T>, { away, log }: Asked, says: string): () => Promise<T | undefined> {
  let underWay: Promise<T | undefined> | undefined;
  return async () => {
    if (away()) return undefined;
    underWay ??= within(READING_TIME_MS, read())
      .catch((error) => {
        log.warn({ err: bareError(error) }, says);
        return undefined;
      })
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  };
}

const ofJobs = [
  ['fenliu_jobs_failed', 'failed', 'Jobs that failed and are kept to be looked at'],
  ['fenliu_jobs_waiting', 'waiting', 'Jobs that no worker has taken yet'],
  ['fenliu_jobs_late_seconds', 'lateSeconds', 'How long the job that is due the longest has not been taken'],
] as const;

const ofShops = [
  ['fenliu_shops', 'Shops there are', ({ shops }) => shops],
  ['fenliu_pending_conversations', "Conversations that wait for their holder's reply", ({ pending }) => pending],
  ['fenliu_held_conversations', 'Open conversations that somebody holds', ({ held }) => held],
  ['fenliu_queue_conversations', 'Conversations in the queues', ({ queue }) => queue],
  ['fenliu_pool_conversations', 'Conversations left while nobody could take them', ({ pool }) => pool],
  ['fenliu_overnight_conversations', 'Held by proxies until the morning', ({ overnight }) => overnight],
  ['fenliu_online_agents', 'Agents in groups who are connected and online', ({ online }) => online],
  ['fenliu_on_duty_agents', 'Of those, the ones with room for one more buyer', ({ onDuty }) => onDuty],
  [
    'fenliu_queue_wait_seconds',
    'Of whoever has waited in a queue the longest',
    ({ queueWaitMs }) => queueWaitMs / 1_000,
  ],
  ['fenliu_pool_wait_seconds', 'Of whoever has waited in a pool the longest', ({ poolWaitMs }) => poolWaitMs / 1_000],
] as const satisfies readonly (readonly [string, string, (all: AllShops) => number])[];

export function registerReadings(registry: Registry, readings: Readings, asked: Asked): void {
  const registers = [registry];
  const jobs = reading(readings.jobs, asked, 'the jobs could not be counted');
  const shops = reading(readings.shops, asked, 'the shops could not be counted');
  for (const [name, what, help] of ofJobs) {
    const gauge: Gauge<'queue'> = new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers,
      async collect() {
        const counts = await jobs();
        gauge.reset();
        for (const { queue, [what]: count } of counts ?? []) gauge.set({ queue }, count);
      },
    });
  }
  for (const [name, help, of] of ofShops) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers,
      async collect() {
        const all = await shops();
        if (all) gauge.set(of(all));
        else gauge.remove();
      },
    });
  }
}
