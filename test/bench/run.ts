/**
 * `npm run bench`: tables of ours, ceiling and ratio, each ratio measured against its ceiling in the same run.
 * `npm run bench -- --json FILE` writes them too; `-- --only weights` stops after what things weigh. A bench measures and does not judge: the exit code is 0 whatever the
 * ratios are, and says only that it ran to its end.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../../server/config.ts';
import { startEmbeddedRedis } from '../../server/launch/embedded-redis.ts';
import { createHouse } from '../../server/services/create-house.ts';
import { connect } from '../../server/store/connect.ts';
import type { Connection } from '../../server/store/script.ts';
import { measureSweep, renderSweep, type SweepReport } from './contacts.ts';
import { newClaim, newOpen, nextClick, nextMessage, trivialCall } from './operations.ts';
import { type Row, renderTable, type Table, toJson } from './report.ts';
import { compare, pump } from './rounds.ts';
import { removeShop, seedShop } from './shops.ts';
import { renderWeights, type Weight, weigh } from './weights.ts';

const FEW = 10;
const MANY = 10_000;
const CONTACTS = 1_000_000;
const silent = () => {};
const quiet = {
  tell: { agent: silent, supervisors: silent, buyer: silent, forgetBuyer: silent },
  log: { info: silent, warn: silent, error: silent },
};

type Measured = { readonly table: Table; readonly contacts?: SweepReport };

/** As many claims as a row makes. */
const WARMING = 80_000;

/**
 * Has Redis use as much memory as will be needed, and give it back: a virtual machine hands out memory that was never
 * touched so slowly that the first rounds would measure that (seen: half as many claims a second).
 */
async function warm(redis: Connection, shop: string): Promise<void> {
  await pump(newClaim(await seedShop(redis, shop, FEW)), WARMING);
  await removeShop(redis, shop);
}

async function measure(redis: Connection): Promise<Row[]> {
  const names = [`bench-few-${process.pid}`, `bench-many-${process.pid}`] as const;
  try {
    await warm(redis, `bench-warm-${process.pid}`);
    const few = await seedShop(redis, names[0], FEW);
    const many = await seedShop(redis, names[1], MANY);
    const house = createHouse({ redis, ...quiet });
    const trivial = await trivialCall(redis, names[0]);
    const against = 'trivial EVALSHA';
    const rows: Row[] = [];
    const rounds = { pairs: 16, ours: 3_000, ceiling: 9_000 };
    rows.push({
      what: `claim, ${FEW} agents`,
      against,
      target: 0.3,
      ...(await compare(newClaim(few), trivial, rounds)),
    });
    rows.push({
      what: `claim, ${MANY.toLocaleString('en')} agents`,
      against: `claim, ${FEW} agents`,
      target: 0.9,
      ...(await compare(newClaim(many), newClaim(few), { ...rounds, ceiling: rounds.ours })),
    });
    const forInformation = { ...rounds, pairs: 8 };
    rows.push({
      what: 'open, the whole service',
      against,
      ...(await compare(newOpen(house, names[0]), trivial, forInformation)),
    });
    rows.push({
      what: 'open again, the whole service',
      against,
      ...(await compare(await nextClick(house, names[0]), trivial, forInformation)),
    });
    rows.push({
      what: 'message stored',
      against,
      ...(await compare(await nextMessage(house, few), trivial, forInformation)),
    });
    await house.settled();
    return rows;
  } finally {
    for (const name of names) await removeShop(redis, name);
  }
}

/** What a sweep of contacts takes, against a ceiling measured just before it. */
async function measureContacts(redis: Connection): Promise<SweepReport> {
  const name = `bench-contacts-${process.pid}`;
  try {
    const house = createHouse({ redis, ...quiet });
    const shop = await seedShop(redis, name, FEW);
    const report = await measureSweep(house, shop, CONTACTS, await trivialCall(redis, name));
    console.log(renderSweep(report));
    return report;
  } finally {
    await removeShop(redis, name);
  }
}

async function measureAt(url: string, title: string, contacts: boolean): Promise<Measured> {
  const redis = connect({ url }, (error) => console.error(`Redis: ${error.message}`));
  try {
    const info = await redis.info('server');
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'of an unknown version';
    const table = { title: `Redis ${version}, ${title}`, rows: await measure(redis) };
    console.log(renderTable(table));
    return { table, ...(contacts ? { contacts: await measureContacts(redis) } : {}) };
  } finally {
    redis.disconnect();
  }
}

/** An embedded Redis for `work` alone. */
async function embedded<T>(persist: 'none' | 'everysec', work: (url: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fenliu-bench-'));
  const cacheDir = join(import.meta.dirname, '../../.data/redis');
  try {
    const server = await startEmbeddedRedis({ dataDir, cacheDir, persist, log: silent });
    try {
      return await work(server.url);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

const measureEmbedded = (persist: 'none' | 'everysec') =>
  embedded(persist, (url) => {
    const title = persist === 'none' ? 'nothing kept' : `append-only file, ${persist}`;
    return measureAt(url, title, persist === 'none');
  });

const measureWeights = () =>
  embedded('everysec', async (url) => {
    const redis = connect({ url }, (error) => console.error(`Redis: ${error.message}`));
    try {
      const weights = await weigh(createHouse({ redis, ...quiet }));
      console.log(renderWeights(weights));
      return weights;
    } finally {
      redis.disconnect();
    }
  });

const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });
const { redisUrl } = readConfig();
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() };
console.log(`Node ${machine.node} on ${machine.cores} cores (${machine.cpu}); 64 calls in flight, one shop.`);
// In a Redis of their own, whatever REDIS_URL says: they are of whoever is alone in it.
const weights: Weight[] = await measureWeights();
const measured =
  values.only === 'weights'
    ? []
    : redisUrl
      ? [await measureAt(redisUrl, 'at REDIS_URL', true)]
      : [await measureEmbedded('none'), await measureEmbedded('everysec')];
if (values.json) {
  const tables = measured.map(({ table }) => table);
  const contacts = measured.find((one) => one.contacts)?.contacts;
  await writeFile(values.json, toJson(tables, machine, contacts, weights));
}
