/**
 * Effective presence, and whether a change of it is justified. Who chose online is hung up while they have too many
 * conversations, and from when they have left a buyer without a reply until they reply or choose again.
 */
import type { Presence } from '../../client-sdk/contract/index.ts';
import { mayFallSilent } from './overdue.ts';
import { activeOf, type Happening, must, personOf, rosterOf, type World } from './world.ts';

function hasTooMany(world: World, id: string): boolean {
  const { atActive } = world.config.settings.autoHangUp;
  return atActive !== null && activeOf(world, id) >= atActive;
}

/** What was chosen and what is connected, and what the shop's rules make of it. */
export function effective(world: World, id: string): Presence {
  const person = personOf(world, id);
  if (person.sockets.size === 0 && person.lapsesAt === undefined) return 'offline';
  const ruled = person.silent || hasTooMany(world, id);
  const hungUp = person.chosen === 'online' && rosterOf(world, id)?.kind === 'agent' && ruled;
  return hungUp ? 'hung-up' : person.chosen;
}

/** Whether a happening is a change of presence that nobody chose. */
export const isOfItself = ({ type, cause }: Happening) =>
  type === 'presence' && (cause === 'auto-hang-up' || cause === 'auto-resume');

/** Whether a change that came of itself follows from what is told next: a load or a reply in it, or another rule. */
export function followsFrom({ agent, presence }: Happening, next: Happening): boolean {
  const { type, from = '' } = next;
  if (type === 'configured') return true;
  if (type === 'message') return next.by === agent && presence === 'online';
  if (type === 'closed') return next.agent === agent && presence === 'online';
  if (type !== 'assigned' && type !== 'transferred') return false;
  if (next.agent === from) return false;
  return presence === 'online' ? from === agent : next.agent === agent;
}

/** Takes in a change of presence. Throws where there was no reason for it. */
export function replayPresence(world: World, { agent = '', presence, cause }: Happening): void {
  const person = personOf(world, agent);
  if (cause === 'lost-connection') {
    const lapsed = person.lapsesAt !== undefined && person.lapsesAt <= world.now;
    must(presence === 'offline' && (lapsed || person.sockets.size === 0), `${agent} lost no connection`);
    person.lapsesAt = undefined;
  } else {
    // Of who chooses, comes or goes at this very moment it shows only afterwards.
    const settled = !world.doing.some((deed) => deed.agent === agent) || world.doing.length === 1;
    const right = !settled || presence === effective(world, agent);
    must(right, `${agent} became ${presence} (${cause}), chose ${person.chosen}`);
  }
  must(cause !== 'auto-hang-up' || presence === 'hung-up', `${agent} became ${presence} by being hung up`);
  must(cause !== 'auto-resume' || presence === 'online', `${agent} became ${presence} by resuming`);
  must(presence !== person.presence, `${agent} became what they were, ${presence}`);
  person.presence = presence as Presence;
}

/** Takes in that somebody was hung up for not replying. */
export function replaySilence(world: World, happening: Happening): void {
  const { agent = '', cause } = happening;
  must(cause === 'auto-hang-up' && mayFallSilent(world, agent), `${agent}: ${cause} without a reason`);
  personOf(world, agent).silent = true;
  replayPresence(world, happening);
}
