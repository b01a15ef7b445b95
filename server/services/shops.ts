/** What a shop is made of: opening it, its settings, agents and groups. */
import {
  type Agent,
  type AgentPut,
  type By,
  defaultSettings,
  type Group,
  type GroupPut,
  invalid,
  mergeSettings,
  Refusal,
  type Settings,
  type SettingsPatch,
  settings as settingsSchema,
} from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../plan/config.ts';
import { configure, readSecret, readVersion, registerShop } from '../store/configure.ts';
import { StaleConfig } from '../store/script.ts';
import { OPERATOR } from './actor.ts';
import { applied, changeConfig, rosterChanges } from './change-config.ts';
import type { House } from './house.ts';
import { hashKey, hashMadeUp, hashPassword, verifyPassword } from './passwords.ts';
import { secretNames } from './secret-names.ts';
import { announceWebhook, followWebhookChange } from './webhook-attendance.ts';

export type NewShop = {
  readonly shop: { readonly id: string; readonly name: string };
  readonly owner: { readonly id: string; readonly password: string };
  readonly apiKey: string;
  readonly buyerSecret: string;
};

/** Opens a shop with its main account; the secrets are answered once. Throws `conflict` if it is there already. */
export async function createShop(
  house: House,
  id: string,
  name: string,
  now: number,
  by: By = OPERATOR,
): Promise<NewShop> {
  const taken = new Refusal('conflict', `There is a shop ${id} already; choose another id.`);
  if ((await readVersion(house.redis, id)) !== null) throw taken;
  const [password, apiKey, buyerSecret] = [house.ids.secret(), house.ids.secret(), house.ids.secret()];
  const owner: Agent = { id: 'owner', name, role: 'owner', kind: 'human' };
  const empty: ShopConfig = {
    shop: id,
    name,
    version: '0',
    settings: defaultSettings,
    agents: new Map(),
    groups: new Map(),
  };
  const fields = { name, settings: defaultSettings, agents: new Map([[owner.id, owner]]) };
  // Registered first: whoever goes over all shops passes over one that never came to be.
  await registerShop(house.redis, id);
  try {
    await configure(house.redis, {
      now,
      shop: id,
      request: house.ids.request(id),
      account: { by, action: 'shop:created', target: id, changes: '' },
      expected: '0',
      fields: {
        ...fields,
        secrets: {
          [secretNames.apiKey]: hashKey(apiKey),
          [secretNames.buyerSecret]: buyerSecret,
          [secretNames.password + owner.id]: await hashMadeUp(password),
        },
      },
      roster: rosterChanges(empty, applied(empty, fields), fields),
      groups: [],
    });
  } catch (error) {
    throw error instanceof StaleConfig ? taken : error;
  }
  return { shop: { id, name }, owner: { id: owner.id, password }, apiKey, buyerSecret };
}

const noAgent = (id: string) => new Refusal('not-found', `There is no agent ${id} in this shop; check the id.`);

/** Merges a patch and validates the whole. Throws `invalid`, also for accounts that are not there. */
export async function patchSettings(
  house: House,
  shop: string,
  patch: SettingsPatch,
  now: number,
  by?: By,
): Promise<Settings> {
  let result: Settings = defaultSettings;
  await changeConfig(
    house,
    shop,
    now,
    (config) => {
      const merged = settingsSchema.safeParse(mergeSettings(config.settings, patch));
      if (!merged.success) throw invalid(merged.error);
      result = merged.data;
      const { robot } = result.robotFirst;
      const { proxy } = result.nightShift;
      if (robot && config.agents.get(robot)?.kind !== 'robot') {
        throw new Refusal('invalid', undefined, [{ path: 'robotFirst.robot', problem: 'is no robot of this shop' }]);
      }
      if (proxy && !config.agents.has(proxy)) {
        throw new Refusal('invalid', undefined, [{ path: 'nightShift.proxy', problem: 'is no agent of this shop' }]);
      }
      return { settings: result };
    },
    by,
  );
  return result;
}

/** The secret that signs deliveries is there only when the webhook was set, or set to another URL. */
export type AgentAnswer = Agent & { readonly webhookSecret?: string };

/**
 * Creates or replaces an agent; password and webhook stay if none is given. With another password or kind all their
 * sessions end in the same change; with another role they hear from now on what goes with it. Throws `conflict` for a second owner, for an
 * owner who would be none any more, and for who serves as what they would no longer be; `invalid` for a robot that
 * supervises, and for a human with a webhook.
 */
export async function putAgent(
  house: House,
  shop: string,
  id: string,
  put: AgentPut,
  now: number,
  by?: By,
): Promise<AgentAnswer> {
  const { password, capacity, webhook, ...rest } = put;
  let agent: Agent = { id, ...rest, ...(capacity ? { capacity } : {}) };
  if (agent.kind === 'robot' && agent.role !== 'agent') {
    throw new Refusal('invalid', undefined, [{ path: 'role', problem: 'must be agent for a robot' }]);
  }
  if (agent.kind === 'human' && webhook) {
    throw new Refusal('invalid', undefined, [{ path: 'webhook', problem: 'is for robots; people keep a socket' }]);
  }
  if (webhook) await announceWebhook(house, shop, now);
  const made = house.ids.secret();
  const endsSessions = (old: Agent | undefined) => old !== undefined && (hash !== undefined || old.kind !== agent.kind);
  const epoch = house.ids.session();
  let before: Agent['webhook'];
  let was: Agent | undefined;
  const hash = password === undefined ? undefined : await changedPassword(house, shop, id, password);
  await changeConfig(
    house,
    shop,
    now,
    (config) => {
      if (config.agents.get(id)?.role === 'owner' && agent.role !== 'owner') {
        throw new Refusal(
          'conflict',
          `${id} is the owner, and a shop keeps its owner; send role "owner" to change the rest.`,
        );
      }
      for (const other of config.agents.values()) {
        if (agent.role === 'owner' && other.role === 'owner' && other.id !== id) {
          throw new Refusal('conflict', `${other.id} is the owner of this shop; there can be one.`);
        }
      }
      if (agent.kind === 'human') mustNotBeRobot(config, id);
      else mustNotBeMember(config, id);
      was = config.agents.get(id);
      before = was?.webhook;
      const after = agent.kind === 'robot' ? (webhook === undefined ? before : (webhook ?? undefined)) : undefined;
      const { webhook: _, ...others } = agent;
      agent = { ...others, ...(after ? { webhook: after } : {}) };
      return {
        agents: new Map([[id, agent]]),
        secrets: {
          ...(hash === undefined ? {} : { [secretNames.password + id]: hash }),
          ...(endsSessions(was) ? { [secretNames.epoch + id]: epoch } : {}),
          // Another receiver must not be able to sign like the one before.
          ...(after?.url === before?.url ? {} : { [secretNames.webhook + id]: after ? made : '' }),
        },
      };
    },
    by,
  );
  if (endsSessions(was)) house.connected.endAgent(shop, id);
  else if (was && was.role !== agent.role) house.connected.steers(shop, id, agent.role !== 'agent');
  if (agent.webhook || before) await followWebhookChange(house, shop, now);
  return agent.webhook && agent.webhook.url !== before?.url ? { ...agent, webhookSecret: made } : agent;
}

/** The hash of a password that is another than before; whoever sends the same one again logs nobody out. */
async function changedPassword(house: House, shop: string, id: string, password: string): Promise<string | undefined> {
  const stored = await readSecret(house.redis, shop, secretNames.password + id);
  if (stored !== null && (await verifyPassword(password, stored))) return undefined;
  return hashPassword(password);
}

/** An account that serves as a robot somewhere stays one. */
function mustNotBeRobot(config: ShopConfig, id: string): void {
  const serves =
    config.settings.robotFirst.robot === id || [...config.groups.values()].some((group) => group.robot === id);
  if (serves) throw new Refusal('conflict', `${id} serves as a robot; take it out of the settings and groups first.`);
}

/** Members of groups are people. */
function mustNotBeMember(config: ShopConfig, id: string): void {
  const group = [...config.groups.values()].find(({ members }) => members.some(({ agent }) => agent === id));
  if (group) throw new Refusal('conflict', `${id} is a member of group ${group.id}; take them out of the group first.`);
}

/** Removes an agent, also from their groups; their sessions end, what they hold is dispatched again. Throws `not-found`, `conflict`. */
export async function deleteAgent(house: House, shop: string, id: string, now: number, by?: By): Promise<void> {
  const epoch = house.ids.session();
  let webhook: Agent['webhook'];
  await changeConfig(
    house,
    shop,
    now,
    (config) => {
      const agent = config.agents.get(id);
      if (!agent) throw noAgent(id);
      if (agent.role === 'owner') throw new Refusal('conflict', 'A shop keeps its owner.');
      mustNotBeRobot(config, id);
      if (config.settings.nightShift.proxy === id) {
        throw new Refusal('conflict', `${id} is the proxy; set another one in the settings first.`);
      }
      const groups = new Map<string, Group>();
      for (const group of config.groups.values()) {
        const members = group.members.filter((member) => member.agent !== id);
        if (members.length < group.members.length) groups.set(group.id, { ...group, members });
      }
      webhook = agent.webhook;
      // The epoch stays: an account of the same name one day must not be entered with a session of this one.
      const secrets = {
        [secretNames.password + id]: '',
        [secretNames.webhook + id]: '',
        [secretNames.epoch + id]: epoch,
      };
      return { agents: new Map([[id, undefined]]), groups, secrets };
    },
    by,
  );
  house.connected.endAgent(shop, id);
  if (webhook) await followWebhookChange(house, shop, now);
}

/** Creates or replaces a group. Throws `invalid` for members that are not there, or a robot that is none. */
export async function putGroup(
  house: House,
  shop: string,
  id: string,
  put: GroupPut,
  now: number,
  by?: By,
): Promise<Group> {
  const group: Group = { id, ...put };
  await changeConfig(
    house,
    shop,
    now,
    (config) => {
      const problems = group.members
        .map((member, i) => ({ path: `members.${i}.agent`, kind: config.agents.get(member.agent)?.kind }))
        .filter(({ kind }) => kind !== 'human')
        .map(({ path, kind }) => ({
          path,
          problem: kind ? 'is a robot; set it as robot of the group' : 'is no agent of this shop',
        }));
      if (group.robot !== null && config.agents.get(group.robot)?.kind !== 'robot') {
        problems.push({ path: 'robot', problem: 'is no robot of this shop' });
      }
      if (problems.length > 0) throw new Refusal('invalid', undefined, problems.slice(0, 20));
      return { groups: new Map([[id, group]]) };
    },
    by,
  );
  return group;
}

/** Removes a group; its members stay. Throws `not-found`. */
export async function deleteGroup(house: House, shop: string, id: string, now: number, by?: By): Promise<void> {
  await changeConfig(
    house,
    shop,
    now,
    (config) => {
      if (!config.groups.has(id)) throw new Refusal('not-found', `There is no group ${id} in this shop; check the id.`);
      return { groups: new Map([[id, undefined]]) };
    },
    by,
  );
}
