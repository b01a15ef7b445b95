import { describe, expect, it } from 'vitest';
import { encodeSteps } from '../../../server/plan/encode.ts';

const wholeShop = { id: '*', robot: null };

describe('a plan as the claim reads it', () => {
  it.each<[Parameters<typeof encodeSteps>[0][number], string]>([
    [{ step: 'hot-contact', withinMs: 86_400_000 }, 'hot-contact 86400000 '],
    [{ step: 'night-shift', proxy: 'P' }, 'night-shift P '],
    [{ step: 'nobody-on-duty', leftTo: { outcome: 'owner', agent: 'O' } }, 'nobody-on-duty owner O '],
    [{ step: 'nobody-on-duty', leftTo: { outcome: 'pool' } }, 'nobody-on-duty pool  '],
    [{ step: 'warm-contact', withinMs: 0 }, 'warm-contact 0 '],
    [{ step: 'exclusive-agent', agent: 'E' }, 'exclusive-agent E '],
    [{ step: 'shop-robot', robot: 'R' }, 'shop-robot R '],
    [
      {
        step: 'group',
        by: 'product',
        groups: [
          { id: 'g', robot: 'R' },
          { id: 'h', robot: null },
        ],
      },
      'group product 2 g R h  ',
    ],
    [{ step: 'widened', by: 'shop', groups: [wholeShop] }, 'widened shop 1 *  '],
    [{ step: 'full', leftTo: { outcome: 'queue', priority: 2 } }, 'full queue 2  '],
    [{ step: 'full', leftTo: { outcome: 'owner', agent: 'o' }, why: 'left-the-queue' }, 'full owner o left-the-queue '],
    [{ step: 'night-shift', passed: 'outside-window' }, 'note night-shift:outside-window '],
  ])('%j', (step, line) => {
    expect(encodeSteps([step])).toBe(line);
  });

  it('joins neighbours that passed by the settings, and only neighbours', () => {
    const line = encodeSteps([
      { step: 'night-shift', passed: 'not-enabled' },
      { step: 'hot-contact', withinMs: 1 },
      { step: 'exclusive-agent', passed: 'not-enabled' },
      { step: 'shop-robot', passed: 'after-robot' },
      { step: 'full', leftTo: { outcome: 'queue', priority: 0 } },
    ]);
    expect(line).toBe(
      'note night-shift:not-enabled hot-contact 1 note exclusive-agent:not-enabled;shop-robot:after-robot full queue 0  ',
    );
  });

  it('does not take a step that is named like a note for one', () => {
    const line = encodeSteps([
      { step: 'shop-robot', robot: 'note' },
      { step: 'night-shift', passed: 'not-enabled' },
    ]);
    expect(line).toBe('shop-robot note note night-shift:not-enabled ');
  });

  it('keeps a word for everything that may be empty', () => {
    const line = encodeSteps([
      { step: 'full', leftTo: { outcome: 'pool' } },
      { step: 'group', by: 'all', groups: [wholeShop] },
    ]);
    expect(line.split(' ')).toEqual(['full', 'pool', '', '', 'group', 'all', '1', '*', '', '']);
  });
});
