/** What time may bring about, and what it must have brought about once every job has run. */
import { WHOLE_SHOP } from '../../client-sdk/contract/index.ts';
import { completes, lookedBy, type Periods, periodsOf } from '../../server/plan/overdue.ts';
import { type Happening, isDoing, onDutyIn, personOf, queueOf, rosterOf, type Talk, type World } from './world.ts';

const openTalks = (world: World) => [...world.talks.values()].filter(({ state }) => state !== 'closed');

/** Whether the reply owed in a conversation has been owed for one more period since somebody last looked. */
const isDue = ({ config, look, now }: World, { owedSince }: Talk, rule: keyof Periods) => {
  const periods = periodsOf(config.settings);
  return owedSince !== undefined && completes(owedSince, periods[rule], lookedBy(look, rule, periods), now);
};

const leavesWaiting = (world: World, id: string) =>
  openTalks(world).some((talk) => talk.agent === id && isDue(world, talk, 'hangUp'));

/** Whether somebody may be hung up now for not replying. */
export const mayFallSilent = (world: World, id: string) =>
  isDoing(world, 'wait') &&
  rosterOf(world, id)?.kind === 'agent' &&
  personOf(world, id).presence === 'online' &&
  leavesWaiting(world, id);

/** Whether a buyer may be given to somebody else because no reply came. */
export const mayBeReassigned = (world: World, talk: Talk) => isDoing(world, 'wait') && isDue(world, talk, 'reassign');

/** Whether a conversation may be closed because nothing is said in it. */
export function mayEnd(world: World, { state, waitingSince, lastAt }: Talk): boolean {
  const { idleCloseMs } = world.config.settings;
  const waits = waitingSince !== undefined || state === 'queued';
  return idleCloseMs > 0 && !waits && world.now - lastAt >= idleCloseMs;
}

/** Whether a conversation has waited in the queue for the shop's limit. */
export function hasWaitedTooLong(world: World, { state, place }: Talk): boolean {
  const { leaveAfterMs } = world.config.settings.queue;
  return state === 'queued' && leaveAfterMs !== null && world.now - place >= leaveAfterMs;
}

/** Contacts past the warm window are forgotten. */
export function forgetExpired(world: World): void {
  const { warmMs } = world.config.settings.contactWindows;
  for (const [buyer, contacts] of world.contacts) {
    world.contacts.set(
      buyer,
      contacts.filter(([, at]) => world.now - at <= warmMs),
    );
  }
}

/** Whether somebody could take a buyer who gets no reply. By night it would be the proxy, who is no better. */
const somebodyElse = (world: World, { agent, missed }: Talk) =>
  !world.config.settings.nightShift.enabled &&
  queueOf(world).length === 0 &&
  [...onDutyIn(world, WHOLE_SHOP).keys()].some((id) => id !== agent && !missed.has(id));

/**
 * What a run of every job has left undone; asked before the world learns that the replies were gone over. Where other
 * things have happened meanwhile, some may not have been there when it was their turn.
 */
export function leftUndone(world: World, happened: readonly Happening[]): string[] {
  const changed = new Set(happened.map(({ type, agent }) => (type === 'presence' ? agent : '')));
  return openTalks(world).flatMap((talk) => {
    const says: string[] = [];
    const owes = `${talk.agent} owes a reply in ${talk.id} since ${talk.owedSince}`;
    if (mayEnd(world, talk)) says.push(`nothing was said in ${talk.id} since ${talk.lastAt}, and it is open`);
    if (hasWaitedTooLong(world, talk)) says.push(`${talk.id} waits in the queue since ${talk.place}`);
    if (!changed.has(talk.agent) && mayFallSilent(world, talk.agent) && isDue(world, talk, 'hangUp')) {
      says.push(`${owes}, and is online`);
    }
    if (happened.length === 0 && mayBeReassigned(world, talk) && somebodyElse(world, talk)) {
      says.push(`${owes}, and somebody else could`);
    }
    return says;
  });
}
