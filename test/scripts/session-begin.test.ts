import { describe, expect, it } from 'vitest';
import { secretNames } from '../../server/services/secret-names.ts';
import { beginSession, readSessions } from '../../server/store/sessions.ts';
import { setSecrets } from '../support/secrets.ts';
import { NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();
const HOUR = 3_600_000;
type New = Partial<Parameters<typeof beginSession>[1]>;

const begin = (stage: Stage, more: New = {}, now = NOON) =>
  beginSession(
    stage.redis,
    { shop: stage.shop, session: 's', agent: 'A', expiresAt: NOON + HOUR, endsAt: NOON + 5 * HOUR, ...more },
    now,
  );
const standing = (stage: Stage, agent = 'A') => readSessions(stage.redis, stage.shop, [{ session: 's', agent }]);

describe('a session begins', () => {
  it('for an account that is there, and is kept no longer than it lasts', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    const effect = await stage.effect(async () => expect(await begin(stage)).toBe('begun'));
    expect(effect).toEqual({
      'session:s': {
        agent: 'A',
        epoch: '',
        apiKey: '',
        generation: '0',
        expiresAt: String(NOON + HOUR),
        endsAt: String(NOON + 5 * HOUR),
      },
    });
    const { keys } = await stage.scope();
    const left = await stage.redis.pttl(`${keys.base}session:s`);
    expect(left > 0 && left <= HOUR).toBe(true);
    expect(await standing(stage)).toEqual(new Map([['s', NOON + HOUR]]));
    expect(await standing(stage, 'B')).toEqual(new Map());
  });

  it('not for an account that is not there', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    expect(await stage.unchanged(() => begin(stage, { agent: 'B' }))).toBe('gone');
  });

  it('only while the password and the key are those that were shown', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await setSecrets(stage, { [`${secretNames.password}A`]: 'hash', [secretNames.apiKey]: 'key' });
    expect(await stage.unchanged(() => begin(stage, { password: 'another' }))).toBe('changed');
    expect(await stage.unchanged(() => begin(stage, { apiKey: 'another' }))).toBe('changed');
    expect(await begin(stage, { password: 'hash', apiKey: 'key' })).toBe('begun');
    expect((await standing(stage)).size).toBe(1);
    await setSecrets(stage, { [secretNames.apiKey]: 'new key' });
    expect(await standing(stage)).toEqual(new Map());
  });

  it('once: sent again, also after a refresh, it changes nothing', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await begin(stage);
    expect(await stage.unchanged(() => begin(stage, { expiresAt: NOON + 9 * HOUR }))).toBe('begun');
  });

  it('of the present epoch; one of an earlier epoch stands no more', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await begin(stage);
    await setSecrets(stage, { [`${secretNames.epoch}A`]: 'second' });
    expect(await standing(stage)).toEqual(new Map());
    await begin(stage, { session: 't' });
    const two = ['s', 't'].map((session) => ({ session, agent: 'A' }));
    expect(await readSessions(stage.redis, stage.shop, two)).toEqual(new Map([['t', NOON + HOUR]]));
  });
});
