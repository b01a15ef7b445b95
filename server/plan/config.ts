/** A shop's configuration as plans are made of it. */
import type { Agent, Group, Settings } from '../../client-sdk/contract/index.ts';

export type ShopConfig = {
  readonly shop: string;
  readonly name: string;
  /** Counts the changes; a plan of another version is refused by the claim. */
  readonly version: string;
  readonly settings: Settings;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly groups: ReadonlyMap<string, Group>;
};

/** The shop's main account, if it has one. */
export function ownerOf(config: ShopConfig): string | undefined {
  for (const agent of config.agents.values()) if (agent.role === 'owner') return agent.id;
  return undefined;
}
