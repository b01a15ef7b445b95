// A worker process as `npm run workers` has it, on one job of every shop: <Redis> <key>
// Each visit of a shop adds `<pid> <shop>` to the list at the key.

import { closeOnSignal } from '../../server/launch/signals.ts';
import { createLog } from '../../server/log.ts';
import { connect } from '../../server/store/connect.ts';
import { ofEachShop } from '../../workers/jobs.ts';
import { startWorkers } from './jobs.ts';

const [url = '', key = ''] = process.argv.slice(2);
const redis = connect({ url }, () => undefined);
const visit = async (_house: unknown, shop: string) => {
  await redis.rpush(key, `${process.pid} ${shop}`);
  return { more: false };
};
const workers = await startWorkers(url, ofEachShop('visit', visit, 200));
closeOnSignal(createLog('silent', 'workers'), workers.close);
process.stdout.write(JSON.stringify({ pid: process.pid }));
