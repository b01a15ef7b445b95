import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../client-sdk/contract/index.ts';
import { narrow } from '../../../server/plan/narrow.ts';
import { groupOf } from '../../support/config.ts';
import type { GroupSpec } from '../../support/shop.ts';

/** Levels as text, from the narrowest: `by: groups`. */
function levels(binds: Record<string, GroupSpec['binds']>, crowds: string[], entry: Entry): string[] {
  const groups = Object.entries(binds).map(([id, bound]) => groupOf(id, { binds: bound }));
  return narrow(groups, crowds, entry).map(({ by, groups: left }) => `${by}: ${left.map(({ id }) => id).join(' ')}`);
}

const one = {
  crowd: { crowds: ['vip'] },
  product: { products: ['p'] },
  intent: { intents: ['refund'] },
  order: { orderStates: ['paid' as const] },
};
const whole: Entry = { product: 'p', intent: 'refund', orderState: 'paid' };

describe('narrowing', () => {
  it.each<[string, string[], Entry, string[]]>([
    ['crowd before all', ['vip'], whole, ['crowd: crowd', 'all: crowd product intent order']],
    ['product before intent', [], whole, ['product: product', 'all: crowd product intent order']],
    [
      'intent before order state',
      [],
      { intent: 'refund', orderState: 'paid' },
      ['intent: intent', 'all: crowd product intent order'],
    ],
    ['order state last', [], { orderState: 'paid' }, ['order-state: order', 'all: crowd product intent order']],
    ['nothing brought along', [], {}, ['all: crowd product intent order']],
    [
      'values that no group binds',
      ['new'],
      { product: 'q', intent: 'size', orderState: 'none' },
      ['all: crowd product intent order'],
    ],
    [
      'a dimension passed over between two',
      ['new'],
      { product: 'q', orderState: 'paid' },
      ['order-state: order', 'all: crowd product intent order'],
    ],
  ])('%s', (_, crowds, entry, expected) => {
    expect(levels(one, crowds, entry)).toEqual(expected);
  });

  it('goes through all four dimensions, and undoes them in the opposite order', () => {
    const binds = {
      a: { crowds: ['vip'], products: ['p'], intents: ['refund'], orderStates: ['paid' as const] },
      b: { crowds: ['vip'], products: ['p'], intents: ['refund'] },
      c: { crowds: ['vip'], products: ['p'] },
      d: { crowds: ['vip'] },
      e: {},
    };
    expect(levels(binds, ['vip'], whole)).toEqual([
      'crowd+product+intent+order-state: a',
      'crowd+product+intent: a b',
      'crowd+product: a b c',
      'crowd: a b c d',
      'all: a b c d e',
    ]);
  });

  it('leaves out groups that bind nothing as soon as one left binds the value', () => {
    expect(levels({ a: { products: ['p'] }, b: {} }, [], { product: 'p' })).toEqual(['product: a', 'all: a b']);
  });

  it('passes over a dimension that only groups narrowed away would bind', () => {
    const binds = { a: { products: ['p'] }, b: { orderStates: ['paid' as const] } };
    expect(levels(binds, [], whole)).toEqual(['product: a', 'all: a b']);
  });

  it('narrows by any of the crowds of a buyer, and any of the values of a group', () => {
    const binds = { a: { crowds: ['x', 'gold'] }, b: { crowds: ['vip', 'y'] }, c: { crowds: ['z'] } };
    expect(levels(binds, ['vip', 'gold'], {})).toEqual(['crowd: a b', 'all: a b c']);
  });

  it('adds no level for a dimension that all groups left bind', () => {
    const binds = { a: { products: ['p'], intents: ['refund'] }, b: { products: ['p'] }, c: { products: ['p'] } };
    expect(levels(binds, [], whole)).toEqual(['product+intent: a', 'product: a b c']);
    expect(levels({ a: { products: ['p'], intents: ['refund'] } }, [], whole)).toEqual(['product+intent: a']);
  });

  it('does not take one dimension for another', () => {
    const binds = { a: { intents: ['p'] }, b: { crowds: ['p'] }, c: {} };
    expect(levels(binds, [], { product: 'p' })).toEqual(['all: a b c']);
  });

  it('of no groups leaves none', () => {
    expect(narrow([], ['vip'], whole)).toEqual([{ by: 'all', groups: [] }]);
  });

  it('follows the example of four groups', () => {
    const binds = {
      A: { products: ['a'], orderStates: ['none' as const, 'unpaid' as const] },
      B: { products: ['a'], orderStates: ['paid' as const, 'shipped' as const, 'completed' as const] },
      C: { products: ['a'] },
      D: { products: ['b'], orderStates: ['after-sales' as const] },
    };
    const first = (product: string, orderState: Entry['orderState']) =>
      levels(binds, [], { product, ...(orderState ? { orderState } : {}) })[0];
    expect(first('a', 'unpaid')).toBe('product+order-state: A');
    expect(first('a', 'completed')).toBe('product+order-state: B');
    expect(first('a', 'after-sales')).toBe('product: A B C');
    expect(first('a', undefined)).toBe('product: A B C');
    expect(first('b', 'after-sales')).toBe('product+order-state: D');
    expect(first('c', 'after-sales')).toBe('order-state: D');
    expect(first('c', undefined)).toBe('all: A B C D');
  });
});
