/** What goes on in a town beside its talk: buyers who come by once, programs that call REST, nights that fall and end. */
import type { SettingsPatch } from '../../client-sdk/index.ts';
import { insist, pause } from '../town/ledger.ts';
import type { Town, TownShop } from '../town/town.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Between two who come by, between two calls, and between dusk and dawn, in ms: half of it to one and a half. */
const PACE = { visit: 1_200, call: 400, night: 15_000 } as const;

/** Somebody comes, clicks, writes a little and goes, often without closing. */
async function visit({ ledger }: Town, shop: TownShop, name: string, draw: () => number): Promise<void> {
  const { who, client } = shop.newcomer(name);
  await client.connect();
  const opened = await insist(ledger, who, ['chat:open', ''], () =>
    client.command('chat:open', { product: draw() < 0.5 ? 'tea' : 'hats', requestId: 'come' }),
  );
  if (opened) {
    ledger.opened.push({ who, assignment: opened.assignment });
    const { id } = opened.conversation;
    for (let n = 0; n < 1 + draw() * 3; n++) {
      const [clientId, text] = [`said-${n}`, `${name} asks for the ${n}th time`];
      const message = await insist(ledger, who, ['message:send', id], () => client.send(id, text, { clientId }));
      if (message) ledger.said.push({ who, text, clientId, message });
      await pause(draw() * 1_000);
    }
    if (draw() < 0.7) await insist(ledger, who, ['chat:close', id], () => client.close(id));
  }
  client.disconnect();
}

/** A program of the shop asks, or changes something, over REST. */
async function call({ rest, ledger }: Town, shop: TownShop, draw: () => number): Promise<void> {
  const ask = (method: string, path: string, body?: object) =>
    rest.call(method, `shops/${shop.id}/${path}`, shop.apiKey, body);
  const ours = ledger.opened.filter(({ who }) => who.shop === shop.id);
  const { assignment } = ours[Math.floor(draw() * ours.length)] ?? {};
  const someone = `buyer-${Math.floor(draw() * shop.buyers.length)}`;
  const luck = draw();
  if (luck < 0.2) await ask('GET', 'live');
  else if (luck < 0.4) await ask('GET', 'conversations?limit=50');
  else if (luck < 0.6 && assignment) await ask('GET', `conversations/${assignment.conversation}/messages?limit=20`);
  else if (luck < 0.8 && assignment) await ask('GET', `assignments/${assignment.id}`);
  else if (luck < 0.9) await ask('PUT', `buyers/${someone}`, { name: someone, crowds: draw() < 0.5 ? ['vip'] : [] });
  else await ask('PUT', 'agents/agent-1/presence', { presence: 'online' });
}

/** It is night from two hours ago until in two hours, and then it is not: what came in is handed over. */
async function night({ rest }: Town, { id, apiKey }: TownShop, isOver: () => boolean): Promise<void> {
  const set = (nightShift: SettingsPatch['nightShift']) =>
    rest.call('PATCH', `shops/${id}/settings`, apiKey, { timezone: 'UTC', nightShift });
  const clock = (at: number) => new Date(at).toISOString().slice(11, 16);
  const now = Date.now();
  await set({ enabled: true, proxy: 'agent-0', from: clock(now - 2 * HOUR), until: clock(now + 2 * HOUR) });
  for (const dawn = Date.now() + PACE.night / 2; Date.now() < dawn && !isOver(); ) await pause(500);
  await set({ enabled: false });
}

export type Errands = {
  /** Nothing more is begun; resolves when all has ended, and it is day. */
  end(): Promise<void>;
};

/** Begins all of it, in every shop. `name` tells these visitors from those of another time. */
export function beginErrands(town: Town, name: string, draw: () => number): Errands {
  let over = false;
  const visits = new Set<Promise<void>>();
  const again = async (pace: number, what: (n: number) => Promise<unknown>) => {
    for (let n = 0; !over; n++) {
      await pause(pace * (0.5 + draw()));
      if (!over) await what(n);
    }
  };
  const all = town.shops.flatMap((shop) => [
    again(PACE.visit, async (n) => {
      const one = visit(town, shop, `${name}-${n}`, draw).finally(() => visits.delete(one));
      // What goes wrong is told at the end.
      one.catch(() => undefined);
      visits.add(one);
    }),
    again(PACE.call, () => call(town, shop, draw)),
    again(PACE.night, () => night(town, shop, () => over)),
  ]);
  for (const one of all) one.catch(() => undefined);
  return {
    async end() {
      over = true;
      await Promise.all(all);
      await Promise.all(visits);
    },
  };
}
