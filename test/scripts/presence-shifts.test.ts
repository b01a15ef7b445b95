/** The log of presence, as an audit of shifts reads it. */
import { describe, expect, it } from 'vitest';
import type { Presence } from '../../client-sdk/contract/index.ts';
import { changePresence, type PresenceCommand } from '../../server/store/presence.ts';
import { readShifts } from '../../server/store/shifts.ts';
import { socketOf } from '../support/shop.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const HOUR = 3_600_000;
const stageOf = useStages();

const run = async (stage: Stage, command: PresenceCommand, now = NOON) =>
  changePresence(await stage.scope(), command, now);
const choose = (stage: Stage, presence: Presence, now = NOON) =>
  run(stage, { change: 'choose', agent: 'A', presence, cause: 'chose' }, now);

/** Entries of an agent's log, from the first: `<presence>:<cause>:<by>`. */
const log = async (stage: Stage, agent = 'A') =>
  (await stage.members('shifts'))
    .filter((entry) => entry.startsWith(`${agent}:`))
    .map((entry) => entry.split(':').slice(3).join(':'));

describe('the log of presence', () => {
  it('names the supervisor who decided, and nobody else', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    const by = (supervisor: string | undefined, presence: Presence): PresenceCommand => ({
      change: 'choose',
      agent: 'A',
      presence,
      cause: 'supervisor',
      by: supervisor === undefined ? undefined : { kind: 'supervisor', id: supervisor },
    });
    await run(stage, by('S', 'hung-up'));
    await run(stage, by(undefined, 'online'));
    await choose(stage, 'hung-up');
    expect(await log(stage)).toEqual([
      'online:connected:',
      'hung-up:supervisor:S',
      'online:supervisor:supervisor',
      'hung-up:chose:',
    ]);
  });

  it('has a grace end when it ended, whoever comes by later', async () => {
    const stage = await stageOf({ agents: { A: {}, B: {} } });
    await stage.be('online', 'A', 'B');
    await run(stage, { change: 'disconnect', agent: 'B', socket: socketOf('B'), graceMs: 200 });
    await run(stage, { change: 'disconnect', agent: 'A', socket: socketOf('A'), graceMs: 100 });
    await run(stage, { change: 'connect', agent: 'A', socket: 'other', node: 'node' }, NOON + HOUR);
    const at = (entry: string) => entry.split(':').slice(0, 2).join(':');
    expect((await stage.members('shifts')).map(at)).toEqual([
      `A:${NOON}`,
      `A:${NOON + 100}`,
      `A:${NOON + HOUR}`,
      `B:${NOON}`,
      `B:${NOON + 200}`,
    ]);
  });

  it('ends with how the agent is, though a slow node comes with an earlier time', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await choose(stage, 'hung-up', NOON - 1_000);
    const shifts = await readShifts(await stage.scope(), 'A', { limit: 10 });
    expect(shifts.map(({ shift }) => shift)).toEqual([
      { at: NOON, presence: 'hung-up', cause: 'chose' },
      { at: NOON, presence: 'online', cause: 'connected' },
    ]);
  });

  it('keeps 400 days of each agent, and never drops another’s', async () => {
    const stage = await stageOf({ agents: { A: {}, 'A-2': {}, B: {} } });
    await stage.be('online', 'A', 'A-2', 'B');
    const days = 24 * HOUR;
    await choose(stage, 'hung-up', NOON + 400 * days);
    expect(await log(stage)).toEqual(['online:connected:', 'hung-up:chose:']);
    await choose(stage, 'online', NOON + 400 * days + 1);
    expect(await log(stage)).toEqual(['hung-up:chose:', 'online:chose:']);
    for (const other of ['A-2', 'B']) expect(await log(stage, other)).toEqual(['online:connected:']);
  });

  it('is read latest first, a page at a time, of one agent and one time', async () => {
    const stage = await stageOf({ agents: { A: {}, 'A-2': {} } });
    await stage.be('online', 'A-2', 'A');
    for (const [i, presence] of (['hung-up', 'online', 'hung-up', 'online'] as const).entries()) {
      await choose(stage, presence, NOON + 10 * (i < 2 ? 1 : 2)); // two at one moment
    }
    await run(
      stage,
      { change: 'choose', agent: 'A', presence: 'offline', cause: 'supervisor', by: { kind: 'supervisor', id: 'S' } },
      NOON + 30,
    );
    const scope = await stage.scope();
    const all = await readShifts(scope, 'A', { limit: 10 });
    expect(all.map(({ shift }) => shift)).toEqual([
      { at: NOON + 30, presence: 'offline', cause: 'supervisor', by: 'S' },
      { at: NOON + 20, presence: 'online', cause: 'chose' },
      { at: NOON + 20, presence: 'hung-up', cause: 'chose' },
      { at: NOON + 10, presence: 'online', cause: 'chose' },
      { at: NOON + 10, presence: 'hung-up', cause: 'chose' },
      { at: NOON, presence: 'online', cause: 'connected' },
    ]);
    const pages = [];
    let before: string | undefined;
    for (;;) {
      const page = await readShifts(scope, 'A', { limit: 2, before });
      if (page.length === 0) break;
      pages.push(...page);
      before = page.at(-1)?.place;
    }
    expect(pages).toEqual(all);
    expect(await readShifts(scope, 'A', { from: NOON + 10, until: NOON + 20, limit: 10 })).toEqual(all.slice(3, 5));
    const page = { from: NOON + 10, until: NOON + 20, before: all[3]?.place, limit: 10 };
    expect(await readShifts(scope, 'A', page)).toEqual(all.slice(4, 5));
    expect(await readShifts(scope, 'A', { until: NOON + 30, before: all[0]?.place, limit: 1 })).toEqual([all[1]]);
    expect(await readShifts(scope, 'nobody', { limit: 10 })).toEqual([]);
  });
});
