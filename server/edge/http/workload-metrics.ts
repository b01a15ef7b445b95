/** How much a node has under way, and what it did not take on, for Prometheus. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { refusedBecause, type Workload } from '../workload.ts';

export function countWorkload(registry: Registry, workload: Workload): void {
  const registers = [registry];
  const underWay: Gauge = new Gauge({
    name: 'fenliu_commands_under_way',
    help: 'Commands, calls and handshakes that Redis has not answered yet',
    registers,
    collect: () => underWay.set(workload.underWay()),
  });
  const refused: Counter<'because'> = new Counter({
    name: 'fenliu_commands_refused_total',
    help: 'Commands, calls and handshakes answered "unavailable" without being begun',
    labelNames: ['because'],
    registers,
    collect() {
      refused.reset();
      for (const because of refusedBecause) refused.inc({ because }, workload.refused(because));
    },
  });
}
