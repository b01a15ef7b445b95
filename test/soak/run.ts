/** `npm run soak`: ten minutes of mixed load, or `-- --minutes N`. Prints a table; exits 1 if something grows or drifts. */
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`--minutes takes a number above 0, not ${values.minutes}.`);
  process.exit(1);
}
const problems = await soak(minutes, (line) => console.log(line));
for (const problem of problems.slice(0, 50)) console.log(problem);
process.exit(problems.length === 0 ? 0 : 1);
