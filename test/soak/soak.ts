/**
 * A town under mixed load for as long as one likes, on two nodes and a worker of its own: does anything grow that should
 * not, does any counter drift from what it counts?
 */
import { connect } from '../../server/store/connect.ts';
import type { Connection } from '../../server/store/script.ts';
import { problemsIn } from '../support/consistent.ts';
import { seeded } from '../support/draw.ts';
import { startLastingRedis } from '../support/lasting-redis.ts';
import { toldByStream } from '../support/stream.ts';
import { comesToRest } from '../town/at-rest.ts';
import { install } from '../town/installation.ts';
import { pause } from '../town/ledger.ts';
import { foundTown, type Town } from '../town/town.ts';
import { beginErrands } from './errands.ts';
import { compareWindows, row, type Sample, takeSample, verdicts } from './samples.ts';

const SEED = 9;
const MINUTE = 60_000;
/** About so often everybody pauses and all counters are looked at, in minutes. */
const LOOK_EVERY = 2;
/** Between two looks, or in all of a run that is shorter. */
const SAMPLES = 12;
/** How long what is under way may take to come to an end, in ms. */
const PATIENCE_MS = 60_000;

/** What does not hold while nobody acts; what the workers are just about to change may not for a moment. */
async function drift(town: Town, redis: Connection): Promise<string[]> {
  const late = Date.now() + PATIENCE_MS;
  for (;;) {
    const problems: string[] = [];
    for (const { id } of town.shops)
      problems.push(...(await problemsIn(redis, id)), ...(await toldByStream(redis, id)).problems);
    if (problems.length === 0 || Date.now() > late) return problems;
    await pause(500);
  }
}

/** Runs for that long; `say` is told the table line by line. Answers what is wrong in the end; empty when nothing is. */
export async function soak(minutes: number, say: (line: string) => void): Promise<string[]> {
  const undone: (() => unknown)[] = [];
  try {
    const store = await startLastingRedis('everysec');
    undone.push(store.remove);
    const redis = connect({ url: store.url }, () => undefined);
    undone.push(() => redis.disconnect());
    const installation = await install(store.url, 2, 1);
    undone.push(installation.stop);
    const town = await foundTown({ url: installation.url, seed: SEED, buyers: 15, agents: 6 });
    undone.push(town.leave);

    const names = installation.parts.map(({ name }) => name);
    const draw = seeded(SEED);
    const samples: Sample[] = [];
    const problems: string[] = [];
    const began = Date.now();
    say(row(undefined, names));
    const looks = Math.max(1, Math.round(minutes / LOOK_EVERY));
    for (let look = 0; look < looks; look++) {
      town.live();
      const errands = beginErrands(town, `visitor-${look}`, draw);
      for (let taken = 1; taken <= SAMPLES; taken++) {
        await pause((minutes * MINUTE) / looks / SAMPLES);
        const sample = await takeSample(installation, town, redis, began);
        samples.push(sample);
        if (taken % 3 === 0) say(row(sample, names));
      }
      await errands.end();
      await town.pause();
      problems.push(...(await drift(town, redis)));
    }
    await town.settle();
    problems.push(...(await comesToRest(town, redis, PATIENCE_MS)));
    const compared = compareWindows(samples);
    for (const line of verdicts(compared)) say(line);
    problems.push(...compared.filter(({ grows }) => grows).map(({ what }) => `${what} grows`));
    const { said, told, opened, refused, retries } = town.ledger;
    say(
      `soak of ${minutes} minutes: ${said.length} messages and ${opened.length} clicks acknowledged, ${told} messages told; ` +
        `${retries} commands sent again, ${refused.length} refused; ${problems.length} problems`,
    );
    return problems;
  } finally {
    for (const undo of undone.reverse()) await undo();
  }
}
