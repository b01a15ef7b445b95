/** Who is present, as far as it was told: what is not known here is offline. */
import type { AgentEventData, Presence } from './contract/index.ts';
import { digestsOf } from './contract/sync.ts';

type Change = AgentEventData<'presence:changed'>;

export type Presences = {
  /** What stands for all that is known, in a question to the server. */
  digests(): number[];
  /** A change was told. */
  heard(change: Change): void;
  /**
   * Takes in an answer: everybody there is among those `compared`, who are not `overtaken` by events. Answers the changes
   * that nobody has told.
   */
  meet(
    everybody: readonly Change[],
    compared: (agent: string) => boolean,
    overtaken: (agent: string) => boolean,
  ): Change[];
};

/** Nobody is known. */
export function createPresences(): Presences {
  const known = new Map<string, Presence>();

  function heard({ agent, presence }: Change): void {
    if (presence === 'offline') known.delete(agent);
    else known.set(agent, presence);
  }

  return {
    digests: () => digestsOf(known),
    heard,
    meet(everybody, compared, overtaken) {
      const named = new Set(everybody.map(({ agent }) => agent));
      for (const agent of known.keys()) {
        // Nobody of whom one may hear any more.
        if (compared(agent) && !named.has(agent) && !overtaken(agent)) known.delete(agent);
      }
      const news = everybody.filter(
        ({ agent, presence }) => !overtaken(agent) && (known.get(agent) ?? 'offline') !== presence,
      );
      for (const change of news) heard(change);
      return news;
    },
  };
}
