import { describe, expect, it } from 'vitest';
import { readBuyer, writeProfile } from '../../server/store/buyers.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();
type Profile = Parameters<typeof writeProfile>[2];
const write = async (stage: Stage, profile: Profile, buyer = 'x') =>
  writeProfile(await stage.scope(), buyer, profile, NOON);
const read = async (stage: Stage, buyer = 'x') => readBuyer(await stage.scope(), buyer);

describe('a buyer’s profile', () => {
  it('is written whole, and is an event without what it says', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    const effect = await stage.effect(() =>
      write(stage, { name: '王小明', crowds: ['vip', 'new'], exclusiveAgent: 'A' }),
    );
    expect(effect).toEqual({
      'buyer:x': { profile: '1', name: '王小明', crowds: '["vip","new"]', exclusive: 'A' },
      live: { profiles: '1' },
      audit: [
        {
          by: 'admin:',
          action: 'buyer:changed',
          target: 'x',
          changes: [
            { path: 'name' },
            { path: 'crowds', after: ['vip', 'new'] },
            { path: 'exclusiveAgent', after: 'A' },
          ],
        },
      ],
      events: [event('profile', { buyer: 'x' })],
    });
    expect(await read(stage)).toEqual({
      profile: '1',
      name: '王小明',
      crowds: ['vip', 'new'],
      exclusiveAgent: 'A',
      conversation: '',
      newest: '',
    });
  });

  it('replaces the one before, and counts', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await write(stage, { name: 'X', crowds: ['vip'], exclusiveAgent: 'A' });
    await write(stage, { crowds: [] });
    expect(await read(stage)).toEqual({ profile: '2', name: '', crowds: [], conversation: '', newest: '' });
  });

  it('leaves the conversation and the contacts alone', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await stage.be('online', 'A');
    await stage.open('x');
    const effect = await stage.effect(() => write(stage, { crowds: ['vip'] }));
    expect(effect).toEqual({
      'buyer:x': { profile: '1', name: '', crowds: '["vip"]', exclusive: '' },
      live: { profiles: '1' },
      audit: [{ by: 'admin:', action: 'buyer:changed', target: 'x', changes: [{ path: 'crowds', after: ['vip'] }] }],
      events: [event('profile', { buyer: 'x' })],
    });
    expect(await read(stage)).toMatchObject({ conversation: 'c-x', newest: 'c-x' });
  });

  it('that is written again as it is changes nothing: a command that is sent twice is one', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    const profile = { name: 'X', crowds: ['vip'], exclusiveAgent: 'A' };
    await write(stage, profile);
    await stage.unchanged(() => write(stage, profile));
    const effect = await stage.effect(async () =>
      writeProfile(await stage.scope(), 'x', { crowds: ['new'] }, NOON, { kind: 'supervisor', id: 'S' }),
    );
    expect(effect.audit).toEqual([
      {
        by: 'supervisor:S',
        action: 'buyer:changed',
        target: 'x',
        changes: [
          { path: 'name' },
          { path: 'crowds', before: ['vip'], after: ['new'] },
          { path: 'exclusiveAgent', before: 'A' },
        ],
      },
    ]);
  });

  it('is of one buyer', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await write(stage, { crowds: ['vip'] }, 'x.y');
    expect([await read(stage), await read(stage, 'x.y')]).toMatchObject([undefined, { crowds: ['vip'] }]);
  });

  it('written at once by several counts each', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await Promise.all(Array.from({ length: 10 }, (_, n) => write(stage, { crowds: [`c${n}`] })));
    expect(await read(stage)).toMatchObject({ profile: '10' });
  });

  it('that is new makes a plan of the one before stale', async () => {
    const stage = await stageOf({ agents: { A: {} } });
    await write(stage, { crowds: [] });
    await write(stage, { crowds: ['vip'] });
    const refused = await stage.unchanged(() => stage.claim({ buyer: 'x', profile: '1' }));
    expect(refused).toEqual({ kind: 'buyer', profile: '2', conversation: '' });
    expect(await stage.claim({ buyer: 'x' })).toMatchObject({ kind: 'assigned' });
  });
});
