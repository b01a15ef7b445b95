/** A tell that keeps what everybody was told, for tests that look at it. */
import type { Tell } from '../../server/services/house.ts';

export type Heard = {
  /** `agent:anna` or `buyer:bob`; `supervisors` for what all of them hear. */
  readonly who: string;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: the data are whatever the test expects them to be
  readonly data: any;
};

export type Listening = Tell & {
  /** What somebody heard of one event, in order; forgotten once asked for. */
  take(who: string, event: string): Heard['data'][];
  /** Forgets everything. */
  forget(): void;
};

export function listening(): Listening {
  let heard: Heard[] = [];
  const hear = (who: string, event: string, data: unknown) => heard.push({ who, event, data });
  return {
    agent: (_shop, agent, event, data) => hear(`agent:${agent}`, event, data),
    buyer: (_shop, buyer, event, data) => hear(`buyer:${buyer}`, event, data),
    supervisors: (_shop, event, data, agent) => {
      hear('supervisors', event, data);
      if (agent !== undefined) hear(`agent:${agent}`, event, data);
    },
    forgetBuyer: () => undefined,
    forget() {
      heard = [];
    },
    take(who, event) {
      const found = heard.filter((one) => one.who === who && one.event === event);
      heard = heard.filter((one) => !found.includes(one));
      return found.map(({ data }) => data);
    },
  };
}
