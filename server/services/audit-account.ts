/** What the audit log says of a change of the configuration: made of how it was and how it is, so that nobody can forget it. */
import { isDeepStrictEqual } from 'node:util';
import type { AuditAction, AuditChange, By, Group } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../plan/config.ts';
import type { Account } from '../store/audit.ts';
import type { ConfigFields } from '../store/configure.ts';
import { secretNames } from './secret-names.ts';

/** So many changes are named in one entry; of more it is said how many. */
const MAX_CHANGES = 100;
/** A value whose JSON is longer is cut. */
const MAX_VALUE = 1_000;
/** The changes of an entry, in characters of JSON: a hundred thousand entries are kept. */
const MAX_ENTRY = 8_000;

type Tree = { readonly [key: string]: unknown };
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function shown(value: unknown): unknown {
  const json = JSON.stringify(value);
  return json !== undefined && json.length > MAX_VALUE ? `${json.slice(0, MAX_VALUE)}…` : value;
}

/** Every leaf that is different, by its path. Lists are leaves; `undefined` is what is not there. */
export function differences(before: unknown, after: unknown, path = ''): AuditChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!(isTree(before) || before === undefined) || !(isTree(after) || after === undefined) || before === after) {
    return [
      {
        path,
        ...(before === undefined ? {} : { before: shown(before) }),
        ...(after === undefined ? {} : { after: shown(after) }),
      },
    ];
  }
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...keys].sort().flatMap((key) => differences(before?.[key], after?.[key], path ? `${path}.${key}` : key));
}

/** A group as a tree: members by their ids, so that one who comes or goes is one change. */
function groupTree(group: Group | undefined): Tree | undefined {
  if (!group) return undefined;
  const { id: _, members, ...rest } = group;
  return { ...rest, members: Object.fromEntries(members.map(({ agent, level }) => [agent, level])) };
}

function withoutId<T extends { readonly id: string }>(thing: T | undefined): Tree | undefined {
  if (!thing) return undefined;
  const { id: _, ...rest } = thing;
  return rest;
}

const verb = (before: unknown, after: unknown) =>
  before === undefined ? 'created' : after === undefined ? 'removed' : 'changed';

/**
 * Secrets that are set, `<which>` or `<which>:<agent>`. Those that go, go with whoever had them; an epoch is no secret of
 * anybody, and follows from what is told already.
 */
const secretsIn = (fields: ConfigFields): string[] =>
  Object.entries(fields.secrets ?? {}).flatMap(([name, value]) =>
    value === '' || name.startsWith(secretNames.epoch) ? [] : [name],
  );

/** What the change is about in the first place: of an agent who is removed the groups they were in follow. */
function subjectOf(
  before: ShopConfig,
  after: ShopConfig,
  fields: ConfigFields,
): { action: AuditAction; target: string } {
  const [agent] = fields.agents?.keys() ?? [];
  if (agent !== undefined) {
    return { action: `agent:${verb(before.agents.get(agent), after.agents.get(agent))}`, target: agent };
  }
  const [group] = fields.groups?.keys() ?? [];
  if (group !== undefined) {
    return { action: `group:${verb(before.groups.get(group), after.groups.get(group))}`, target: group };
  }
  if (fields.settings) return { action: 'settings:changed', target: '' };
  return { action: 'secret:replaced', target: secretsIn(fields)[0]?.split(':')[1] ?? '' };
}

const under = (path: string, changes: readonly AuditChange[]): AuditChange[] =>
  changes.map((change) => ({ ...change, path: `${path}.${change.path}` }));

/** As many as fit in an entry, then how many more there were. */
function boundedTo(changes: readonly AuditChange[]): (AuditChange | number)[] {
  let left = MAX_ENTRY;
  const fits = changes.slice(0, MAX_CHANGES).findIndex((change) => {
    left -= JSON.stringify(change).length;
    return left < 0;
  });
  const told = changes.slice(0, fits === -1 ? MAX_CHANGES : fits);
  const more = changes.length - told.length;
  return more > 0 ? [...told, more] : told;
}

/** The entry for a change that `by` makes; `undefined` where nothing is different afterwards. */
export function accountOf(
  before: ShopConfig,
  after: ShopConfig,
  fields: ConfigFields,
  by: By,
): (Account & { readonly by: By }) | undefined {
  const { action, target } = subjectOf(before, after, fields);
  const changes: AuditChange[] = [];
  if (fields.settings) changes.push(...differences(before.settings, after.settings));
  for (const id of fields.agents?.keys() ?? []) {
    const found = differences(withoutId(before.agents.get(id)), withoutId(after.agents.get(id)));
    changes.push(...(id === target ? found : under(`agents.${id}`, found)));
  }
  for (const id of fields.groups?.keys() ?? []) {
    const found = differences(groupTree(before.groups.get(id)), groupTree(after.groups.get(id)));
    changes.push(...(action.startsWith('group:') && id === target ? found : under(`groups.${id}`, found)));
  }
  for (const name of secretsIn(fields)) {
    const [which = ''] = name.split(':');
    changes.push({ path: which === 'webhook' ? 'webhookSecret' : which, after: 'set' });
  }
  if (changes.length === 0) return undefined;
  return { by, action, target, changes: JSON.stringify(boundedTo(changes)) };
}
