/** What scripts answer, read into the shapes of the contract. */
import type { Conversation, ConversationState, Presence, PresenceCause } from '../../client-sdk/contract/index.ts';
import type { Reply } from './script.ts';

/** An agent's load after a command, for the agent to be told. */
export type Load = { readonly agent: string; readonly pending: number; readonly active: number };
export type PresenceChange = { readonly agent: string; readonly presence: Presence; readonly cause: PresenceCause };

/** What every command may bring about besides its own effect. */
export type Effects = { readonly loads: readonly Load[]; readonly presences: readonly PresenceChange[] };

/** A conversation that a command moved, and who held it before ('' nobody). */
export type Moved = Effects & { readonly conversation: Conversation; readonly from: string };

const list = (reply: Reply[number] | undefined): Reply => (Array.isArray(reply) ? reply : []);

export function effectsOf(loads: Reply[number] | undefined, presences: Reply[number] | undefined): Effects {
  const changes = list(presences);
  const effects = { loads: [] as Load[], presences: [] as PresenceChange[] };
  for (const load of typeof loads === 'string' && loads ? loads.split(';') : []) {
    const [agent = '', pending, active] = load.split('|');
    effects.loads.push({ agent, pending: Number(pending), active: Number(active) });
  }
  for (let i = 0; i < changes.length; i += 3) {
    effects.presences.push({
      agent: String(changes[i]),
      presence: changes[i + 1] as Presence,
      cause: changes[i + 2] as PresenceCause,
    });
  }
  return effects;
}

/** A conversation from its fields; absent and '' are the same. */
export function conversationFrom(shop: string, field: (name: string) => unknown, id: string): Conversation {
  const text = (name: string) => String(field(name) ?? '');
  const state = text('state') as ConversationState;
  const [agent, group, request] = [text('agent'), text('group'), text('assignment')];
  const [since, closedAt, overnight] = [text('waitingSince'), text('closedAt'), text('overnight')];
  return {
    id,
    shop,
    buyer: text('buyer'),
    state,
    ...(agent ? { agent } : {}),
    ...(group ? { group } : {}),
    ...(request ? { assignment: `${id}.${request}` } : {}),
    overnight: overnight !== '',
    ...(overnight ? { overnightSince: Number(overnight) } : {}),
    ...(since ? { waitingSince: Number(since) } : {}),
    lastSeq: Number(text('lastSeq') || 0),
    openedAt: Number(text('openedAt')),
    ...(closedAt ? { closedAt: Number(closedAt) } : {}),
  };
}

/** The order in which scripts show a conversation; see scripts/lib/conversation.lua. */
export const shownFields = [
  'buyer',
  'state',
  'agent',
  'group',
  'overnight',
  'waitingSince',
  'lastSeq',
  'openedAt',
  'closedAt',
  'assignment',
];

export function shownConversation(shop: string, reply: Reply[number] | undefined): Conversation {
  const [id, ...values] = String(reply).split('|');
  return conversationFrom(shop, (name) => values[shownFields.indexOf(name)], String(id));
}

/** Reads `{'moved', shown, from, loads, presences}`. */
export function movedFrom(shop: string, reply: Reply): Moved {
  return {
    conversation: shownConversation(shop, reply[1]),
    from: String(reply[2]),
    ...effectsOf(reply[3], reply[4]),
  };
}
