import { describe, expect, it } from 'vitest';
import { membershipsOf, rosterEntry } from '../../../server/plan/roster.ts';
import { type ConfigSpec, configOf } from '../../support/config.ts';

function entryOf(id: string, spec: ConfigSpec) {
  const config = configOf(spec);
  return rosterEntry(config, id, membershipsOf(config));
}
const proxy = (id: string) => ({ nightShift: { enabled: true, proxy: id, from: '00:00', until: '08:00' } });

describe('what the scripts know of an agent', () => {
  it.each<[string, string, ConfigSpec, object | undefined]>([
    ['nobody', 'B', { agents: { A: {} } }, undefined],
    [
      'one in no group counts 1 in the whole shop',
      'A',
      { agents: { A: {} } },
      { kind: 'agent', capacity: '', groups: ',*=1,' },
    ],
    ['a capacity', 'A', { agents: { A: { capacity: 3 } } }, { kind: 'agent', capacity: '3', groups: ',*=1,' }],
    [
      'levels in groups, the highest in the whole shop',
      'A',
      { agents: { A: {} }, groups: { g: { members: { A: 2 } }, h: { members: { A: 5 } }, i: { members: { B: 4 } } } },
      { kind: 'agent', capacity: '', groups: ',g=2,h=5,*=5,' },
    ],
    [
      'a mark where the group goes by conversion; the whole shop never does',
      'A',
      { agents: { A: {} }, groups: { g: { members: { A: 3 }, mode: 'conversion-first' }, h: { members: { A: 1 } } } },
      { kind: 'agent', capacity: '', groups: ',g=3%,h=1,*=3,' },
    ],
    [
      'an owner is an agent',
      'O',
      { agents: { O: { role: 'owner' } } },
      { kind: 'agent', capacity: '', groups: ',*=1,' },
    ],
    [
      'a robot is never on duty',
      'R',
      { agents: { R: { kind: 'robot', capacity: 9 } }, groups: { g: { members: { R: 5 }, robot: 'R' } } },
      { kind: 'robot', capacity: '9', groups: '' },
    ],
    [
      'a proxy in no group is never on duty',
      'P',
      { agents: { P: {} }, settings: proxy('P') },
      { kind: 'proxy', capacity: '', groups: '' },
    ],
    [
      'a proxy in a group takes part by day',
      'P',
      { agents: { P: {} }, settings: proxy('P'), groups: { g: { members: { P: 4 } } } },
      { kind: 'proxy', capacity: '', groups: ',g=4,*=4,' },
    ],
    [
      'a proxy of a night shift that is off is one all the same',
      'P',
      { agents: { P: {} }, settings: { nightShift: { ...proxy('P').nightShift, enabled: false } } },
      { kind: 'proxy', capacity: '', groups: '' },
    ],
    [
      'a program as proxy is a robot',
      'P',
      { agents: { P: { kind: 'robot' } }, settings: proxy('P') },
      { kind: 'robot', capacity: '', groups: '' },
    ],
    [
      'somebody beside the proxy',
      'A',
      { agents: { A: {}, P: {} }, settings: proxy('P') },
      { kind: 'agent', capacity: '', groups: ',*=1,' },
    ],
  ])('%s', (_, id, spec, expected) => {
    expect(entryOf(id, spec)).toEqual(expected);
  });
});

describe('memberships', () => {
  it('lists every group of every member once, in the order of the groups', () => {
    const config = configOf({
      groups: {
        g: { members: { A: 1, B: 2 } },
        h: { members: { B: 3 }, mode: 'conversion-first' },
        i: { members: {} },
      },
    });
    expect(Object.fromEntries(membershipsOf(config))).toEqual({
      A: [{ group: 'g', level: 1, rated: false }],
      B: [
        { group: 'g', level: 2, rated: false },
        { group: 'h', level: 3, rated: true },
      ],
    });
  });
});
