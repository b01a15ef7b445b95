/**
 * A Redis Cluster of a test's own: three nodes, if wanted with a replica each, every one a process that ends with the test
 * however that ends. Slots can be moved, replicas take over, and nodes be killed and started again with what they had written
 * down.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedis } from '../../server/launch/find-redis.ts';
import { type RedisProcess, spawnRedis } from '../../server/launch/redis-process.ts';
import { lastingPort } from './lasting-port.ts';
import { REDIS_CACHE } from './redis.setup.ts';
import { until } from './until.ts';
import { written } from './written.ts';

const PASSWORD = 'password-of-the-test-cluster';
const SLOTS = 16_384;
const MASTERS = 3;
/** Keys of a slot that are moved at once; few, so that a slot is half moved for a while. */
const BATCH = 10;

export type TestCluster = {
  /** For `connect` and the like. */
  readonly target: { readonly cluster: readonly string[] };
  /** The nodes, as `host:port`; those that begin as masters come first. */
  readonly nodes: readonly string[];
  /** The replica of a master, the master of a replica. */
  partnerOf(node: string): string;
  /** Has a replica take over from its master, as an operator would who wants to stop that; resolves when everybody knows. */
  takeOver(replica: string): Promise<void>;
  /** A master that is alive acknowledges what its replica never gets, from now until it is dead. */
  cutOff(replica: string): Promise<void>;
  /** Ends what `cutOff` began. */
  rejoin(replica: string): void;
  /** The node that has the slot of a key. */
  ownerOf(key: string): Promise<string>;
  /**
   * Moves the slot of a key, with all that is in it, as an operator would. `halfWay` is awaited when half of the keys have
   * gone, or before the slot changes hands where there are fewer than two. Answers how many keys were moved.
   */
  moveSlot(key: string, to: string, halfWay?: () => Promise<unknown>): Promise<number>;
  /** SIGKILL, at a moment when all that it acknowledged is written. */
  kill(node: string): Promise<void>;
  /** Starts a killed node again; resolves when the cluster is whole. */
  restart(node: string): Promise<void>;
  /** Asks one node directly. */
  on(node: string): Redis;
  stop(): Promise<void>;
};

type Node = {
  readonly name: string;
  readonly port: number;
  readonly configuration: readonly string[];
  readonly redis: Redis;
  child: RedisProcess;
};

async function startNode(command: string, dir: string): Promise<Node> {
  await mkdir(dir);
  const [port, bus] = [await lastingPort(), await lastingPort()];
  const configuration = [
    'bind 127.0.0.1',
    `port ${port}`,
    `cluster-port ${bus}`,
    `dir ${JSON.stringify(dir)}`,
    `requirepass ${PASSWORD}`,
    `masterauth ${PASSWORD}`,
    'cluster-enabled yes',
    'cluster-config-file nodes.conf',
    // Nodes of a busy machine are slow, and not gone.
    'cluster-node-timeout 5000',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
  ];
  const child = spawnRedis(command, configuration);
  const redis = new Redis({ host: '127.0.0.1', port, password: PASSWORD, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  await unlessItEnds(child, redis.ping());
  return { name: `127.0.0.1:${port}`, port, configuration, redis, child };
}

/** Waits for something that takes a node that lives. */
async function unlessItEnds(child: RedisProcess, something: Promise<unknown>): Promise<void> {
  const ended = once(child.process, 'exit').then(() => {
    throw new Error(`a node has ended:\n${child.tail()}`);
  });
  await Promise.race([something, ended]);
}

const idOf = async ({ redis }: Node) => String(await redis.call('CLUSTER', 'MYID'));
const isAlive = ({ child }: Node) => child.process.exitCode === null && child.process.signalCode === null;

async function isWhole(nodes: readonly Node[]): Promise<boolean> {
  const infos = await Promise.all(nodes.map(({ redis }) => redis.cluster('INFO')));
  return infos.every((info) =>
    ['cluster_state:ok', `cluster_slots_ok:${SLOTS}`, `cluster_known_nodes:${nodes.length}`].every((line) =>
      String(info).includes(`${line}\r`),
    ),
  );
}

/** Whether a replica has all that its master has, or a master's replicas have all that it has. */
const isInSync = async ({ redis }: Node) => String(await redis.info('replication')).includes('master_link_status:up');

/** Shares the slots out, introduces the nodes to each other, and gives each master its replica, where there are any. */
async function introduce(nodes: readonly Node[]): Promise<void> {
  const [first, ...others] = nodes as [Node, ...Node[]];
  for (const [i, { redis }] of nodes.slice(0, MASTERS).entries()) {
    await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
    const [from, to] = [i, i + 1].map((part) => Math.floor((SLOTS * part) / MASTERS)) as [number, number];
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1));
  }
  const busOf = (node: Node) =>
    node.configuration.find((line) => line.startsWith('cluster-port '))?.split(' ')[1] ?? '';
  for (const other of others) {
    await first.redis.call('CLUSTER', 'MEET', '127.0.0.1', String(other.port), busOf(other));
  }
  await until(() => isWhole(nodes));
  for (const [i, replica] of nodes.slice(MASTERS).entries()) {
    await replica.redis.call('CLUSTER', 'REPLICATE', await idOf(nodes[i] as Node));
    await until(() => isInSync(replica));
  }
}

export async function startCluster({ replicas = false } = {}): Promise<TestCluster> {
  const { command } = await findRedis({ cacheDir: REDIS_CACHE, log: () => undefined });
  const dir = await mkdtemp(join(tmpdir(), 'fenliu-cluster-'));
  const nodes: Node[] = [];

  async function end(node: Node): Promise<void> {
    if (!isAlive(node)) return;
    const { process } = node.child;
    const gone = once(process, 'exit');
    process.kill('SIGKILL');
    await gone;
  }
  async function stop(): Promise<void> {
    for (const { redis } of nodes) redis.disconnect();
    await Promise.all(nodes.map(end));
    await rm(dir, { recursive: true, force: true });
  }
  try {
    const count = replicas ? 2 * MASTERS : MASTERS;
    for (let i = 0; i < count; i++) nodes.push(await startNode(command, join(dir, `node-${i}`)));
    await introduce(nodes);
  } catch (error) {
    await stop();
    throw error;
  }

  const named = (name: string): Node => {
    const node = nodes.find((one) => one.name === name);
    if (!node) throw new Error(`there is no node ${name}`);
    return node;
  };
  const partnerOf = (node: Node) => nodes[(nodes.indexOf(node) + MASTERS) % (2 * MASTERS)] as Node;
  const slotOf = async (key: string) => Number(await nodes.find(isAlive)?.redis.cluster('KEYSLOT', key));
  async function ownerOf(slot: number): Promise<Node> {
    for (const node of nodes.filter(isAlive)) {
      // Each knows best what it has itself.
      const mine = /myself.*/.exec(String(await node.redis.cluster('NODES')))?.[0] ?? '';
      const ranges = [...mine.matchAll(/ (\d+)(?:-(\d+))?(?= |$)/g)]
        .slice(3)
        .map(([, a, b]) => [Number(a), Number(b ?? a)]);
      if (ranges.some(([from = 0, to = 0]) => from <= slot && slot <= to)) return node;
    }
    throw new Error(`nobody has slot ${slot}`);
  }

  return {
    target: { cluster: nodes.map(({ name }) => `redis://:${PASSWORD}@${name}`) },
    nodes: nodes.map(({ name }) => name),
    partnerOf: (name) => partnerOf(named(name)).name,
    async takeOver(name) {
      const replica = named(name);
      await until(() => isInSync(replica));
      const id = await idOf(replica);
      const isMaster = async ({ redis }: Node) =>
        String(await redis.cluster('NODES'))
          .split('\n')
          .some((line) => line.startsWith(id) && line.includes('master'));
      let asked = 0;
      await until(async () => {
        // It gives up after 5 s where others were too busy to vote.
        if (!(await isMaster(replica)) && Date.now() - asked > 6_000) {
          asked = Date.now();
          await replica.redis.cluster('FAILOVER');
        }
        return (await Promise.all(nodes.filter(isAlive).map(isMaster))).every(Boolean);
      });
    },
    async cutOff(name) {
      const replica = named(name);
      // Stopped, it cannot connect again; what is still on its way to it comes through.
      replica.child.process.kill('SIGSTOP');
      await partnerOf(replica).redis.call('CLIENT', 'KILL', 'TYPE', 'replica');
    },
    rejoin(name) {
      named(name).child.process.kill('SIGCONT');
    },
    on: (name) => named(name).redis,
    ownerOf: async (key) => (await ownerOf(await slotOf(key))).name,
    async moveSlot(key, to, halfWay) {
      const slot = await slotOf(key);
      const [source, destination] = [await ownerOf(slot), named(to)];
      if (source === destination) return 0;
      const ids = { source: await idOf(source), destination: await idOf(destination) };
      await destination.redis.cluster('SETSLOT', slot, 'IMPORTING', ids.source);
      await source.redis.cluster('SETSLOT', slot, 'MIGRATING', ids.destination);
      const half = Math.floor(Number(await source.redis.cluster('COUNTKEYSINSLOT', slot)) / 2);
      let moved = 0;
      let stopped = halfWay === undefined;
      for (;;) {
        if (!stopped && moved >= half) {
          stopped = true;
          await halfWay?.();
        }
        const keys = (await source.redis.cluster('GETKEYSINSLOT', slot, BATCH)) as string[];
        if (keys.length === 0) break;
        const where = ['127.0.0.1', String(destination.port), '', '0', '5000', 'AUTH', PASSWORD, 'KEYS'];
        await source.redis.call('MIGRATE', ...where, ...keys);
        moved += keys.length;
      }
      const others = nodes.filter((node) => node !== source && node !== destination);
      for (const { redis } of [destination, source, ...others]) {
        await redis.cluster('SETSLOT', slot, 'NODE', ids.destination);
      }
      return moved;
    },
    async kill(name) {
      await written(named(name).redis);
      await end(named(name));
    },
    async restart(name) {
      const node = named(name);
      node.child = spawnRedis(command, node.configuration);
      await unlessItEnds(
        node.child,
        until(() => isWhole(nodes)),
      );
    },
    stop,
  };
}
