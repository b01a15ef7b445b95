import { describe, expect, it } from 'vitest';
import type { By } from '../../client-sdk/contract/index.ts';
import { type Account, auditBackwards, auditEntryOf, recordAudit } from '../../server/store/audit.ts';
import { close, takeFromPool, transfer } from '../../server/store/moves.ts';
import { changePresence } from '../../server/store/presence.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();
const boss: By = { kind: 'supervisor', id: 'S' };
const DAY = 24 * 3_600_000;

const record = (stage: Stage, request: string, now = NOON, more: Partial<Account> = {}) =>
  recordAudit(
    stage.redis,
    stage.shop,
    { by: boss, action: 'token:issued', target: 'A', changes: '', request, ...more },
    now,
  );
const times = async (stage: Stage) =>
  (await auditBackwards(stage.redis, stage.shop, { from: 0 }, 1_000)).map((row) => auditEntryOf(row).at - NOON);

describe('an entry of the audit log', () => {
  it('says when, who, what and of whom', async () => {
    const stage = await stageOf({ agents: {} });
    const changes = JSON.stringify([{ path: 'a', before: 1 }, 7]);
    expect(await stage.effect(() => record(stage, 'r', NOON, { changes }))).toEqual({
      audit: [
        {
          by: 'supervisor:S',
          action: 'token:issued',
          target: 'A',
          changes: [{ path: 'a', before: 1 }, 7],
          request: 'r',
        },
      ],
    });
    const [row] = await auditBackwards(stage.redis, stage.shop, { from: 0 }, 1);
    expect(row && auditEntryOf(row)).toEqual({
      id: `${NOON}-0`,
      at: NOON,
      by: boss,
      action: 'token:issued',
      target: 'A',
      changes: [{ path: 'a', before: 1 }],
      omitted: 7,
    });
  });

  it('is written once, however often it is sent', async () => {
    const stage = await stageOf({ agents: {} });
    await record(stage, 'r');
    await record(stage, 'another');
    await stage.unchanged(() => record(stage, 'r', NOON + 1));
  });

  it('is never before the one before it, whatever a clock says', async () => {
    const stage = await stageOf({ agents: {} });
    await record(stage, 'a', NOON + 5);
    await record(stage, 'b', NOON);
    await record(stage, 'c', NOON + 6);
    expect(await times(stage)).toEqual([6, 5, 5]);
  });

  it('goes after 400 days', async () => {
    const stage = await stageOf({ agents: {} });
    // Redis removes whole blocks.
    for (let n = 0; n < 150; n++) await record(stage, `old-${n}`, NOON);
    await record(stage, 'young', NOON + 400 * DAY);
    expect(await times(stage)).toHaveLength(151);
    await record(stage, 'late', NOON + 400 * DAY + 1);
    expect((await times(stage)).length).toBeLessThan(151);
    expect((await times(stage)).slice(0, 2)).toEqual([400 * DAY + 1, 400 * DAY]);
  });
});

/** x talks with A. */
async function talking(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {}, B: {}, S: { role: 'supervisor' }, R: { kind: 'robot' } } });
  await stage.be('online', 'A');
  await stage.open('x');
  await stage.be('online', 'B', 'S', 'R');
  return stage;
}
const place = { conversation: 'c-x', buyer: 'x' };
const audited = async (stage: Stage, command: () => Promise<unknown>) => (await stage.effect(command)).audit;

describe('what supervisors do to a talk that is not theirs', () => {
  const give = async (stage: Stage, to: string, steering: By | undefined, by = '', request = `to-${to}`) => {
    const windows = (await stage.config()).settings.contactWindows;
    return transfer(await stage.scope(), {
      now: NOON,
      place,
      by,
      steering,
      to: { kind: 'agent', id: to },
      windows,
      request,
    });
  };

  it('transferring it', async () => {
    const stage = await talking();
    expect(await audited(stage, () => give(stage, 'B', boss))).toEqual([
      {
        by: 'supervisor:S',
        action: 'conversation:transferred',
        target: 'c-x',
        changes: [{ path: 'agent', before: 'A', after: 'B' }],
      },
    ]);
    expect(await audited(stage, () => give(stage, 'B', boss))).toBeUndefined();
    expect(await audited(stage, () => give(stage, 'A', undefined, 'B'))).toBeUndefined();
  });

  it('closing it', async () => {
    const stage = await talking();
    const end = async (by?: By) => close(await stage.scope(), place, { kind: 'supervisor', id: 'S' }, NOON, by);
    expect(await audited(stage, () => end(boss))).toEqual([
      { by: 'supervisor:S', action: 'conversation:closed', target: 'c-x', changes: [{ path: 'agent', before: 'A' }] },
    ]);
    expect(await audited(stage, () => end(boss))).toBeUndefined();
  });

  it('but not what they hold themselves', async () => {
    const stage = await talking();
    await give(stage, 'S', undefined);
    const end = async () => close(await stage.scope(), place, { kind: 'supervisor', id: 'S' }, NOON, boss);
    expect(await audited(stage, () => give(stage, 'A', boss))).toBeUndefined();
    await give(stage, 'S', undefined, '', 'once more');
    expect(await audited(stage, end)).toBeUndefined();
  });

  it('taking one out of the pool', async () => {
    const stage = await stageOf({ agents: { S: { role: 'supervisor' } } });
    await stage.open('x');
    await stage.be('online', 'S');
    const windows = (await stage.config()).settings.contactWindows;
    const take = async () => takeFromPool(await stage.scope(), place, 'S', windows, NOON, boss);
    expect(await audited(stage, take)).toEqual([
      { by: 'supervisor:S', action: 'conversation:claimed', target: 'c-x', changes: [{ path: 'agent', after: 'S' }] },
    ]);
    expect(await audited(stage, take)).toBeUndefined();
  });

  it('taking one from a robot', async () => {
    const stage = await talking();
    await give(stage, 'R', undefined);
    expect(await audited(stage, () => stage.again('human', 'x', { steering: boss }))).toEqual([
      {
        by: 'supervisor:S',
        action: 'conversation:handed-over',
        target: 'c-x',
        changes: [{ path: 'agent', before: 'R', after: 'A' }],
      },
    ]);
  });
});

describe('a presence that somebody else sets', () => {
  const set = async (stage: Stage, presence: 'online' | 'hung-up', by?: By) =>
    changePresence(
      await stage.scope(),
      { change: 'choose', agent: 'A', presence, cause: by ? 'supervisor' : 'chose', by },
      NOON,
    );

  it('is in the log, with who it was, and what it was before', async () => {
    const stage = await talking();
    expect(await audited(stage, () => set(stage, 'hung-up', { kind: 'api-key' }))).toEqual([
      {
        by: 'api-key:',
        action: 'presence:set',
        target: 'A',
        changes: [{ path: 'presence', before: 'online', after: 'hung-up' }],
      },
    ]);
  });

  it('not where it was so already, and not their own choice', async () => {
    const stage = await talking();
    expect(await audited(stage, () => set(stage, 'online', boss))).toBeUndefined();
    expect(await audited(stage, () => set(stage, 'hung-up'))).toBeUndefined();
  });
});
