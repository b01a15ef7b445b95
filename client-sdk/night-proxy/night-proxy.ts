/**
 * The night proxy: holds the proxy's conversations as the server tells them, and answers what buyers write. All it has
 * to remember is in the conversations themselves, so it can be killed and started again at any moment.
 */
import type { AgentClient } from '../agent-client.ts';
import { CommandError } from '../command-error.ts';
import type { HeldConversation, Message } from '../contract/index.ts';
import { answeredThrough, answerId, answerTo, placeOf, type Script } from './answer.ts';
import { atMost } from './at-most.ts';
import { createHours, type Hours } from './hours.ts';
import { patiently } from './patiently.ts';

/** Facts are structured and never carry what people wrote. */
export type Log = Record<'info' | 'warn' | 'error', (facts: object, says: string) => void>;

export type NightProxyParts = {
  /** A client of the proxy's account, not connected yet. */
  readonly client: AgentClient;
  readonly shop: string;
  /** The proxy's account. */
  readonly agent: string;
  readonly script: Script;
  /** Reads the shop's hours; rejects with a `CommandError`. */
  readonly hours: () => Promise<Hours>;
  /** In ms since the epoch. */
  readonly now: () => number;
  readonly log: Log;
};

export type NightProxy = {
  /**
   * Connects, goes online and begins to answer; waits for a server that is not there yet. Rejects with what does not
   * pass by itself, such as a wrong password, and when closed meanwhile.
   */
  start(): Promise<void>;
  /** Sends the answers under way, as far as the server takes them, and disconnects. The presence stays as it is. */
  close(): Promise<void>;
};

/** One conversation held: what was said in it, as far as it matters, by `seq`. */
type Talk = {
  conversation: HeldConversation;
  readonly messages: Map<number, Message>;
  /** Whether the messages were listed since the connection stands. */
  listed: boolean;
  /** Up to which `seq` it is decided what to answer. */
  done: number;
  answering: boolean;
  /** Somebody asked to look again while it was attended to. */
  again: boolean;
};

/** How many of the last messages are looked at: as many as are listed at once. */
const LOOK_BACK = 200;
/** Conversations answered at the same time. */
const AT_ONCE = 8;
/** How long closing waits for what is under way, in ms. */
const CLOSING_MS = 5_000;

function newTalk(conversation: HeldConversation): Talk {
  return { conversation, messages: new Map(), listed: false, done: 0, answering: false, again: false };
}

export function createNightProxy({ client, shop, agent, script, now, log, ...parts }: NightProxyParts): NightProxy {
  const talks = new Map<string, Talk>();
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();
  const inTurn = atMost(AT_ONCE);
  const hours = createHours(parts.hours, now, (error) => log.warn({ shop, ...facts(error) }, 'hours not read again'));
  let warnedOfProxy = false;

  function facts(error: unknown): object {
    return error instanceof CommandError ? { code: error.code, reason: error.message } : { reason: String(error) };
  }

  async function hoursNow(): Promise<Hours> {
    const present = await hours();
    const { proxy } = present.nightShift;
    if (proxy !== agent && !warnedOfProxy) {
      log.warn(
        { shop, agent, proxy },
        "this account is not the proxy of the shop's night shift, so no buyer comes to it",
      );
    }
    warnedOfProxy = proxy !== agent;
    return present;
  }

  function keep(talk: Talk, messages: readonly Message[]): void {
    for (const message of messages) talk.messages.set(message.seq, message);
    const tooOld = [...talk.messages.keys()].sort((a, b) => b - a).slice(LOOK_BACK);
    for (const seq of tooOld) talk.messages.delete(seq);
  }

  const saidIn = (talk: Talk) => [...talk.messages.values()].sort((a, b) => a.seq - b.seq);

  /** Does a command until the server can; the commands of one conversation go one after another. */
  function insist<T>(conversation: string, command: () => Promise<T>): Promise<T> {
    const waits = (error: Error) => log.warn({ shop, conversation, ...facts(error) }, 'will try again');
    return patiently(command, waits, closing.signal);
  }

  async function answerNext(talk: Talk): Promise<boolean> {
    const { id } = talk.conversation;
    if (!talk.listed) {
      talk.listed = true;
      keep(talk, (await insist(id, () => client.list(id, { limit: LOOK_BACK }))).messages);
    }
    const messages = saidIn(talk);
    talk.done = Math.max(talk.done, answeredThrough(messages, agent));
    const message = messages.find(({ from, seq }) => from.kind === 'buyer' && seq > talk.done);
    if (!message) return false;
    const present = await insist(id, hoursNow);
    const held = [...talks.values()].map(({ conversation }) => conversation);
    const place = placeOf(held, id);
    const answer = answerTo(script, message, { agent, hours: present, now: now(), place, messages: saidIn(talk) });
    if (answer) {
      const { text, by } = answer;
      const sent = await insist(id, () => client.send(id, text, { clientId: answerId(message.seq) }));
      keep(talk, [sent]);
      log.info({ shop, conversation: id, answers: message.seq, seq: sent.seq, by }, 'answered');
    }
    talk.done = Math.max(talk.done, message.seq);
    return true;
  }

  /** Answers what is unanswered, one message after another. */
  async function attend(talk: Talk): Promise<void> {
    const { id } = talk.conversation;
    talk.again = false;
    try {
      while (!closing.signal.aborted && talks.get(id) === talk && (await answerNext(talk)));
    } catch (error) {
      talk.listed = false;
      if (closing.signal.aborted) return;
      if (error instanceof CommandError && ['not-found', 'forbidden', 'conflict'].includes(error.code)) {
        // It was closed or given to somebody else a moment ago; the event that says so is on its way.
        log.info({ shop, conversation: id, code: error.code }, 'no longer held');
      } else log.error({ shop, conversation: id, ...facts(error) }, 'not answered');
    }
  }

  /** Something may be unanswered here. */
  function look(talk: Talk): void {
    talk.again = true;
    if (talk.answering || closing.signal.aborted) return;
    talk.answering = true;
    const round = inTurn(() => attend(talk)).finally(() => {
      talk.answering = false;
      underWay.delete(round);
      if (talk.again) look(talk);
    });
    underWay.add(round);
  }

  function held(conversation: HeldConversation): void {
    const known = talks.get(conversation.id);
    const talk = known ?? newTalk(conversation);
    talk.conversation = conversation;
    // Something may have been said between the list and now, or while the connection was away.
    talk.listed = false;
    talks.set(conversation.id, talk);
    look(talk);
  }

  function listen(): void {
    client.on('conversations', ({ conversations }) => {
      const ids = new Set(conversations.map(({ id }) => id));
      for (const id of talks.keys()) if (!ids.has(id)) talks.delete(id);
      log.info({ shop, held: conversations.length }, 'conversations held');
      for (const conversation of conversations) held(conversation);
    });
    client.on('conversation:assigned', ({ conversation }) => {
      held({ ...conversation, pending: conversation.waitingSince !== undefined });
    });
    client.on('conversation:released', ({ conversation }) => talks.delete(conversation.id));
    client.on('message:created', ({ message }) => {
      const talk = talks.get(message.conversation);
      if (!talk) return;
      keep(talk, [message]);
      if (message.from.kind === 'buyer') look(talk);
    });
    let stands = false;
    client.on('status', ({ connected, error }) => {
      if (connected) log.info({ shop, agent }, 'connected');
      else if (stands && !closing.signal.aborted)
        log.warn({ shop, reason: error?.message }, 'connection lost; reconnecting');
      stands = connected;
    });
    client.on('refused', ({ error, final }) => {
      if (!final) log.warn({ shop, ...facts(error) }, 'connection refused; trying again');
    });
  }

  return {
    async start() {
      listen();
      const waits = (error: Error) => log.warn({ shop, reason: error.message }, 'waiting for the server');
      const { nightShift } = await patiently(hoursNow, waits, closing.signal);
      await client.connect();
      await patiently(() => client.setPresence('online'), waits, closing.signal);
      const { enabled, from, until } = nightShift;
      log.info({ shop, agent, enabled, from, until }, 'online');
    },
    async close() {
      closing.abort();
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSING_MS).unref());
      await Promise.race([Promise.allSettled(underWay), late]);
      client.disconnect();
    },
  };
}
