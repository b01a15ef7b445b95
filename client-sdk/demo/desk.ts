/** The agent's desk: the conversations held, one of them chosen, and what waits in the pool. */
import { AgentClient } from '../agent-client.ts';
import type { Agent, AgentEventData, Group, Message, Presence, PresenceCause } from '../contract/index.ts';
import type { Session } from '../session.ts';
import { moveCauseTexts, pageTexts } from '../texts.ts';
import { createArrivals } from './arrivals.ts';
import { clientOptions, holdConnection } from './connection.ts';
import { createPane, type Pane } from './conversation-pane.ts';
import { buyerName } from './demo-shop.ts';
import { createDeskBar } from './desk-bar.ts';
import { el, show } from './dom.ts';
import { createHeldList, type Held, type Known } from './held-list.ts';
import { say } from './language.ts';
import { createNotice } from './notice.ts';
import { createPoolView, type Live } from './pool-view.ts';
import { call } from './rest.ts';
import type { Team } from './transfer-form.ts';

export type DeskParts = {
  onLogOut(): void;
  /** The session is not taken any more. */
  onEnded(): void;
};

/** How often the pool is looked at, in ms: no event tells agents of it. */
const LOOK_MS = 3_000;

/** How the conversation stands after a message: a buyer's word waits for a reply, and a reply ends the wait. */
function after(conversation: Known, { from, seq, at }: Message): Known {
  const { waitingSince, ...rest } = conversation;
  const lastSeq = Math.max(rest.lastSeq, seq);
  if (from.kind === 'buyer') return { ...rest, lastSeq, waitingSince: waitingSince ?? at };
  return { ...rest, lastSeq, ...(from.kind === 'system' && waitingSince !== undefined ? { waitingSince } : {}) };
}

/** The desk of whoever has logged in. */
export function createDesk(session: Session, { onLogOut, onEnded }: DeskParts): HTMLElement {
  const { shop, agent } = session;
  const client = new AgentClient(clientOptions(session.getToken));
  const me = agent.id;
  const inShop = async <T>(path: string) => call<T>(`/shops/${shop}/${path}`, { token: await session.getToken() });
  const arrivals = createArrivals(me);
  const held = new Map<string, Held>();
  let pane: Pane | undefined;
  /** Counts what events told of presence and load: an answer asked for before is then out of date. */
  let told = 0;
  let online = false;
  /** How far the buyers have seen what was written here. */
  const seen = new Map<string, AgentEventData<'message:seen'>>();

  async function team(): Promise<Team> {
    const [{ agents }, { groups }] = await Promise.all([
      inShop<{ agents: Agent[] }>('agents'),
      inShop<{ groups: Group[] }>('groups'),
    ]);
    for (const { id, name } of agents) names.set(id, name);
    return { agents, groups };
  }
  const names = new Map<string, string>();
  const nameOf = (id: string) => names.get(id) ?? id;

  const lost = createNotice('status', 'lost');
  const news = createNotice('status');
  const bar = createDeskBar({
    agent,
    choose: (presence) => client.setPresence(presence),
    async logOut() {
      // Who logs out has left: nobody is to be sent here during the grace of a lost connection.
      if (client.connected)
        await client.command('presence:set', { presence: 'offline' }, { timeoutMs: 2_000 }).catch(() => {});
      end();
      // Nobody waits for a server that is away; the session then lasts until it expires.
      session.logOut().catch(() => {});
      onLogOut();
    },
  });
  const list = createHeldList(choose);
  const pool = createPoolView((id) => client.claim(id).then(look));
  const hint = say(el('p', { class: 'empty' }), pageTexts.chooseConversation);
  const place = el('div', { class: 'pane-place' }, hint);
  const desk = el(
    'div',
    { class: 'desk' },
    lost.element,
    bar.element,
    news.element,
    el('div', { class: 'columns' }, el('div', { class: 'lists' }, list.element, pool.element), place),
  );

  function refresh(): void {
    list.update(held.values(), pane?.talk.conversation, online);
    show(hint, !pane && held.size > 0);
  }

  function choose(id: string): void {
    const conversation = held.get(id)?.conversation;
    if (!conversation) return;
    if (pane?.talk.conversation !== id) {
      leavePane();
      pane = createPane({ client, conversation, me, team, nameOf, arrival: () => arrivals.of(id) });
      place.append(pane.element);
      const before = seen.get(id);
      if (before) pane.talk.seen(before);
      news.clear();
    }
    refresh();
    pane?.talk.focus();
  }

  function leavePane(): void {
    const hadFocus = pane?.element.contains(document.activeElement);
    pane?.close();
    pane?.element.remove();
    pane = undefined;
    if (hadFocus) list.element.focus();
  }

  function present(presence: Presence, cause?: PresenceCause): void {
    bar.presence(presence, cause);
    online = presence === 'online';
    refresh();
  }

  function hold(conversation: Known): void {
    held.set(conversation.id, { conversation, slow: false });
  }

  client.on('conversations', ({ conversations }) => {
    held.clear();
    for (const conversation of conversations) hold(conversation);
    arrivals.keep(new Set(held.keys()));
    if (pane && !held.has(pane.talk.conversation)) leavePane();
    refresh();
  });
  client.on('conversation:assigned', ({ conversation, ...arrival }) => {
    const isNew = !held.has(conversation.id);
    hold(conversation);
    arrivals.note(conversation.id, arrival);
    if (pane?.talk.conversation === conversation.id) pane.cameAgain();
    else if (isNew)
      news.say(pageTexts.came, { buyer: buyerName(conversation.buyer), cause: moveCauseTexts[arrival.cause] });
    refresh();
  });
  client.on('conversation:released', ({ conversation, to, cause }) => {
    held.delete(conversation.id);
    arrivals.keep(new Set(held.keys()));
    if (pane?.talk.conversation === conversation.id) leavePane();
    const values = { buyer: buyerName(conversation.buyer), cause: moveCauseTexts[cause] };
    if (to?.agent) news.say(pageTexts.wentTo, { ...values, name: nameOf(to.agent) });
    else news.say(pageTexts.went, values);
    refresh();
  });
  client.on('message:created', ({ message }) => {
    const known = held.get(message.conversation);
    if (known) {
      const conversation = after(known.conversation, message);
      held.set(conversation.id, { conversation, slow: known.slow && conversation.waitingSince !== undefined });
      refresh();
    }
    pane?.talk.accept(message);
  });
  client.on('typing:changed', (event) => pane?.talk.typing(event));
  client.on('message:seen', (event) => {
    if (event.by.kind === 'buyer') seen.set(event.conversation, event);
    pane?.talk.seen(event);
  });
  client.on('reply:slow', ({ conversations }) => {
    for (const { conversation: id } of conversations) {
      const known = held.get(id);
      if (known) held.set(id, { ...known, slow: true });
    }
    refresh();
  });
  client.on('load:changed', ({ pending, active }) => {
    told += 1;
    bar.load(pending, active);
  });
  client.on('presence:changed', ({ agent: whose, presence, cause }) => {
    if (whose !== me) return;
    told += 1;
    present(presence, cause);
  });

  /** Looks at the live board: the pool, and with `mine` also how this agent stands. */
  async function look(mine?: unknown): Promise<void> {
    const before = told;
    try {
      const live = await inShop<Live>('live');
      pool.update(live);
      const own = live.agents.find(({ id }) => id === me);
      if (mine !== 'mine' || !own || told !== before) return;
      present(own.presence);
      bar.load(own.pending, own.active);
    } catch {
      // The connection says so itself; the next look is soon.
    }
  }

  const looking = setInterval(() => {
    if (client.connected && document.visibilityState === 'visible') void look();
  }, LOOK_MS);
  const ticking = setInterval(list.tick, 1_000);
  const release = holdConnection(client, {
    notice: lost,
    onStatus(connected) {
      bar.connected(connected);
      if (!connected) return;
      void look('mine');
      team().catch(() => {}); // only names: until then the ids serve
      pane?.talk.markRead();
    },
    onEnded() {
      end();
      onEnded();
    },
  });
  function end(): void {
    clearInterval(looking);
    clearInterval(ticking);
    leavePane();
    release();
  }
  refresh();
  return desk;
}
