/** Workers in the test's own process, on a table of jobs of its own. */
import type { Meter } from '../../server/services/meter.ts';
import { connect } from '../../server/store/connect.ts';
import type { Job } from '../../workers/jobs.ts';
import { createWorkers, type Workers } from '../../workers/workers.ts';
import { createTestHouse } from './house.ts';

const quiet = { info() {}, warn() {}, error() {} };

export type Given = {
  readonly meter?: Meter;
  /** Another Redis, where this worker looks for turns in vain. */
  readonly looksAt?: string;
  readonly silentMs?: number;
};

/** Works until `close`, which finishes what is under way. */
export async function startWorkers(
  url: string,
  jobs: Readonly<Record<string, Job>>,
  { meter, looksAt = url, silentMs }: Given = {},
): Promise<Workers> {
  const test = createTestHouse(url, { log: quiet, ...(meter ? { meter } : {}) });
  const connections = [connect({ url }, () => undefined), connect({ url: looksAt }, () => undefined)] as const;
  const given = silentMs === undefined ? {} : { silentMs };
  const workers = await createWorkers({ connections, house: test.house, log: quiet, jobs, ...given });
  return {
    mustTakeTurns: workers.mustTakeTurns,
    async close() {
      await workers.close();
      for (const connection of connections) connection.disconnect();
      await test.close();
    },
  };
}
