/**
 * What must hold once a town has come to rest, whatever was killed while it lived: between what its people were promised,
 * what they were told, what is stored, and what the event stream says.
 */
import type { Assignment, Message } from '../../client-sdk/index.ts';
import type { Connection } from '../../server/store/script.ts';
import { problemsIn } from '../support/consistent.ts';
import { unexplained } from '../support/explained.ts';
import { dump } from '../support/shop.ts';
import { type Told, toldByStream } from '../support/stream.ts';
import { breath } from '../support/until.ts';
import type { Agent } from './agent.ts';
import type { Refused } from './ledger.ts';
import type { Town, TownShop } from './town.ts';

/** Messages of every conversation of a shop, as they are stored. */
type Stored = ReadonlyMap<string, readonly Message[]>;
/** Conversations that are not closed, with their holders; '' where nobody holds one. */
type Open = ReadonlyMap<string, string>;
type Say = (holds: boolean, problem: string) => void;

const seqs = (messages: readonly Message[]) => messages.map(({ seq }) => seq).join();

async function read(
  redis: Connection,
  shop: string,
): Promise<{ stored: Stored; open: Open; buyers: Map<string, string> }> {
  const stored = new Map<string, Message[]>();
  const open = new Map<string, string>();
  const buyers = new Map<string, string>();
  for (const [key, value] of Object.entries(await dump(redis, shop))) {
    const [, id = ''] = key.split('conversation:');
    if (key.startsWith('messages:')) {
      const said = (value as string[]).map((line) => JSON.parse(line) as Message);
      stored.set(key.slice('messages:'.length), said);
    } else if (key.startsWith('conversation:')) {
      const { state, agent = '', buyer = '' } = value as Record<string, string>;
      buyers.set(id, buyer);
      if (state !== 'closed') open.set(id, agent);
    }
  }
  return { stored, open, buyers };
}

/** Everything acknowledged is stored once, and nothing else is. */
function checkPromises({ ledger }: Town, shop: string, stored: Stored, say: Say): void {
  const kept = new Map<string, Message[]>();
  for (const message of [...stored.values()].flat()) {
    if (message.from.kind === 'system') continue;
    const key = `${message.from.id} ${message.clientId}`;
    kept.set(key, [...(kept.get(key) ?? []), message]);
  }
  const said = ledger.said.filter(({ who }) => who.shop === shop);
  for (const { who, clientId, text, message } of said) {
    const key = `${who.id} ${clientId}`;
    const found = kept.get(key) ?? [];
    kept.delete(key);
    const [one] = found;
    say(found.length === 1, `${key} was acknowledged, and is stored ${found.length} times`);
    const same = one?.id === message.id && one.seq === message.seq && one.conversation === message.conversation;
    say(same && one.body.text === text, `${key} is stored as ${JSON.stringify(one)}, not ${JSON.stringify(message)}`);
  }
  for (const key of kept.keys()) say(false, `${key} is stored, and was never acknowledged`);
}

/** Each buyer was told every message of their conversations once and in order. */
function checkBuyers({ buyers }: TownShop, stored: Stored, of: ReadonlyMap<string, string>, say: Say): void {
  for (const { who, heard, client } of buyers) {
    say(client.connected, `${who.id} is not connected`);
    for (const [conversation, buyer] of of) {
      if (buyer !== who.id) say(!heard.has(conversation), `${who.id} was told of ${conversation} of ${buyer}`);
      else {
        const [told, is] = [heard.get(conversation) ?? [], stored.get(conversation) ?? []];
        say(seqs(told) === seqs(is), `${who.id} was told ${seqs(told)} of ${conversation}, stored are ${seqs(is)}`);
        const others = told.filter((message, i) => message.id !== is[i]?.id).length;
        say(others === 0, `${who.id} was told ${others} other messages of ${conversation} than are stored`);
      }
    }
  }
}

/** Each agent's client holds what the shop says, and has told what was said since it came, once and in order. */
async function checkAgent({ who, client, held, heard }: Agent, stored: Stored, open: Open, say: Say): Promise<void> {
  say(client.connected, `${who.id} is not connected`);
  const theirs = [...open].filter(([, holder]) => holder === who.id).map(([id]) => id);
  const sorted = (ids: Iterable<string>) => [...ids].sort().join();
  say(sorted(held.keys()) === sorted(theirs), `${who.id} is shown ${sorted(held.keys())}, and holds ${sorted(theirs)}`);
  for (const [conversation, told] of heard) {
    const risen = told.every(({ seq }, i) => i === 0 || seq > (told[i - 1]?.seq ?? 0));
    say(risen, `${who.id} was told ${seqs(told)} of ${conversation}`);
    const wrong = told.filter(({ seq, id }) => stored.get(conversation)?.[seq - 1]?.id !== id).length;
    say(wrong === 0, `${who.id} was told ${wrong} messages of ${conversation} that are not stored so`);
  }
  for (const [conversation, { since }] of held) {
    const is = (stored.get(conversation) ?? []).slice(since);
    const told = (heard.get(conversation) ?? []).filter(({ seq }) => seq > since);
    say(seqs(told) === seqs(is), `${who.id} was told ${seqs(told)} of ${conversation} since ${since}: ${seqs(is)}`);
    const listed: Message[] = [];
    for (let more = true; more; ) {
      const page = await client.list(conversation, { afterSeq: listed.length, limit: 200 });
      listed.push(...page.messages);
      more = page.hasMore;
    }
    const [has, all] = [listed.map(({ id }) => id).join(), stored.get(conversation) ?? []];
    say(has === all.map(({ id }) => id).join(), `${who.id} lists ${seqs(listed)} of ${conversation}`);
  }
}

/** Every click that was acknowledged has one assignment, which REST explains; nobody else's click was carried out. */
async function checkOpens({ ledger, rest }: Town, { id: shop, apiKey }: TownShop, told: Told, say: Say): Promise<void> {
  const opened = ledger.opened.filter(({ who }) => who.shop === shop).map(({ assignment }) => assignment);
  const sorted = (ids: readonly string[]) => [...ids].sort().join();
  say(new Set(opened.map(({ id }) => id)).size === opened.length, 'two clicks were answered with one assignment');
  say(
    sorted(opened.map(({ id }) => id)) === sorted(told.opens),
    `${opened.length} clicks, ${told.opens.length} in the stream`,
  );
  const why = ({ trace }: Assignment) => trace.map((item) => `${item.step} ${item.result} ${item.why}`).join();
  for (const answered of opened) {
    const assignment: Assignment = await rest.call('GET', `shops/${shop}/assignments/${answered.id}`, apiKey);
    const problem = unexplained(assignment);
    say(problem === undefined, `${problem}`);
    say(why(assignment) === why(answered) && assignment.agent === answered.agent, `${answered.id} is told in two ways`);
  }
}

/** The state of the shop explains why a command was refused. */
function isExplained({ who, command, conversation, code }: Refused, told: Told): boolean {
  const talk = told.talks.get(conversation);
  // Nobody was there to be given it, or it was no longer in the pool.
  if (command === 'conversation:transfer' && code === 'conflict') return true;
  if (command === 'pool:claim') return code === 'conflict';
  if (!talk) return false;
  if (code === 'conflict') return talk.state === 'closed';
  // They had it, and then somebody else, or nobody.
  const since = talk.holders.slice(talk.holders.indexOf(who.id));
  return who.kind !== 'buyer' && talk.holders.includes(who.id) && since.some((holder) => holder !== who.id);
}

/** Agents are connected by the sockets they have, and by no others. */
async function checkPresences(redis: Connection, { id, agents }: TownShop, say: Say): Promise<void> {
  const all = await dump(redis, id);
  const sockets = Object.keys((all.sockets ?? {}) as object).map((member) => member.split(':')[0]);
  const wanted = agents.map(({ who }) => who.id);
  say([...sockets].sort().join() === [...wanted].sort().join(), `sockets of ${sockets} are recorded`);
}

/** Everything that does not hold; empty when all is well. */
async function problemsAtRest(town: Town, redis: Connection): Promise<string[]> {
  const { ledger } = town;
  const problems = [...ledger.faults, ...[...ledger.underWay].map(([name]) => `${name} was never answered`)];
  for (const shop of town.shops) {
    const say: Say = (holds, problem) => {
      if (!holds) problems.push(`${shop.id}: ${problem}`);
    };
    const { stored, open, buyers } = await read(redis, shop.id);
    checkPromises(town, shop.id, stored, say);
    checkBuyers(shop, stored, buyers, say);
    for (const agent of shop.agents) await checkAgent(agent, stored, open, say);
    for (const [conversation, holder] of open) say(holder !== '', `nobody holds ${conversation}`);
    await checkPresences(redis, shop, say);
    const told = await toldByStream(redis, shop.id);
    for (const problem of told.problems) say(false, problem);
    await checkOpens(town, shop, told, say);
    for (const refused of ledger.refused.filter(({ who }) => who.shop === shop.id)) {
      const { who, command, conversation, code } = refused;
      say(isExplained(refused, told), `${command} of ${who.id} about ${conversation} was refused: ${code}`);
    }
    for (const problem of await problemsIn(redis, shop.id)) say(false, problem);
  }
  return problems;
}

/**
 * Waits until everything holds. What still does not when `patienceMs` have gone by is answered; empty when all is well.
 */
export async function comesToRest(town: Town, redis: Connection, patienceMs: number): Promise<string[]> {
  const late = Date.now() + patienceMs;
  for (;;) {
    const problems = await problemsAtRest(town, redis);
    if (problems.length === 0 || Date.now() > late) return problems;
    await breath();
  }
}
