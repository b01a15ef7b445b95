import { describe, expect, it } from 'vitest';
import { secretNames } from '../../server/services/secret-names.ts';
import { deleteAgent } from '../../server/services/shops.ts';
import { beginSession, readSessions, refreshSession } from '../../server/store/sessions.ts';
import { setSecrets } from '../support/secrets.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A shop with a session of A that lasts two hours and at most five. */
async function begun(apiKey?: string): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {} } });
  if (apiKey) await setSecrets(stage, { [secretNames.apiKey]: apiKey });
  const session = { shop: stage.shop, session: 's', agent: 'A', expiresAt: NOON + 2 * HOUR, endsAt: NOON + 5 * HOUR };
  await beginSession(stage.redis, { ...session, apiKey }, NOON);
  return stage;
}
const refresh = (stage: Stage, generation: number, now: number, session = 's') =>
  refreshSession(stage.redis, stage.shop, { session, generation }, { lastsMs: 2 * HOUR, graceMs: MINUTE }, now);
const standing = (stage: Stage) => readSessions(stage.redis, stage.shop, [{ session: 's', agent: 'A' }]);

describe('a session is refreshed', () => {
  it('and lasts on from now, but never beyond its end', async () => {
    const stage = await begun();
    const effect = await stage.effect(async () =>
      expect(await refresh(stage, 0, NOON + HOUR)).toEqual({
        kind: 'refreshed',
        generation: 1,
        expiresAt: NOON + 3 * HOUR,
      }),
    );
    const at = String(NOON + HOUR);
    expect(effect).toEqual({
      'session:s': { generation: '1', refreshedAt: at, expiresAt: String(NOON + 3 * HOUR) },
    });
    expect(await refresh(stage, 1, NOON + 2 * HOUR)).toMatchObject({ generation: 2, expiresAt: NOON + 4 * HOUR });
    expect(await refresh(stage, 2, NOON + 4 * HOUR - 1)).toMatchObject({ generation: 3, expiresAt: NOON + 5 * HOUR });
    expect(await stage.unchanged(() => refresh(stage, 3, NOON + 5 * HOUR))).toEqual({ kind: 'gone' });
  });

  it('once for each token: the one before answers the same, as often as it is sent, during the grace', async () => {
    const stage = await begun();
    const first = await refresh(stage, 0, NOON);
    expect(await stage.unchanged(() => refresh(stage, 0, NOON))).toEqual(first);
    expect(await stage.unchanged(() => refresh(stage, 0, NOON + MINUTE))).toEqual(first);
  });

  it('by an older token, or the one before after the grace: it ends, whoever has the present one', async () => {
    for (const [generation, now] of [
      [1, NOON + MINUTE + 1],
      [0, NOON],
    ] as const) {
      const stage = await begun();
      await refresh(stage, 0, NOON);
      await refresh(stage, 1, NOON);
      const effect = await stage.effect(async () =>
        expect(await refresh(stage, generation, now)).toEqual({ kind: 'reused' }),
      );
      expect(effect).toEqual({ 'session:s': null, live: { revocations: '1' } });
      expect(await stage.unchanged(() => refresh(stage, 2, now))).toEqual({ kind: 'gone' });
    }
  });

  it('by a token whose making was lost in a crash of Redis', async () => {
    const stage = await begun();
    expect(await refresh(stage, 4, NOON)).toMatchObject({ kind: 'refreshed', generation: 5 });
  });

  it('by many at once that show the same token: all are answered the same', async () => {
    const stage = await begun();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(stage, 0, NOON + 5)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('no more when it has expired, or another epoch or key has come, or the account is gone, or it never was', async () => {
    const ends: ((stage: Stage) => Promise<unknown>)[] = [
      (stage) => setSecrets(stage, { [`${secretNames.epoch}A`]: 'second' }),
      (stage) => setSecrets(stage, { [secretNames.apiKey]: 'another' }),
      (stage) => deleteAgent(stage.house, stage.shop, 'A', NOON),
    ];
    for (const end of ends) {
      const stage = await begun('key');
      await end(stage);
      expect(await stage.unchanged(() => refresh(stage, 0, NOON))).toEqual({ kind: 'gone' });
    }
    const stage = await begun();
    expect(await stage.unchanged(() => refresh(stage, 0, NOON + 2 * HOUR))).toEqual({ kind: 'gone' });
    expect(await stage.unchanged(() => refresh(stage, 0, NOON, 'another'))).toEqual({ kind: 'gone' });
    expect((await standing(stage)).size).toBe(1);
  });
});
