/** Which groups serve a buyer: crowd before product before intent before order state. */
import type { Entry, Group } from '../../client-sdk/contract/index.ts';

/** Groups left at one level of narrowing, and by what they were narrowed. */
export type Narrowing = {
  readonly groups: readonly Group[];
  /** The dimensions that narrowed so far, joined by `+`; `all` before the first. */
  readonly by: string;
};

type Dimension = { readonly name: string; readonly values: readonly string[]; bound(group: Group): readonly string[] };

function dimensionsOf(crowds: readonly string[], entry: Entry): Dimension[] {
  const one = (value: string | undefined) => (value === undefined ? [] : [value]);
  return [
    { name: 'crowd', values: crowds, bound: (g) => g.binds.crowds },
    { name: 'product', values: one(entry.product), bound: (g) => g.binds.products },
    { name: 'intent', values: one(entry.intent), bound: (g) => g.binds.intents },
    { name: 'order-state', values: one(entry.orderState), bound: (g) => g.binds.orderStates },
  ];
}

/**
 * Narrows all groups dimension by dimension; a dimension that no group left binds for this buyer is passed over.
 * Answers the levels from the narrowest to all groups: the order in which widening undoes them.
 */
export function narrow(groups: readonly Group[], crowds: readonly string[], entry: Entry): Narrowing[] {
  const levels: Narrowing[] = [{ groups, by: 'all' }];
  let left = groups;
  const by: string[] = [];
  for (const { name, values, bound } of dimensionsOf(crowds, entry)) {
    const bind = left.filter((group) => bound(group).some((value) => values.includes(value)));
    if (bind.length === 0) continue;
    by.push(name);
    const narrower = bind.length < left.length;
    left = bind;
    // A dimension that all groups left bind adds its name, not a level: there is nothing to undo.
    if (narrower) levels.push({ groups: left, by: by.join('+') });
    else levels[levels.length - 1] = { groups: left, by: by.join('+') };
  }
  return levels.reverse();
}
