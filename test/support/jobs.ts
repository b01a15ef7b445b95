/** Workers in the test's own process, on a table of jobs of its own. */
import { connect } from '../../server/store/connect.ts';
import type { Job } from '../../workers/jobs.ts';
import { createWorkers } from '../../workers/workers.ts';
import { createTestHouse } from './house.ts';

const quiet = { info() {}, warn() {}, error() {} };

/** Works until `close`, which finishes what is under way. */
export async function startWorkers(
  url: string,
  jobs: Readonly<Record<string, Job>>,
): Promise<{ close(): Promise<void> }> {
  const test = createTestHouse(url, { log: quiet });
  const connections = [connect({ url }, () => undefined), connect({ url }, () => undefined)] as const;
  const workers = await createWorkers({ connections, house: test.house, log: quiet, jobs });
  return {
    async close() {
      await workers.close();
      for (const connection of connections) connection.disconnect();
      await test.close();
    },
  };
}
