/** Server nodes that die, or seem to: whose sockets end, and that nobody else notices. Real processes, killed for real. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentClient } from '../../client-sdk/index.ts';
import { choosePresence, connectAgent } from '../../server/services/attendance.ts';
import { sweepGhosts } from '../../server/services/ghosts.ts';
import { createHeartbeat } from '../../server/services/heartbeat.ts';
import type { House } from '../../server/services/house.ts';
import { tokenForAgent } from '../../server/services/sessions.ts';
import { registerShop } from '../../server/store/configure.ts';
import { keysOfShop, nodesKey } from '../../server/store/keys.ts';
import { beat, forget, silentSince, WEBHOOK_NODE } from '../../server/store/nodes.ts';
import { jobs } from '../../workers/jobs.ts';
import { testLog } from '../support/house.ts';
import { startWorkers } from '../support/jobs.ts';
import { mutedLog, type NodeProcess, SECRET, useNodeHouse } from '../support/node-house.ts';
import { newShopId, openShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const BEAT_MS = 500;
const DEAD_AFTER_MS = 5_000;

const at = useNodeHouse(BEAT_MS, mutedLog);
const { undo } = at;
let house: House;
beforeAll(() => {
  house = at.house;
});
beforeEach(() => house.redis.flushdb());

/** A shop that the workers know, with agents of these names, all offline. */
async function openListedShop(agents: readonly string[], presenceGraceMs: number): Promise<string> {
  const shop = newShopId('ghosts');
  const spec = { settings: { presenceGraceMs }, agents: Object.fromEntries(agents.map((id) => [id, {}])) };
  await openShop(house, shop, spec, Date.now());
  await registerShop(house.redis, shop);
  return shop;
}

/** Clients of agents, each on one socket to `node`. */
async function connect(node: NodeProcess, shop: string, agents: readonly string[]): Promise<AgentClient[]> {
  return Promise.all(
    agents.map(async (id) => {
      const { token } = await tokenForAgent(
        house,
        { secret: SECRET, adminKey: SECRET },
        { shop, agent: id },
        Date.now(),
      );
      const client = new AgentClient({ url: node.said.url, token });
      undo.push(() => client.disconnect());
      await client.connect();
      return client;
    }),
  );
}

const online = (clients: readonly AgentClient[]) => Promise.all(clients.map((client) => client.setPresence('online')));

/** Sockets recorded, by agent. */
const socketsIn = async (shop: string) =>
  Object.keys(await house.redis.hgetall(keysOfShop(shop).sockets)).map((field) => field.split(':')[0]);
const nodesListed = () => house.redis.zrange(nodesKey, 0, '-1');
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** Every change of presence there was, by agent: `<presence> <cause>`. */
async function changesIn(shop: string): Promise<Record<string, string[]>> {
  const changes: Record<string, string[]> = {};
  for (const [, fields] of await house.redis.xrange(keysOfShop(shop).events, '-', '+')) {
    const event = Object.fromEntries(fields.flatMap((field, i) => (i % 2 ? [] : [[field, fields[i + 1]]])));
    if (event.type !== 'presence') continue;
    changes[event.agent ?? ''] = [...(changes[event.agent ?? ''] ?? []), `${event.presence} ${event.cause}`];
  }
  return changes;
}

describe('a node that dies', () => {
  it('exactly those of its agents who do not come back go offline, and nobody else has a change', async () => {
    const [back, lost, others] = [names('back', 100), names('lost', 100), names('other', 20)];
    const shop = await openListedShop([...back, ...lost, ...others], 1_000);
    const [dying, other] = await Promise.all([at.startNode(), at.startNode()]);
    const clients = await connect(dying, shop, [...back, ...lost]);
    await online([...clients, ...(await connect(other, shop, others))]);
    // A busy machine may have made one of them late, and go on under a new id beside the old one.
    expect((await nodesListed()).length).toBeGreaterThanOrEqual(2);

    await dying.end('SIGKILL');
    for (const client of clients) client.disconnect();
    await connect(other, shop, back);
    const ghosts = { everyMs: 500, run: (h: House, now: number) => sweepGhosts(h, now, DEAD_AFTER_MS) };
    const workers = await startWorkers(at.redisUrl, { ...jobs, ghosts });
    undo.push(() => workers.close());
    await until(async () => Object.values(await changesIn(shop)).flat().length >= 220 + 100);
    await until(async () => (await nodesListed()).length === 1);

    const expected = [
      ...[...back, ...others].map((agent) => [agent, ['online chose']]),
      ...lost.map((agent) => [agent, ['online chose', 'offline lost-connection']]),
    ];
    expect(await changesIn(shop)).toEqual(Object.fromEntries(expected));
    expect((await socketsIn(shop)).sort()).toEqual([...back, ...others].sort());
  });

  it('one that was only silent records its sockets again, and its agents need do nothing', async () => {
    const agents = names('agent', 20);
    const shop = await openListedShop(agents, 0);
    const node = await at.startNode();
    const clients = await connect(node, shop, agents);
    await online(clients);
    let broken = 0;
    for (const client of clients) client.on('status', () => broken++);

    node.child.kill('SIGSTOP');
    await until(async () => {
      await sweepGhosts(house, Date.now(), DEAD_AFTER_MS);
      return (await nodesListed()).length === 0;
    });
    expect(await socketsIn(shop)).toEqual([]);
    node.child.kill('SIGCONT');
    await until(async () => (await socketsIn(shop)).length === 20);
    expect(Object.values(await changesIn(shop))).toEqual(
      agents.map(() => ['online chose', 'offline lost-connection', 'online connected']),
    );
    expect(broken).toBe(0);

    // What is recorded again ends as it should: one that leaves in order takes everything along.
    expect(await node.end('SIGTERM')).toBe(0);
    expect([await socketsIn(shop), await nodesListed()]).toEqual([[], []]);
  });

  it('a socket that ends while its node is silent is not recorded again', async () => {
    const shop = await openListedShop(['stays', 'goes'], 0);
    const node = await at.startNode();
    const [, goes] = await connect(node, shop, ['stays', 'goes']);
    node.child.kill('SIGSTOP');
    goes?.disconnect();
    await until(async () => {
      await sweepGhosts(house, Date.now(), DEAD_AFTER_MS);
      return (await nodesListed()).length === 0;
    });
    node.child.kill('SIGCONT');
    await until(async () => (await socketsIn(shop)).includes('stays'));
    await until(async () => !(await socketsIn(shop)).includes('goes'));
    // One heartbeat records again; after the third nothing more can come.
    const last = async () => Number(await house.redis.zscore(nodesKey, (await nodesListed()).at(-1) ?? ''));
    for (let i = 0; i < 3; i++) {
      const before = await last();
      await until(async () => (await last()) > before);
    }
    expect(await socketsIn(shop)).toEqual(['stays']);
  });
});

describe('the sweep of ghosts', () => {
  const NOW = 1_750_000_000_000;

  it('that fails half way leaves the node listed, and the next one ends what is left', async () => {
    const [one, two] = [await openListedShop(['anna'], 0), await openListedShop(['anna'], 0)];
    await beat(house.redis, 'dead', NOW);
    for (const shop of [one, two]) {
      await connectAgent(house, shop, 'anna', 'socket', 'dead', NOW);
    }
    const { sockets } = keysOfShop(two);
    await house.redis.rename(sockets, `${sockets}-kept`);
    await house.redis.set(sockets, 'no hash: reading it fails');
    await expect(sweepGhosts(house, NOW + 15_000)).rejects.toThrow('1 shops');
    expect([await socketsIn(one), await nodesListed()]).toEqual([[], ['dead']]);
    await house.redis.rename(`${sockets}-kept`, sockets);
    expect(await socketsIn(two)).toEqual(['anna']);
    await sweepGhosts(house, NOW + 16_000);
    expect([await socketsIn(two), await nodesListed()]).toEqual([[], []]);
  });

  it('looks at nothing while every node is alive, and never at what is reached by webhook', async () => {
    const shop = await openListedShop(['anna', 'robo'], 0);
    await beat(house.redis, 'alive', NOW);
    await connectAgent(house, shop, 'anna', 'socket', 'alive', NOW);
    await connectAgent(house, shop, 'robo', 'socket', WEBHOOK_NODE, NOW);
    await sweepGhosts(house, NOW + 14_999);
    expect((await socketsIn(shop)).sort()).toEqual(['anna', 'robo']);
    await beat(house.redis, WEBHOOK_NODE, NOW - 1);
    await sweepGhosts(house, NOW + 15_000);
    expect([await socketsIn(shop), await nodesListed()]).toEqual([['robo'], [WEBHOOK_NODE]]);
  });

  it('that pauses before it ends a socket leaves alone what its node has recorded again meanwhile', async () => {
    const shop = await openListedShop(['anna', 'ben'], 0);
    await choosePresence(house, shop, 'anna', 'online', 'chose', NOW);
    let now = NOW;
    const drawn: string[] = [];
    const newNode = () => {
      drawn.push(`node-${drawn.length}`);
      return drawn.at(-1) ?? '';
    };
    const heartbeat = createHeartbeat({
      redis: house.redis,
      log: testLog,
      life: house.life,
      clock: () => now,
      newNode,
      beatMs: 10,
    });
    undo.push(() => heartbeat.stop(true));
    let again = 0;
    const record = async () => connectAgent(house, shop, 'anna', 'socket', await heartbeat.listed(), now);
    await heartbeat.start(async () => {
      await record();
      again++;
    });
    await record();
    await connectAgent(house, shop, 'ben', 'socket', 'node-0', now);
    // Paused when every look has been taken, and the disconnects are next.
    const comesBack = async () => {
      now = NOW + 16_000;
      await until(() => again === 1);
    };
    const use: House['configs']['use'] = async (id, command) => {
      await comesBack();
      return house.configs.use(id, command);
    };
    await sweepGhosts({ ...house, configs: { ...house.configs, use } }, NOW + 15_500);
    expect(await house.redis.hgetall(keysOfShop(shop).sockets)).toEqual({ 'anna:socket': 'node-1' });
    expect(await changesIn(shop)).toEqual({ anna: ['online connected'] });

    // The id it had is forgotten, the one it has is not.
    now += 1;
    await until(async () => (await house.redis.zscore(nodesKey, 'node-1')) === String(now));
    await sweepGhosts(house, NOW + 31_000, 15_000);
    expect(await nodesListed()).toEqual(['node-1']);
    expect(await socketsIn(shop)).toEqual(['anna']);
  });

  it('forgets nobody who has been heard of since', async () => {
    expect(await beat(house.redis, 'one', NOW)).toBeUndefined();
    await beat(house.redis, 'two', NOW + 1);
    const silent = await silentSince(house.redis, NOW + 1);
    expect([...silent.keys()].sort()).toEqual(['one', 'two']);
    expect(await beat(house.redis, 'two', NOW + 20_000)).toBe(NOW + 1);
    await forget(house.redis, silent);
    expect(await nodesListed()).toEqual(['two']);
  });
});
