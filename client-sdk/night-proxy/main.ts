/** `npm run night-proxy -- FILE`: answers the buyers of the night shift by the rules of a file. */
import { pino } from 'pino';
import { AgentClient } from '../agent-client.ts';
import { CommandError } from '../command-error.ts';
import { createScript } from './answer.ts';
import { createNightProxy } from './night-proxy.ts';
import { BadRulesFile, type Rules, readRules } from './rules.ts';
import { createShopApi } from './shop-api.ts';

const USAGE = `Usage: npm run night-proxy -- FILE
FILE says where to log in and what to answer; client-sdk/night-proxy/example.json is one, docs/night-proxy.md explains it.`;

/** Asks the program to end, once; resolves when it was asked. */
const asked = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
});

/** Answers until it is asked to end. Rejects when the server does not take the account, then or later. */
async function run({ rules, otherwise, ...where }: Rules): Promise<void> {
  const { url, shop, agent } = where;
  const log = pino({ name: 'night-proxy', base: { name: 'night-proxy' } });
  const api = createShopApi(where);
  let giveUp: (error: Error) => void = () => {};
  const refused = new Promise<never>((_, reject) => {
    giveUp = reject;
  });

  const client = new AgentClient({ url, getToken: api.token });
  client.on('refused', ({ error, final }) => {
    if (final) giveUp(error);
  });
  const script = createScript(rules, otherwise);
  const proxy = createNightProxy({ client, shop, agent, script, hours: api.hours, now: Date.now, log });
  const started = proxy.start();
  // What start rejects with when it is closed meanwhile interests nobody.
  started.catch(() => {});
  try {
    await Promise.race([asked, refused, started.then(() => Promise.race([asked, refused]))]);
    log.info({ shop, agent }, 'closing');
  } finally {
    await proxy.close();
  }
}

/** What to tell the operator. */
function sentence(error: unknown, { shop, agent }: Partial<Rules>): string {
  if (error instanceof BadRulesFile) return error.message;
  const who = shop === undefined ? '' : `${agent} of ${shop}: `;
  return error instanceof CommandError
    ? `${who}${error.message}`
    : String(error instanceof Error ? error.stack : error);
}

const [file, ...more] = process.argv.slice(2);
let known: Partial<Rules> = {};
try {
  if (file === undefined || more.length > 0) throw new BadRulesFile(USAGE);
  const rules = await readRules(file);
  known = rules;
  await run(rules);
  process.exit(0);
} catch (error) {
  console.error(sentence(error, known));
  process.exit(1);
}
