/**
 * The meter of the services, as Prometheus has it. No label names a shop, a buyer or an agent: series are few for ever. None is
 * called `job` or `instance`: Prometheus has those itself.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { agentCommands, buyerCommands, errorCode } from '../../../client-sdk/contract/index.ts';
import { type Meter, type Side, turnedAwayBecause } from '../../services/meter.ts';

/** Of what is done within one or two round trips to Redis, in seconds. */
const shortBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Of what may take as long as the work there is, in seconds. */
const longBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMeter(registry: Registry): Meter {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name, help, labelNames, buckets, registers });

  const assignments = counter(
    'fenliu_assignments_total',
    'Runs of the dispatcher that came to an assignment, by the step that won, where it led, and what made it run',
    'step',
    'outcome',
    'cause',
  );
  const assign = histogram(
    'fenliu_assign_duration_seconds',
    'From a click until its new assignment was made and told, as this node sees it',
    shortBuckets,
  );
  const messages = counter('fenliu_messages_total', 'Messages stored, by who wrote them', 'from');
  const replays = counter('fenliu_replayed_messages_total', 'Messages sent to clients that asked for what they missed');
  const commands = counter('fenliu_commands_total', 'Socket commands by how they were answered', 'command', 'code');
  const command = histogram(
    'fenliu_command_duration_seconds',
    'From the arrival of a socket command until its acknowledgement',
    shortBuckets,
    'command',
  );
  const script = histogram(
    'fenliu_script_duration_seconds',
    'Round trips of scripts to Redis, waiting for a reconnect included',
    shortBuckets,
    'script',
  );
  const sockets = gauge('fenliu_sockets', 'Sockets connected to this node', 'namespace');
  const connections = counter('fenliu_connections_total', 'Sockets that were let in', 'namespace');
  const reconnects = counter(
    'fenliu_reconnects_total',
    'Of those let in, the ones whose client says that it has been connected before',
    'namespace',
  );
  const refusals = counter('fenliu_handshakes_refused_total', 'Sockets that were not let in', 'namespace', 'code');
  const turnedAway = counter(
    'fenliu_turned_away_total',
    'Connections not taken, or ended, for what they did',
    'because',
  );
  const redisConnected = gauge('fenliu_redis_connected', '1 while the connection to Redis stands, else 0');
  const redisReconnects = counter('fenliu_redis_reconnects_total', 'Times the connection to Redis was had again');
  const turns = counter('fenliu_job_turns_total', 'Turns of jobs taken by this worker', 'name', 'result');
  const turn = histogram(
    'fenliu_job_duration_seconds',
    'How long turns of jobs took, but for those passed over',
    longBuckets,
    'name',
  );
  const deliveries = counter('fenliu_deliveries_total', 'Attempts to deliver to webhooks', 'result');
  const delivery = histogram('fenliu_delivery_duration_seconds', 'How long attempts at webhooks took', longBuckets);

  // Series that are there from the start: what has never happened reads 0, and its first time is seen as a rise.
  for (const namespace of ['buyer', 'agent'] satisfies Side[]) {
    sockets.set({ namespace }, 0);
    connections.inc({ namespace }, 0);
    reconnects.inc({ namespace }, 0);
    for (const code of errorCode.options) refusals.inc({ namespace, code }, 0);
  }
  for (const because of turnedAwayBecause) turnedAway.inc({ because }, 0);
  for (const command of Object.keys({ ...buyerCommands, ...agentCommands })) {
    for (const code of ['unavailable', 'internal']) commands.inc({ command, code }, 0);
  }
  for (const result of ['delivered', 'failed', 'dead-letter']) deliveries.inc({ result }, 0);
  /** Unknown before it stood for the first time. */
  let redisStands: boolean | undefined;

  return {
    clicked: () => assign.startTimer(),
    assigned: ({ step, outcome }, cause) => assignments.inc({ step, outcome, cause }),
    said: (from) => messages.inc({ from }),
    replayed: (count) => replays.inc(count),
    command(name) {
      const stop = command.startTimer({ command: name });
      return (code) => {
        stop();
        commands.inc({ command: name, code });
      };
    },
    script: (name) => script.startTimer({ script: name }),
    connected(namespace, again) {
      sockets.inc({ namespace });
      connections.inc({ namespace });
      if (again) reconnects.inc({ namespace });
      return () => sockets.dec({ namespace });
    },
    refused: (namespace, code) => refusals.inc({ namespace, code }),
    turnedAway: (because) => turnedAway.inc({ because }),
    redis(stands) {
      redisConnected.set(stands ? 1 : 0);
      if (stands && redisStands === false) redisReconnects.inc();
      if (stands || redisStands !== undefined) redisStands = stands;
    },
    turn(name) {
      const stop = turn.startTimer({ name });
      turns.inc({ name, result: 'failed' }, 0);
      return (result) => {
        turns.inc({ name, result });
        if (result !== 'passed') stop();
      };
    },
    delivery() {
      const stop = delivery.startTimer();
      return (result) => {
        deliveries.inc({ result });
        stop();
      };
    },
  };
}
