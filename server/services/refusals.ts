/** Outcomes of the store that the caller cannot have, as refusals that say what to do. */
import { Refusal } from '../../client-sdk/contract/index.ts';

const refusals = {
  missing: () => new Refusal('not-found', 'There is no such conversation; check its id.'),
  closed: () => new Refusal('conflict', 'This conversation is closed; the buyer can open a new one with chat:open.'),
  'not-holder': () =>
    new Refusal('forbidden', 'Somebody else holds this conversation; ask them, or a supervisor, to transfer it.'),
  away: () => new Refusal('conflict', 'That agent is away; choose one who is here.'),
  offline: () => new Refusal('conflict', 'You are offline; choose online or hung-up first.'),
  'nobody-on-duty': () => new Refusal('conflict', 'Nobody in that group is on duty; choose another group or an agent.'),
  taken: () =>
    new Refusal('conflict', 'This conversation is not in the pool any more; somebody else may have taken it.'),
};

export const refusalFor = (kind: keyof typeof refusals): Refusal => refusals[kind]();
